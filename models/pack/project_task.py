from odoo import fields, models


class ProjectTask(models.Model):
    _inherit = "project.task"

    work_type_id = fields.Many2one(
        "project.work.type",
        ondelete="restrict",
        index="btree_not_null",
        help="Proposed for the time that is logged on this task.",
    )
    is_lifecycle = fields.Boolean(
        related="project_id.is_lifecycle", export_string_translation=False
    )
    pack_purchased_hours = fields.Float(related="project_id.pack_purchased_hours")
    pack_remaining_hours = fields.Float(related="project_id.pack_remaining_hours")
