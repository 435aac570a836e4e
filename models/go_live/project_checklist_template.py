from odoo import fields, models


class ProjectChecklistTemplate(models.Model):
    _inherit = "project.checklist.template"

    kind = fields.Selection(
        selection_add=[("go_live", "Go-live")], ondelete={"go_live": "cascade"}
    )
