import json
import logging
import math
from contextlib import contextmanager
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import float_compare, float_round, format_date

_logger = logging.getLogger(__name__)

# Hours are compared at a millionth, which is less than four milliseconds: sums of
# fractions such as 0.1 and 1/3 come out the same whatever the order of the lines.
HOUR_DIGITS = 6
# What the lines of time and the cron tell, and nobody else.
COMPUTED_FIELDS = {"alerted_usage", "consumed_hours", "remaining_hours", "usage"}
# The pace of a project is that of its last four weeks.
PACE_DAYS = 28


class ProjectConsultancyPack(models.Model):
    _name = "project.consultancy.pack"
    _description = "Consultancy Pack"
    _inherit = ["mail.thread", "mail.activity.mixin"]
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
        ondelete="cascade",  # packs that are used keep their order: _check_can_cancel
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
        precompute=True,
        copy=False,
        tracking=True,
    )
    # Stored, although the lines tell them: reading the balance must not take longer
    # for a project with a million lines, and lists filter and sort by them. They change
    # in one and the same UPDATE of the pack.
    consumed_hours = fields.Float(
        string="Used Hours",
        compute="_compute_consumed_hours",
        store=True,
        help="Hours logged on the project and deducted from this pack.",
    )
    remaining_hours = fields.Float(
        compute="_compute_remaining_hours",
        store=True,
        help="Hours bought less hours used. Below zero the pack is overrun.",
    )
    usage = fields.Float(
        string="Used (%)",
        compute="_compute_remaining_hours",
        store=True,
        aggregator="avg",
        help="Hours used as a percentage of the hours bought.",
    )
    state = fields.Selection(
        [
            ("active", "Active"),
            ("exhausted", "Exhausted"),
            ("expired", "Expired"),
            ("cancelled", "Cancelled"),
        ],
        compute="_compute_state",
        search="_search_state",
    )
    line_ids = fields.One2many(
        "account.analytic.line", "pack_id", string="Time", readonly=True
    )
    written_off_hours = fields.Float(
        compute="_compute_written_off_hours",
        compute_sudo=True,
        help="Hours logged that are not deducted, because a manager wrote them off.",
    )
    forecast_date = fields.Date(
        string="Runs Out On",
        compute="_compute_forecast_date",
        compute_sudo=True,
        help="When no hours are left, at the pace of the last four weeks.",
    )
    burn_down = fields.Text(compute="_compute_burn_down", compute_sudo=True)
    alerted_usage = fields.Integer(
        readonly=True,
        copy=False,
        help="The highest threshold, in percent, that people were told about.",
    )

    _sale_line_uniq = models.UniqueIndex(
        "(sale_line_id) WHERE sale_line_id IS NOT NULL",
        "There is a consultancy pack for this sales order item already.",
    )
    # ------------------------------------------------------------------
    # Computed fields
    # ------------------------------------------------------------------
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

    @api.depends("sale_line_id.state")
    def _compute_cancelled(self):
        for pack in self:
            line = pack.sale_line_id
            pack.cancelled = line.state != "sale" if line else pack.cancelled

    @api.depends(
        "line_ids.unit_amount", "line_ids.product_uom_id", "line_ids.pack_write_off"
    )
    def _compute_consumed_hours(self):
        hours = self._sum_hours(Domain("pack_write_off", "=", False))
        for pack in self:
            pack.consumed_hours = hours.get(pack.id, 0.0)

    @api.depends("purchased_hours", "consumed_hours")
    def _compute_remaining_hours(self):
        for pack in self:
            used, bought = pack.consumed_hours, pack.purchased_hours
            pack.remaining_hours = float_round(
                bought - used, precision_digits=HOUR_DIGITS
            )
            pack.usage = 100 * used / bought if bought else 100.0 * bool(used)

    @api.depends("cancelled", "remaining_hours", "date_end")
    def _compute_state(self):
        today = fields.Date.context_today(self)
        for pack in self:
            if pack.cancelled:
                pack.state = "cancelled"
            elif pack.remaining_hours <= 0:
                pack.state = "exhausted"
            elif pack.date_end and pack.date_end < today:
                pack.state = "expired"
            else:
                pack.state = "active"

    @api.model
    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        valid = Domain("cancelled", "=", False)
        left = valid & Domain("remaining_hours", ">", 0)
        domains = {
            "cancelled": ~valid,
            "exhausted": valid & Domain("remaining_hours", "<=", 0),
            "expired": left & Domain("date_end", "<", today),
            "active": left
            & (Domain("date_end", "=", False) | Domain("date_end", ">=", today)),
        }
        return Domain.OR(domains[state] for state in value if state in domains)

    def _compute_written_off_hours(self):
        hours = self._sum_hours(Domain("pack_write_off", "=", True))
        for pack in self:
            pack.written_off_hours = hours.get(pack._origin.id, 0.0)

    @api.depends("remaining_hours", "cancelled", "project_id")
    def _compute_forecast_date(self):
        today = fields.Date.context_today(self)
        running = self.filtered(
            lambda pack: not pack.cancelled and pack.remaining_hours > 0
        )
        (self - running).forecast_date = False
        pace = running.project_id._get_pack_pace()
        before = running._get_remaining_before()
        for pack in running:
            hours_a_day = pace.get(pack.project_id.id)
            pack.forecast_date = bool(hours_a_day) and today + timedelta(
                days=math.ceil(
                    min((before[pack] + pack.remaining_hours) / hours_a_day, 36500)
                )
            )

    def _get_remaining_before(self):
        """Return the hours that are used up before the turn of each pack comes.

        :return: dict from each pack of ``self`` to hours
        """
        result = dict.fromkeys(self, 0.0)
        for packs in self._get_available(self.project_id).values():
            hours = 0.0
            for pack in packs:
                if pack in result:
                    result[pack] = hours
                hours += max(pack.remaining_hours, 0.0)
        return result

    def _compute_burn_down(self):
        Line = self.env["account.analytic.line"]
        domain = Domain("pack_id", "in", self.ids) & Domain("pack_write_off", "=", False)
        used = {}
        for pack, week, uom, hours in Line._read_group(
            domain, ["pack_id", "date:week", "product_uom_id"], ["unit_amount:sum"]
        ):
            weeks = used.setdefault(pack.id, {})
            weeks[week] = weeks.get(week, 0.0) + self._to_hours(hours, uom)
        for pack in self:
            left = pack.purchased_hours
            weeks = sorted(used.get(pack._origin.id, {}).items())
            values = [{"x": self.env._("Start"), "y": left}]
            for week, hours in weeks:
                left -= hours
                values.append(
                    {"x": format_date(self.env, week), "y": round(left, 2)}
                )
            forecast = [None] * (len(values) - 1) + [values[-1]["y"]]
            if pack.forecast_date:
                values.append({"x": format_date(self.env, pack.forecast_date)})
                forecast.append(0.0)
            pack.burn_down = json.dumps(
                [
                    {
                        "key": self.env._("Hours left"),
                        "values": values,
                        "forecast": forecast if pack.forecast_date else [],
                        "forecast_key": self.env._("Forecast"),
                    }
                ]
            )

    def _sum_hours(self, domain):
        """Return the hours of the lines of each pack, in one query.

        :param domain: which lines count
        :return: dict from pack id to hours
        """
        groups = self.env["account.analytic.line"]._read_group(
            domain & Domain("pack_id", "in", self.ids),
            ["pack_id", "product_uom_id"],
            ["unit_amount:sum"],
        )
        hours = {}
        for pack, uom, amount in groups:
            hours[pack.id] = hours.get(pack.id, 0.0) + self._to_hours(amount, uom)
        return {
            pack_id: float_round(total, precision_digits=HOUR_DIGITS)
            for pack_id, total in hours.items()
        }

    @api.model
    def _to_hours(self, quantity, uom):
        """Convert a quantity of time into hours, without rounding.

        :param float quantity: in ``uom``
        :param uom: unit of measure; empty for hours
        :raise UserError: the unit has nothing to do with hours
        """
        # By the id alone: the record itself would be looked up for each line
        hour_id = self.env["ir.model.data"]._xmlid_to_res_id("uom.product_uom_hour")
        if not uom or uom.id == hour_id:
            return quantity
        hour = self.env["uom.uom"].browse(hour_id or ()).exists()
        if not hour or not uom._has_common_reference(hour):
            raise UserError(
                self.env._(
                    "%s cannot be converted into hours. Use hours or days as the unit "
                    "of measure of time and of consultancy packs.",
                    uom.name,
                )
            )
        return uom._compute_quantity(quantity, hour, round=False)

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------
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
                        "%s is no client implementation project. Consultancy packs "
                        "are for those only.",
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
        groups = self.env["account.analytic.line"].sudo()._read_group(
            [("pack_id", "in", used.ids)], ["pack_id"], ["date:min", "date:max"]
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

    # ------------------------------------------------------------------
    # Create, write, delete
    # ------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_not_computed(vals)
            if vals.get("sale_line_id"):
                vals.pop("purchased_hours", None)  # the order line tells them
        packs = super().create(vals_list)
        packs.project_id._cover_time()
        return packs

    def write(self, vals):
        self._check_not_computed(vals)
        if vals.keys() & {"sale_line_id", "purchased_hours", "cancelled"}:
            self._check_without_order()
        if vals.get("cancelled"):
            self._check_unused(
                lambda pack: True,
                self.env._(
                    "%(pack)s is used already: %(hours)s hours were logged on "
                    "%(project)s. It cannot be cancelled."
                ),
            )
        if "project_id" in vals:
            self._check_unused(
                lambda pack: pack.project_id.id != vals["project_id"],
                self.env._(
                    "%(pack)s is used already: %(hours)s hours were logged on "
                    "%(project)s. It cannot go to another project."
                ),
            )
        with self._refuse_less_than_used():
            result = super().write(vals)
        if vals.keys() & {"project_id", "cancelled"}:
            self.project_id._cover_time()
        return result

    def _check_not_computed(self, vals):
        """Keep people from writing what the lines of time tell.

        :raise AccessError: a computed figure is among the values
        """
        if COMPUTED_FIELDS & vals.keys() and not self.env.su:
            raise AccessError(
                self.env._(
                    "The hours used and left come from the time that is logged. They "
                    "cannot be written."
                )
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
            lambda pack: True,
            self.env._(
                "%(pack)s is used already: %(hours)s hours were logged on %(project)s. "
                "It cannot be deleted."
            ),
        )
        for pack in self:
            if pack.sale_line_id and not pack.cancelled:
                raise UserError(
                    self.env._(
                        "%(pack)s was sold with %(order)s. Cancel the order instead.",
                        pack=pack.name,
                        order=pack.sale_line_id.order_id.name,
                    )
                )

    def _check_unused(self, condition, message):
        """Refuse a change to packs that time was deducted from or written off.

        :param condition: which packs would change
        :param str message: with ``pack``, ``hours`` and ``project``
        :raise UserError: with the message about the first pack that is used
        """
        # sudo: the time of others counts as well
        lines = self.env["account.analytic.line"].sudo()
        groups = lines._read_group(
            [("pack_id", "in", self.filtered(condition).ids)],
            ["pack_id"],
            ["unit_amount:sum"],
        )
        for pack, hours in groups:
            raise UserError(
                message
                % {
                    "pack": pack.name,
                    "hours": round(hours, 2),
                    "project": pack.project_id.name,
                }
            )

    @contextmanager
    def _refuse_less_than_used(self):
        """Refuse what takes hours away from packs that are used up by it.

        A pack that is overrun already may get more hours, even if not enough.

        :raise UserError: a pack would have less hours than were used
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

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------
    def action_cancel(self):
        """Take the hours of packs without an order out of their projects.

        :raise UserError: hours were used, or an order decides
        """
        return self.write({"cancelled": True})

    def action_reactivate(self):
        """Give cancelled packs without an order back to their projects.

        :raise UserError: an order decides
        """
        return self.write({"cancelled": False})

    def action_renew(self):
        """Open a quotation for another pack of the same kind (`methodology.md` 6).

        :raise UserError: nobody may or can sell to this project
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

    # ------------------------------------------------------------------
    # Which pack time is deducted from
    # ------------------------------------------------------------------
    @api.model
    def _get_available(self, projects):
        """Return the packs of each project, in the order in which they are used.

        :return: dict from project (sudo) to packs, the oldest first
        """
        # sudo: whoever logs time need not see packs
        packs = self.sudo().search_fetch(
            [("project_id", "in", projects.ids), ("cancelled", "=", False)],
            [
                "alerted_usage",
                "cancelled",
                "company_id",
                "create_date",
                "date_end",
                "date_start",
                "project_id",
                "purchased_hours",
                "remaining_hours",
                "sale_line_id",
                "usage",
            ],
            order="id",
        )
        return packs.sorted(
            lambda pack: (pack.date_start or pack.create_date.date(), pack.id)
        ).grouped("project_id")

    def _is_valid_on(self, date):
        """Return whether time of ``date`` lies in the validity of the pack."""
        return not date or (
            (not self.date_start or self.date_start <= date)
            and (not self.date_end or date <= self.date_end)
        )

    # ------------------------------------------------------------------
    # Alerts
    # ------------------------------------------------------------------
    def _get_due_threshold(self):
        """Return the threshold, in percent, that people must be told about, or 0."""
        self.ensure_one()
        if self.cancelled or not self.project_id:
            return 0
        reached = [
            threshold
            for threshold in self.company_id._get_pack_alert_thresholds()
            if self.alerted_usage < threshold <= round(self.usage, HOUR_DIGITS)
        ]
        return reached[-1] if reached else 0

    @api.model
    def _cron_alert(self):
        """Tell people about packs that reach a threshold, and about time without pack.

        Each pack is committed on its own, with its mails still in the queue: a run that
        dies half way is continued by the next one and nobody is told twice.
        """
        packs = self._search_to_alert()
        projects = self.env["project.project"]._search_to_alert_uncovered()
        Cron = self.env["ir.cron"]
        Cron._commit_progress(remaining=len(packs) + len(projects))
        for record in [*packs, *projects]:
            # Somebody else is at it: the next run sees what is left
            if record.try_lock_for_update():
                try:
                    with self.env.cr.savepoint():
                        record._alert()
                except Exception:
                    # A broken template must not keep the others from being told
                    _logger.exception("No alert about %s", record)
            if not Cron._commit_progress(1):
                break

    @api.model
    def _search_to_alert(self):
        """Return the packs that people must be told about."""
        domain = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("usage", ">=", threshold - 10**-HOUR_DIGITS)
            & Domain("alerted_usage", "<", threshold)
            for company in self.env["res.company"].sudo().search([])
            for threshold in company._get_pack_alert_thresholds()
        )
        return self.search(
            domain & Domain("cancelled", "=", False) & Domain("project_id", "!=", False)
        ).filtered(lambda pack: pack._get_due_threshold())

    def _alert(self):
        """Tell consultant, salesperson and SPOC how much of the pack is used."""
        self.ensure_one()
        threshold = self._get_due_threshold()
        if not threshold:
            return
        self.alerted_usage = threshold
        project = self.project_id
        for user in project.user_id | project.salesperson_id:
            pack = self.with_context(lang=user.lang)
            pack.activity_schedule(
                "project_lifecycle.mail_activity_type_pack",
                user_id=user.id,
                summary=pack.env._("%s %% of the pack are used", threshold),
                note=pack.env._(
                    "%(project)s: %(used)s of %(bought)s hours are used, %(left)s are "
                    "left.",
                    project=project.name,
                    used=round(self.consumed_hours, 2),
                    bought=round(self.purchased_hours, 2),
                    left=round(self.remaining_hours, 2),
                ),
            )
        if project.spoc_id.email:
            self.env.ref("project_lifecycle.mail_template_pack_alert").send_mail(
                self.id
            )
