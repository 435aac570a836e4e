from odoo import api, fields, models
from odoo.exceptions import UserError


class ProjectApproach(models.Model):
    _name = "project.approach"
    _description = "Implementation Approach"
    _inherit = ["project.lock.mixin"]
    _order = "sequence, name, id"

    active = fields.Boolean(default=True, export_string_translation=False)
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10, export_string_translation=False)
    factor = fields.Float(
        default=1,
        required=True,
        help="The standard hours of each application are multiplied by this figure.",
    )
    description = fields.Text(translate=True, help="When to choose this approach.")

    _factor_positive = models.Constraint(
        "CHECK (factor > 0 AND factor <= 100)",
        "The factor of an approach must be above 0 and at most 100.",
    )

    def write(self, vals):
        result = super().write(vals)
        if "factor" in vals:
            self.env["project.feasibility.change"]._note(self)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: projects of other companies follow it, too
        Project = self.env["project.project"].sudo().with_context(active_test=False)
        project = Project.search([("approach_id", "in", self.ids)], limit=1)
        if project:
            raise UserError(
                self.env._(
                    "“%(approach)s” is the approach of projects, such as %(project)s. "
                    "Archive it instead: it is then no longer offered.",
                    approach=project.approach_id.name,
                    project=project.name,
                )
            )
