from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleOrder(models.Model):
    _inherit = "sale.order"

    pack_count = fields.Integer(compute="_compute_pack_count", compute_sudo=True)

    @api.depends("order_line.pack_ids")
    def _compute_pack_count(self):
        for order in self:
            order.pack_count = len(order.order_line.pack_ids)

    def _action_confirm(self):
        result = super()._action_confirm()
        self.order_line._update_packs()
        return result

    def write(self, vals):
        if vals.get("state", "sale") != "sale":
            self._check_packs_unused()
        result = super().write(vals)
        if vals.get("state", "sale") != "sale":
            # sudo: see _check_packs_unused
            packs = self.sudo().order_line.pack_ids.filtered("cancelled")
            projects = packs.project_id
            packs._release_time()
            projects._cover_time()
        if "project_id" in vals:
            self.order_line._update_packs()
        return result

    def unlink(self):
        # The lines of an order are deleted by the database, which knows no packs.
        # sudo: see _check_packs_unused
        packs = self.sudo().order_line.pack_ids
        self.check_access("unlink")
        self._unlink_except_draft_or_cancel()
        packs.unlink()
        return super().unlink()

    def _check_packs_unused(self):
        """Keep orders whose hours are used.

        :raises UserError: time was deducted from a pack of the order
        """
        # sudo: the salesperson of the order need not see the project
        for pack in self.sudo().order_line.pack_ids:
            if not pack.cancelled and pack.consumed_hours:
                raise UserError(
                    self.env._(
                        "%(order)s cannot be cancelled: %(hours)s hours of its "
                        "consultancy pack are used already. Reduce the quantity to "
                        "these hours, or have a manager write them off.",
                        order=pack.sale_line_id.order_id.name,
                        hours=round(pack.consumed_hours, 2),
                    )
                )

    def _get_prepaid_service_lines_to_upsell(self):
        # The alerts of a pack tell the same to more people, and earlier
        lines = super()._get_prepaid_service_lines_to_upsell()
        return lines.filtered(lambda line: not line.product_id.is_consultancy_pack)

    def action_view_packs(self):
        """Open the consultancy packs that this order sold."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.pack_action"
        ) | {"domain": [("sale_line_id.order_id", "=", self.id)], "context": {}}
