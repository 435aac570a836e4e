from odoo import api, fields, models

from ..models.kickoff.project_kickoff_agreement import CONCLUSIONS
from ..models.lifecycle.project_values import clean_values


class ProjectKickoffWizard(models.TransientModel):
    _name = "project.kickoff.wizard"
    _description = "Conclude the Kick-off"

    project_id = fields.Many2one(
        "project.project",
        required=True,
        ondelete="cascade",
        domain="[('is_lifecycle', '=', True), ('is_template', '=', False)]",
    )
    open_point_ids = fields.Many2many(
        "project.checklist.item", compute="_compute_points", string="To Settle"
    )
    adapted_point_ids = fields.Many2many(
        "project.checklist.item", compute="_compute_points", string="Adapted"
    )
    blocked_point_ids = fields.Many2many(
        "project.checklist.item", compute="_compute_points", string="Blocked"
    )
    agreed_point_count = fields.Integer(compute="_compute_points", string="Agreed")
    open_risk_ids = fields.Many2many(
        "project.risk", compute="_compute_points", string="Open Risks"
    )
    is_refused = fields.Boolean(
        compute="_compute_points", export_string_translation=False
    )
    conclusion = fields.Selection(
        CONCLUSIONS,
        required=True,
        compute="_compute_conclusion",
        store=True,
        readonly=False,
        help="Go: all is agreed. Go with adaptations: all is agreed, some points in "
        "another way. No-go: the salesperson takes it up with the client.",
    )
    feasibility_statement = fields.Text(
        required=True,
        help="Your statement that the project is feasible, and what it needs to be.",
    )
    spoc_id = fields.Many2one(related="project_id.spoc_id")
    spoc_email = fields.Char(related="spoc_id.email", string="SPOC's E-mail")
    version = fields.Integer(compute="_compute_version")

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([clean_values(self, vals) for vals in vals_list])

    def write(self, vals):
        return super().write(clean_values(self, vals))

    @api.depends("project_id")
    def _compute_points(self):
        for wizard in self:
            points = wizard.project_id.kickoff_point_ids
            by_state = points.grouped("state")
            none = points.browse()
            wizard.open_point_ids = points.filtered(
                lambda point: not point.is_settled and point.state != "blocked"
            )
            wizard.adapted_point_ids = by_state.get("adapted", none)
            wizard.blocked_point_ids = by_state.get("blocked", none)
            wizard.agreed_point_count = len(by_state.get("agreed", none))
            wizard.open_risk_ids = wizard.project_id.risk_ids.filtered(
                lambda risk: risk.state in ("open", "challenged")
            )
            wizard.is_refused = bool(wizard.project_id._get_refused_points())

    @api.depends("project_id")
    def _compute_conclusion(self):
        for wizard in self:
            wizard.conclusion = (
                wizard.project_id and wizard.project_id._propose_kickoff_conclusion()
            )

    @api.depends("project_id")
    def _compute_version(self):
        for wizard in self:
            wizard.version = wizard.project_id.kickoff_agreement_id.version + 1

    def action_conclude(self):
        """Conclude the kick-off: send the agreement, or tell about the no-go.

        :raises UserError: when the points of the kick-off do not allow it
        """
        self.ensure_one()
        agreement = self.project_id._conclude_kickoff(
            self.conclusion, self.feasibility_statement
        )
        if agreement.state == "sent":
            agreement._send_mail()
        return {"type": "ir.actions.act_window_close"}
