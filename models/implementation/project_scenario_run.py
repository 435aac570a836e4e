from odoo import fields, models


class ProjectScenarioRun(models.Model):
    """How one try of a scenario went. History: nobody may write it.

    Made by :meth:`~.ProjectScenario._record_run` and by nothing else.
    """

    _name = "project.scenario.run"
    _description = "Try of a Scenario"
    _order = "id desc"
    _rec_name = "scenario_id"

    scenario_id = fields.Many2one(
        "project.scenario", required=True, index=True, ondelete="cascade"
    )
    project_id = fields.Many2one(related="scenario_id.project_id")
    company_id = fields.Many2one(related="scenario_id.company_id")
    flow_id = fields.Many2one(related="scenario_id.flow_id")
    name = fields.Char(help="What the user was asked to do then.")
    cycle_id = fields.Many2one(
        "project.flow.cycle",
        index="btree_not_null",
        ondelete="cascade",
        help="The cycle of the flow that was validated with it.",
    )
    occasion = fields.Selection(
        [("validation", "Validation")], required=True, default="validation"
    )
    result = fields.Selection(
        [("passed", "Passed"), ("failed", "Failed")], required=True
    )
    note = fields.Text(help="What was seen, or what went wrong.")
    expected_result = fields.Text(help="What was expected then.")
    partner_id = fields.Many2one(
        "res.partner", string="Noted By", required=True, ondelete="restrict"
    )
    date = fields.Datetime(required=True)
