from odoo import fields, models


class ProjectPhaseCompleteWizard(models.TransientModel):
    _name = "project.phase.complete.wizard"
    _description = "Agree that a Go-live is Complete"
    _inherit = ["project.values.mixin"]

    phase_id = fields.Many2one(
        "project.phase", required=True, readonly=True, ondelete="cascade"
    )
    spoc_id = fields.Many2one(related="phase_id.project_id.spoc_id")
    statement = fields.Text(
        string="What the Client Said",
        required=True,
        help="The words of the SPOC with which the go-live was agreed to be complete.",
    )
    evidence = fields.Text(
        string="Where It Was Said",
        required=True,
        help="An e-mail, the minutes of a meeting, a link.",
    )

    def action_confirm(self):
        """Record the agreement of the client.

        :raises UserError: without the words of the SPOC, or for a phase not live
        """
        self.ensure_one()
        self.phase_id._complete(self.statement, self.evidence)
        return {"type": "ir.actions.act_window_close"}
