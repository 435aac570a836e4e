from odoo import api, fields, models


class ProjectStageOverrideWizard(models.TransientModel):
    _name = "project.stage.override.wizard"
    _description = "Override a Stage Gate"
    _inherit = ["project.lock.mixin"]

    project_id = fields.Many2one(
        "project.project",
        required=True,
        ondelete="cascade",
        domain="[('is_lifecycle', '=', True), ('is_template', '=', False)]",
    )
    stage_id = fields.Many2one(
        "project.project.stage",
        string="New Stage",
        required=True,
        ondelete="cascade",
        domain="[('lifecycle_stage', '!=', False)]",
    )
    unmet_criterion_ids = fields.Many2many(
        "project.stage.criterion",
        string="Unmet Criteria",
        compute="_compute_unmet_criterion_ids",
    )
    reason = fields.Text(
        required=True,
        help="Kept in the history of the project and posted in its chatter.",
    )

    @api.depends("project_id", "stage_id")
    def _compute_unmet_criterion_ids(self):
        for wizard in self:
            project = wizard.project_id.sudo()  # stage_id is hidden from some groups
            skipped = project.stage_id._get_skipped(wizard.stage_id, project.company_id)
            stages = skipped | wizard.stage_id
            criteria = project._get_criteria(stages)._guard(
                stages, project.stage_id | skipped
            )
            unmet, _obstacles = criteria._get_unmet({project: criteria})
            wizard.unmet_criterion_ids = unmet.get(project)

    def action_override(self):
        """Move the project with the reason given.

        :raises UserError: without a reason, or when the project cannot move at all
        """
        self.ensure_one()
        self.project_id._override_gate(self.stage_id, self.reason)
        return {"type": "ir.actions.act_window_close"}
