from odoo import fields, models


class ProjectApproach(models.Model):
    _name = "project.approach"
    _description = "Implementation Approach"
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
        "The factor of an approach lies above 0 and is 100 at most.",
    )

    def write(self, vals):
        result = super().write(vals)
        if "factor" in vals:
            # sudo: the effort model is the same for all projects, whoever changes it
            self.env["project.project"].sudo().search(
                [("approach_id", "in", self.ids)]
            )._update_findings()
        return result
