from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _timesheet_create_project_prepare_values(self):
        values = super()._timesheet_create_project_prepare_values()
        if self.product_id.project_template_id.is_lifecycle:
            values["salesperson_id"] = self.order_id.user_id.id
        return values
