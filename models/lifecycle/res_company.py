from odoo import api, fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    project_director_id = fields.Many2one(
        "res.users",
        groups="base.group_user",
        domain="[('share', '=', False), ('company_ids', 'in', id)]",
        help="Told when a new client project has no consultant yet.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        # sudo: whoever may create a company need not be allowed to edit products
        self.env["product.template"].sudo()._set_implementation_template(companies)
        return companies
