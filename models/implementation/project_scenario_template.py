from odoo import fields, models


class ProjectScenarioTemplate(models.Model):
    _name = "project.scenario.template"
    _description = "Template of a Scenario"
    _order = "application_id, sequence, id"

    active = fields.Boolean(default=True, export_string_translation=False)
    name = fields.Char(
        string="Task",
        required=True,
        translate=True,
        help="What the user is asked to do alone, such as: give 10 % discount on a "
        "quotation.",
    )
    sequence = fields.Integer(default=10, export_string_translation=False)
    application_id = fields.Many2one(
        "project.application", required=True, index=True, ondelete="cascade"
    )
    flow_template_id = fields.Many2one(
        "project.flow.template",
        string="Business Flow",
        index="btree_not_null",
        ondelete="cascade",
        domain="[('application_id', '=', application_id)]",
        help="Empty: for the first flow of a project with this application.",
    )
    expected_result = fields.Text(required=True, translate=True)
