from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import float_compare, format_date

from ..lifecycle.project_lock import unlocked

# Hours are compared at a millionth, which is less than four milliseconds: sums of
# fractions such as 0.1 and 1/3 come out the same whatever the order of the lines.
HOUR_DIGITS = 6


class ProjectConsultancyPack(models.Model):
    _name = "project.consultancy.pack"
    _description = "Consultancy Pack"
    _inherit = ["project.lock.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(
        compute="_compute_name", store=True, readonly=False, precompute=True
    )
    project_id = fields.Many2one(
        "project.project",
        index="btree_not_null",
        check_company=True,
        ondelete="restrict",
        tracking=True,
        domain="[('is_lifecycle', '=', True), ('is_template', '=', False)]",
        help="The client project whose time is deducted from this pack.",
    )
    user_id = fields.Many2one(related="project_id.user_id", string="Consultant")
    partner_id = fields.Many2one(
        "res.partner",
        string="Client",
        compute="_compute_partner_id",
        store=True,
        precompute=True,
        index="btree_not_null",
    )
    company_id = fields.Many2one(
        "res.company",
        compute="_compute_company_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        index=True,
    )
    sale_line_id = fields.Many2one(
        "sale.order.line",
        string="Sales Order Item",
        readonly=True,
        copy=False,
        check_company=True,
        ondelete="cascade",  # packs that are used keep their order
        help="The order that the hours were sold with. Packs can exist without one.",
    )
    order_id = fields.Many2one(
        related="sale_line_id.order_id", groups="sales_team.group_sale_salesman"
    )
    purchased_hours = fields.Float(
        compute="_compute_purchased_hours",
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
        help="Hours that the client bought. Of a pack sold in days it is what the "
        "unit of measure makes of them.",
    )
    date_start = fields.Date(string="Valid From", tracking=True)
    date_end = fields.Date(string="Valid Until", tracking=True)
    cancelled = fields.Boolean(
        compute="_compute_cancelled",
        store=True,
        readonly=False,  # of packs without an order
        precompute=True,
        copy=False,
        tracking=True,
    )
    line_ids = fields.One2many(
        "account.analytic.line", "pack_id", string="Time", readonly=True
    )

    _sale_line_uniq = models.UniqueIndex(
        "(sale_line_id) WHERE sale_line_id IS NOT NULL",
        "There is a consultancy pack for this sales order item already.",
    )

    @api.depends("sale_line_id")
    def _compute_name(self):
        for pack in self:
            line = pack.sale_line_id
            if line:
                pack.name = f"{line.order_id.name} - {line.product_id.name}"
            else:
                pack.name = pack.name or self.env._("Consultancy Pack")

    @api.depends("project_id.partner_id", "sale_line_id.order_id.partner_id")
    def _compute_partner_id(self):
        for pack in self:
            pack.partner_id = (
                pack.project_id.partner_id or pack.sale_line_id.order_id.partner_id
            )

    @api.depends("project_id", "sale_line_id")
    def _compute_company_id(self):
        for pack in self:
            pack.company_id = (
                pack.sale_line_id.company_id
                or pack.project_id.company_id
                or pack.company_id
                or self.env.company
            )

    @api.depends("sale_line_id.product_uom_qty", "sale_line_id.product_uom_id")
    def _compute_purchased_hours(self):
        for pack in self:
            line = pack.sale_line_id
            if line:
                pack.purchased_hours = self._to_hours(
                    line.product_uom_qty, line.product_uom_id
                )
            else:
                pack.purchased_hours = pack.purchased_hours

    @api.depends("sale_line_id.order_id.state")
    def _compute_cancelled(self):
        for pack in self:
            # The state of the line itself is open to salespersons
            order = pack.sale_line_id.order_id
            pack.cancelled = order.state != "sale" if order else pack.cancelled

    @api.constrains("project_id", "sale_line_id", "company_id")
    def _check_project(self):
        for pack in self:
            project = pack.project_id
            client = pack.sale_line_id.order_id.partner_id.commercial_partner_id
            if not project:
                continue
            if not project.is_lifecycle or project.is_template:
                raise ValidationError(
                    self.env._(
                        "%s is not a client project. Consultancy packs are for "
                        "those only.",
                        project.name,
                    )
                )
            if client and client != project.partner_id.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "The pack %(pack)s was sold to %(client)s, so it cannot be "
                        "used for %(project)s, a project of %(other)s.",
                        pack=pack.name,
                        client=client.name,
                        project=project.name,
                        other=project.partner_id.commercial_partner_id.name
                        or self.env._("no client"),
                    )
                )

    @api.constrains("purchased_hours", "sale_line_id")
    def _check_purchased_hours(self):
        for pack in self:
            # The comparison is false for "not a number" too
            if not 0 <= pack.purchased_hours < 1e6 or (
                not pack.sale_line_id and not pack.purchased_hours
            ):
                raise ValidationError(
                    self.env._(
                        "The pack %s needs a number of hours above zero.", pack.name
                    )
                )

    @api.constrains("date_start", "date_end")
    def _check_dates(self):
        for pack in self:
            if pack.date_start and pack.date_end and pack.date_end < pack.date_start:
                raise ValidationError(
                    self.env._("%s cannot end before it starts.", pack.name)
                )
        used = self.filtered(lambda pack: pack.date_start or pack.date_end)
        groups = (
            self.env["account.analytic.line"]
            .sudo()
            ._read_group(
                [("pack_id", "in", used.ids)], ["pack_id"], ["date:min", "date:max"]
            )
        )  # sudo: the time of others counts as well
        for pack, first, last in groups:
            if (pack.date_start and pack.date_start > first) or (
                pack.date_end and pack.date_end < last
            ):
                raise ValidationError(
                    self.env._(
                        "The pack %(pack)s has time from %(first)s to %(last)s. Its "
                        "validity must include these dates.",
                        pack=pack.name,
                        first=format_date(self.env, first),
                        last=format_date(self.env, last),
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_values(vals)
            if vals.get("sale_line_id"):
                vals.pop("purchased_hours", None)  # the order line tells them
        packs = super().create(vals_list)
        packs.project_id._cover_time()
        return packs

    def write(self, vals):
        self._check_values(vals)
        if vals.keys() & {"sale_line_id", "purchased_hours", "cancelled"}:
            self._check_without_order()
        if vals.get("cancelled"):
            self._check_unused(
                self.env._(
                    "%(pack)s is used already: %(hours)s hours were logged on "
                    "%(project)s. It cannot be cancelled."
                )
            )
        projects = self.project_id
        leaving = self.browse()
        if "project_id" in vals:
            leaving = self.filtered(
                lambda pack: pack.project_id
                and pack.project_id.id != vals["project_id"]
            )
            leaving._check_unused(
                self.env._(
                    "%(pack)s is used already: %(hours)s hours were logged on "
                    "%(project)s. It cannot go to another project."
                )
            )
            self.check_access("write")
            leaving._release_time()
        with self._refuse_less_than_used():
            result = super().write(vals)
        if vals.get("cancelled"):
            self._release_time()
        if vals.keys() & {"project_id", "cancelled"}:
            (projects | self.project_id)._cover_time()
        return result

    def unlink(self):
        self.check_access("unlink")
        self._unlink_except_used()
        projects = self.project_id
        self._release_time()
        result = super().unlink()
        projects._cover_time()
        return result

    @api.model
    def _check_values(self, vals):
        """Refuse values that no sum and no database can hold.

        :raises ValidationError: the hours are not a number, or the name is broken
        """
        if vals.get("purchased_hours"):
            try:
                float(vals["purchased_hours"])
            except (TypeError, ValueError, OverflowError) as error:
                raise ValidationError(
                    self.env._("Write the hours of a pack as a number.")
                ) from error
        if "\0" in str(vals.get("name") or ""):
            raise ValidationError(
                self.env._("The name contains a character that cannot be stored.")
            )

    def _check_without_order(self):
        """Keep packs in step with the order that sold them.

        :raise UserError: an order decides
        """
        for pack in self:
            if pack.sale_line_id:
                raise UserError(
                    self.env._(
                        "%(pack)s was sold with %(order)s and follows that order: "
                        "change or cancel the order instead.",
                        pack=pack.name,
                        order=pack.sale_line_id.sudo().order_id.name,  # sudo: its name
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self._check_unused(
            self.env._(
                "%(pack)s is used already: %(hours)s hours were logged on %(project)s. "
                "It cannot be deleted."
            )
        )
        for pack in self:
            if pack.sale_line_id and not pack.cancelled:
                raise UserError(
                    self.env._(
                        "%(pack)s was sold with %(order)s. Cancel the order instead.",
                        pack=pack.name,
                        order=pack.sale_line_id.sudo().order_id.name,  # sudo: its name
                    )
                )

    def _check_unused(self, message):
        """Refuse a change to packs that hours were deducted from.

        :param str message: with ``pack``, ``hours`` and ``project``
        :raises UserError: with the message about the first pack that is used
        """
        for pack in self:
            if pack.consumed_hours:
                raise UserError(
                    message
                    % {
                        "pack": pack.name,
                        "hours": round(pack.consumed_hours, 2),
                        "project": pack.project_id.name,
                    }
                )

    def _release_time(self):
        """Take the lines off packs that end: those of no hours, and written off.

        Hours that somebody enters there later would be lost.
        """
        lines = self.env["account.analytic.line"].sudo()  # sudo: also that of others
        lines = lines.search([("pack_id", "in", self.ids)])
        if lines:
            unlocked(lines).write({"pack_id": False})

    @contextmanager
    def _refuse_less_than_used(self):
        """Refuse what takes hours away from packs that are used up by it.

        A pack that is overrun already may get more hours, even if not enough.

        :raises UserError: a pack would have less hours than were used
        """
        before = {pack: pack.purchased_hours for pack in self}
        yield
        for pack, hours in before.items():
            bought, used = pack.purchased_hours, pack.consumed_hours
            if (
                float_compare(bought, hours, precision_digits=HOUR_DIGITS) < 0
                and float_compare(bought, used, precision_digits=HOUR_DIGITS) < 0
            ):
                raise UserError(
                    self.env._(
                        "%(pack)s cannot have %(bought)s hours, since %(used)s were "
                        "used already. Keep at least those, or write time off first.",
                        pack=pack.name,
                        bought=round(bought, 2),
                        used=round(used, 2),
                    )
                )
        self._reset_alerts()

    def action_cancel(self):
        """Take the hours of packs without an order out of their projects.

        :raises UserError: hours were used, or an order decides
        """
        return self.write({"cancelled": True})

    def action_reactivate(self):
        """Give cancelled packs without an order back to their projects.

        :raises UserError: an order decides
        """
        return self.write({"cancelled": False})

    def action_renew(self):
        """Open a quotation for another pack of the same kind (`methodology.md` 6).

        :raises UserError: nobody may or can sell to this project
        """
        self.ensure_one()
        return self.project_id._renew_pack(self)

    def action_view_time(self):
        """Open the lines of time of this pack."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.pack_time_action"
        ) | {
            "domain": [("pack_id", "=", self.id)],
            "context": {"default_project_id": self.project_id.id, "is_timesheet": 1},
            "display_name": self.name,
        }

    def action_view_order(self):
        """Open the order that the hours were sold with."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "view_mode": "form",
            "res_id": self.sale_line_id.order_id.id,
        }
