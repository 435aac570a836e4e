from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    application_id = fields.Many2one(
        "project.application",
        index="btree_not_null",
        ondelete="set null",
        help="Selling this product puts the application into the scope of the client "
        "project.",
    )

    def write(self, vals):
        if "application_id" not in vals:
            return super().write(vals)
        Change = self.env["project.feasibility.change"]
        Change._note(self.application_id)
        result = super().write(vals)
        Change._note(self.application_id)
        return result
