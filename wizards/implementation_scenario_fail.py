from odoo import fields, models


class ProjectScenarioFailWizard(models.TransientModel):
    _name = "project.scenario.fail.wizard"
    _description = "Say why a Scenario Failed"
    _inherit = ["project.values.mixin"]

    scenario_id = fields.Many2one("project.scenario", required=True, ondelete="cascade")
    expected_result = fields.Text(related="scenario_id.expected_result")
    note = fields.Text(
        string="What Went Wrong",
        required=True,
        help="What was seen instead, in the words of who tried it.",
    )

    def action_confirm(self):
        """Note that the scenario failed.

        :raises UserError: without a word, or when the flow is not being validated
        """
        self.ensure_one()
        self.scenario_id._record_run("failed", self.note)
        return {"type": "ir.actions.act_window_close"}
