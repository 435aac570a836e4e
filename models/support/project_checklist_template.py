from odoo import fields, models


class ProjectChecklistTemplate(models.Model):
    _inherit = "project.checklist.template"

    kind = fields.Selection(
        selection_add=[("support", "Support")], ondelete={"support": "cascade"}
    )
