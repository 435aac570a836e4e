from odoo import api, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    @api.model
    def _set_implementation_template(self, companies=None):
        """Give the shipped Implementation product its project template.

        The template of a product is kept per company, so that a data file would set
        it for one company only. What a company chose itself stays.

        :param companies: the companies to set it for; all of them by default
        """
        product = self.env.ref(
            "project_lifecycle.product_template_implementation",
            raise_if_not_found=False,
        )
        template = self.env.ref(
            "project_lifecycle.project_template_implementation",
            raise_if_not_found=False,
        )
        if not product or not template:
            return
        if companies is None:
            # There are few companies, and all of them need it.
            companies = self.env["res.company"].search([])  # pylint: disable=no-search-all
        for company in companies:
            product_in_company = product.with_company(company)
            if not product_in_company.project_template_id:
                product_in_company.project_template_id = template
