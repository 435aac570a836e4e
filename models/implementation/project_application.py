from odoo import fields, models


class ProjectApplication(models.Model):
    _inherit = "project.application"

    flow_template_ids = fields.One2many(
        "project.flow.template",
        "application_id",
        string="Business Flows",
        help="What a phase that brings this application is proposed.",
    )
