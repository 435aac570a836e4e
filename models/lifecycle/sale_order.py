from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _action_confirm(self):
        result = super()._action_confirm()
        # Stock Odoo gives a generated project the company of its template. The
        # template is shared, but a client project belongs to the firm that sold it.
        for order in self.sudo():  # salespersons may not write projects
            order.project_ids.filtered(
                lambda project: project.is_lifecycle and not project.company_id
            ).company_id = order.company_id
        return result
