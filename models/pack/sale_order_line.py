from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..lifecycle.project_lock import unlocked


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    pack_ids = fields.One2many(
        "project.consultancy.pack",
        "sale_line_id",
        string="Consultancy Pack",
        groups="sales_team.group_sale_salesman,project.group_project_user",
    )

    @api.constrains("product_id", "product_uom_id", "product_uom_qty")
    def _check_consultancy_pack(self):
        Template = self.env["product.template"]
        for line in self:
            if not line.product_id.is_consultancy_pack:
                continue
            Template._check_unit_of_time(line.product_uom_id, line.product_id.name)
            if line.product_uom_qty < 0 and line.order_id.state == "sale":
                raise ValidationError(
                    self.env._(
                        "%s is a consultancy pack: its quantity cannot be negative. "
                        "To take hours back, reduce the quantity of the order that "
                        "sold them.",
                        line.product_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._update_packs()
        return lines

    def write(self, vals):
        # sudo: see sale.order._check_packs_unused
        packs = self.sudo().pack_ids
        product = self.env["product.product"].browse(vals.get("product_id"))
        if packs and product and not product.is_consultancy_pack:
            raise UserError(
                self.env._(
                    "The client has the consultancy pack %s by this order line. Its "
                    "product cannot be exchanged for one that is not a pack.",
                    packs[0].name,
                )
            )
        order = self.env["sale.order"].browse(vals.get("order_id"))
        if order and order.state != "sale":
            self.order_id._check_packs_unused()
        with packs._refuse_less_than_used():
            result = super().write(vals)
        if vals.keys() & {"product_id", "product_uom_qty", "project_id"}:
            self._update_packs()
        if "qty_delivered" in vals:
            packs.sale_line_id.invalidate_recordset(["qty_delivered"])  # as deducted
        return result

    def unlink(self):
        # sudo: see sale.order._check_packs_unused
        packs = self.sudo().pack_ids
        self.check_access("unlink")
        self._unlink_except_used_pack()
        packs.filtered("cancelled").unlink()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used_pack(self):
        # sudo: see sale.order._check_packs_unused
        self.sudo().pack_ids._unlink_except_used()

    def _timesheet_service_generation(self):
        # A pack for a client project goes to that project and makes no other one
        for line in self:
            if line.product_id.is_consultancy_pack and not line.project_id:
                line.project_id = line.order_id.project_id.filtered(
                    lambda project: project.is_lifecycle and not project.is_template
                )
        return super()._timesheet_service_generation()

    def _update_packs(self):
        """Make the consultancy packs that confirmed order lines sell.

        They go to the project of the line, else to the client project of the order.
        Where there is none yet, the pack waits for it without a project. Nothing
        happens to packs that are there already.
        """
        # sudo: salespersons sell packs, but need not see or change projects
        lines = self.sudo().filtered(
            lambda line: (
                line.order_id.state == "sale"
                and not line.display_type
                and line.product_id.is_consultancy_pack
            )
        )
        if not lines:
            return
        lines._check_consultancy_pack()
        projects = {line: line._get_pack_project() for line in lines}
        for line, project in projects.items():
            if project and not line.project_id:
                # Who may see the project may see what was sold for it
                line.project_id = project
        unlocked(lines.pack_ids).create(
            [
                {"sale_line_id": line.id, "project_id": projects[line].id}
                for line in lines
                # Sold for a project of stock Odoo, they are what they were there
                if not line.pack_ids and (projects[line] or not line._get_project())
            ]
        )
        for pack in lines.pack_ids:
            project = projects[pack.sale_line_id]
            if project and not pack.project_id:
                pack.project_id = project
        # An order that was cancelled and is confirmed again brings its packs back
        lines.pack_ids.project_id._cover_time()

    def _get_project(self):
        """Return the project that the line was sold for, of whatever kind."""
        self.ensure_one()
        return self.project_id or self.order_id.project_id

    def _get_pack_project(self):
        """Return the client project that the pack of the line is for, if any."""
        self.ensure_one()
        order = self.order_id
        projects = self.project_id | order.project_id | order.order_line.project_id
        return projects.filtered(
            lambda project: project.is_lifecycle and not project.is_template
        )[:1]
