from odoo import api, models


class ProductProduct(models.Model):
    _inherit = "product.product"

    @api.model_create_multi
    def create(self, vals_list):
        # Before the defaults of the product come in, which would count as chosen
        return super().create(
            [
                (self.env["product.template"]._get_pack_defaults() | vals)
                if vals.get("is_consultancy_pack")
                else vals
                for vals in vals_list
            ]
        )
