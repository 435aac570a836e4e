from odoo import fields, models


class ProjectRisk(models.Model):
    _inherit = "project.risk"

    origin = fields.Selection(
        selection_add=[("implementation", "Implementation")],
        ondelete={"implementation": "cascade"},
    )
