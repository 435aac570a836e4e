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
