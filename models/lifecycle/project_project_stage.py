from odoo import api, fields, models
from odoo.exceptions import UserError

LIFECYCLE_STAGES = [
    ("internal_kickoff", "Internal kick-off"),
    ("kickoff", "Kick-off"),
    ("implementation", "Implementation"),
    ("go_live", "Go-live"),
    ("support", "Support"),
    ("done", "Done"),
]


class ProjectProjectStage(models.Model):
    _inherit = "project.project.stage"

    lifecycle_stage = fields.Selection(
        LIFECYCLE_STAGES,
        index="btree_not_null",
        help="Stage of the client implementation lifecycle that this column stands "
        "for. Only client projects can enter it, through its gate. Leave it empty "
        "for the stages of all other projects.",
    )
    target_days = fields.Integer(
        string="Target (days)",
        help="Days that a client project should stay here at most. Projects that "
        "stay longer are shown as late. 0 means that there is no target.",
    )
    next_stage_ids = fields.Many2many(
        "project.project.stage",
        "project_stage_next_rel",
        "stage_id",
        "next_stage_id",
        string="Next Stages",
        domain="[('lifecycle_stage', '!=', False)]",
        help="Stages to which a client project may go from here. Leave it empty to "
        "allow all of them.",
    )
    criterion_ids = fields.One2many(
        "project.stage.criterion",
        "stage_id",
        string="Entry Criteria",
        help="What must hold before a client project enters this stage.",
    )

    _target_days_positive = models.Constraint(
        "CHECK (target_days >= 0)",
        "The target of a stage is a number of days: it cannot be negative.",
    )

    @api.constrains("lifecycle_stage", "next_stage_ids")
    def _check_next_stages(self):
        for stage in self:
            foreign = stage.next_stage_ids.filtered(lambda s: not s.lifecycle_stage)
            if foreign or (stage.next_stage_ids and not stage.lifecycle_stage):
                raise UserError(
                    self.env._(
                        "The stages that follow one another must all be lifecycle "
                        "stages: choose a lifecycle stage for %(stages)s first.",
                        stages=", ".join((foreign or stage).mapped("name")),
                    )
                )

    def write(self, vals):
        # Giving a stage another meaning would move its projects past the gate.
        if "lifecycle_stage" in vals:
            changed = self.filtered(
                lambda stage: stage.lifecycle_stage
                != (vals["lifecycle_stage"] or False)
            )
            used = (
                self.env["project.project"]
                .sudo()  # a project that the user does not see would move as well
                .with_context(active_test=False)
                ._read_group(
                    [("stage_id", "in", changed.ids)], ["stage_id"], ["__count"]
                )
            )
            if used:
                raise UserError(
                    self.env._(
                        "%(stages)s cannot stand for another lifecycle stage while "
                        "projects are in it. Move them first, or add a new stage.",
                        stages=", ".join(stage.name for stage, _count in used),
                    )
                )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_history(self):
        history = self.env["project.stage.transition"].sudo()  # rights do not matter
        if stages := history._get_used_stages(self):
            raise UserError(
                self.env._(
                    "Projects have been in %(stages)s: their history needs it. "
                    "Archive the stage instead of deleting it.",
                    stages=", ".join(stages.mapped("name")),
                )
            )

    def _get_next_stages(self, all_stages):
        """Return the stages that a project in this stage should go to next.

        :param all_stages: lifecycle stages, in their order, among which to choose
        :return: the stages that are set to follow or, where all may follow, the one
            that comes next in the order
        """
        return (
            self.next_stage_ids & all_stages
            or all_stages.filtered(
                lambda stage: (stage.sequence, stage.id) > (self.sequence, self.id)
            )[:1]
        )
