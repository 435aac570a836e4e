from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _action_confirm(self):
        result = super()._action_confirm()
        self.order_line._update_scope()
        return result

    def write(self, vals):
        result = super().write(vals)
        if "project_id" in vals:
            self.order_line._update_scope()
        if vals.get("state", "sale") != "sale" or "project_id" in vals:
            # sudo: the salesperson of an order need not see its packs and projects
            self.sudo().order_line._get_checked_projects()._update_findings()
        return result
