from odoo import fields, models


class ProjectPhaseDatesWizard(models.TransientModel):
    _name = "project.phase.dates.wizard"
    _description = "Correct the Days of a Phase"
    _inherit = ["project.values.mixin"]

    phase_id = fields.Many2one(
        "project.phase", required=True, readonly=True, ondelete="cascade"
    )
    state = fields.Selection(related="phase_id.state")
    date_start_real = fields.Date(string="Started On")
    date_go_live_real = fields.Date(string="Went Live On")
    reason = fields.Text(required=True, help="It is noted in the chatter of the phase.")

    def action_confirm(self):
        """Correct the days.

        :raises AccessError: for users who are not project managers
        :raises UserError: without a reason, or for what has not happened
        """
        self.ensure_one()
        self.phase_id._correct_dates(
            self.date_start_real, self.date_go_live_real, self.reason
        )
        return {"type": "ir.actions.act_window_close"}
