from odoo import fields, models


class ProjectProjectStage(models.Model):
    _inherit = "project.project.stage"

    work_type_id = fields.Many2one(
        "project.work.type",
        ondelete="restrict",
        help="Proposed for time that is logged while a project is in this stage, "
        "unless the task says otherwise.",
    )
