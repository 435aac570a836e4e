from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_duration


class ProjectProject(models.Model):
    """Selling another pack of hours."""

    _inherit = "project.project"

    def action_renew_pack(self):
        """Open a quotation for another pack of hours (`methodology.md` 2 and 6).

        :raises UserError: nobody may or can sell to this project
        """
        self.ensure_one()
        return self._renew_pack(self.pack_ids.sorted("id")[-1:])

    def _renew_pack(self, pack):
        """Make a quotation for hours like those of ``pack``, or ask for one.

        People who cannot make quotations ask the salesperson by an activity.

        :param pack: the pack to renew; empty to sell the shipped product
        :return: action that opens the quotation, or that tells about the activity
        :raises UserError: the project has no client or nobody to sell to it
        """
        self.ensure_one()
        self.check_access("read")
        Order = self.env["sale.order"]
        if not self.partner_id:
            raise UserError(
                self.env._("Choose the client of %s before you sell hours.", self.name)
            )
        if not Order.has_access("create"):
            return self._ask_for_renewal()
        pack_sudo = pack.sudo()  # sudo: the order of a colleague says what was sold
        sale_line = pack_sudo.sale_line_id
        product = sale_line.product_id
        if not (product.active and product.is_consultancy_pack):
            sale_line = sale_line.browse()
            product = self._get_pack_product()
        order = Order.with_company(pack_sudo.company_id or self.company_id).create(
            {
                "partner_id": (
                    sale_line.order_id.partner_id or self.sudo().partner_id
                ).id,
                "project_id": self.id,
                "origin": sale_line.order_id.name,
                "company_id": (
                    pack_sudo.company_id or self.company_id or self.env.company
                ).id,
                "order_line": [
                    fields.Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": sale_line.product_uom_qty
                            or pack_sudo.purchased_hours
                            or 40,
                            "product_uom_id": (
                                sale_line.product_uom_id or product.uom_id
                            ).id,
                        }
                    )
                ],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "view_mode": "form",
            "res_id": order.id,
        }

    @api.model
    def _get_pack_product(self):
        """Return the product that hours are sold with when no former pack tells."""
        template = self.env.ref(
            "project_lifecycle.product_template_consultancy_pack",
            raise_if_not_found=False,
        )
        product = template and template.product_variant_id
        if not product or not product.active or not product.is_consultancy_pack:
            product = self.env["product.product"].search(
                [("is_consultancy_pack", "=", True), ("sale_ok", "=", True)], limit=1
            )
        if not product:
            raise UserError(
                self.env._(
                    "There is no product to sell hours with. Mark a service as "
                    "consultancy pack first."
                )
            )
        return product

    def _ask_for_renewal(self):
        salesperson = self.salesperson_id
        if not salesperson:
            raise UserError(
                self.env._(
                    "Only salespersons make quotations, and %s has none. Choose its "
                    "salesperson first.",
                    self.name,
                )
            )
        # sudo: whoever reads the project may ask its salesperson for hours
        project_sudo = self.sudo().with_context(lang=salesperson.lang)
        project_sudo.activity_schedule(
            "project_lifecycle.mail_activity_type_pack",
            user_id=salesperson.id,
            summary=project_sudo.env._("Renew the consultancy pack"),
            note=project_sudo.env._(
                "%(user)s asks for a quotation: %(hours)s hours are left.",
                user=self.env.user.name,
                hours=format_duration(self.pack_remaining_hours),
            ),
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%s was asked to renew the consultancy pack.", salesperson.name
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
