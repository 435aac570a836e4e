from odoo import fields, models


class ProjectWorkType(models.Model):
    _name = "project.work.type"
    _description = "Work Type"
    _inherit = ["project.lock.mixin"]
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True, copy=False, help="What rules and reports know the work type by."
    )
    sequence = fields.Integer(default=10)
    color = fields.Integer()
    active = fields.Boolean(default=True)

    _code_uniq = models.Constraint(
        "UNIQUE (code)", "There is a work type with this code already."
    )
