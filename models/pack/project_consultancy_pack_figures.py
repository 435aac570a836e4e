import json
import math
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, float_round, format_date

from ..lifecycle.project_values import clean_numbers
from .project_consultancy_pack import HOUR_DIGITS

# The pace of a project is that of its last four weeks, if anything was done in them.
PACE_DAYS = 28
PACE_MINIMUM = 1.0
FORECAST_DAYS = 36500


def get_figure_domain(records, name, operator, value):
    """Return the domain of a figure that is summed: any operator, from the index.

    :param records: the model with the figure
    :param str name: the figure
    :raises UserError: it is compared with something that is not a number
    """
    if operator in ("=", "!="):
        operator, value = "in" if operator == "=" else "not in", [value]
    clean_numbers(records, name, operator, value)
    field = records._fields[name]
    return Domain.custom(
        to_sql=lambda model, alias, query: field.condition_to_sql(
            name, operator, value, model, alias, query
        )
    )


class ProjectConsultancyPack(models.Model):
    """What the lines of time tell about a pack.

    Nothing of it is stored: the hours are summed from an index when they are shown, so
    nobody who logs time waits for a colleague, and no figure can be out of date. The
    same SQL expression is what is read, searched, sorted and grouped by.
    """

    _inherit = "project.consultancy.pack"

    consumed_hours = fields.Float(
        string="Used Hours",
        compute="_compute_hours",
        search="_search_consumed_hours",
        help="Hours logged on the project and deducted from this pack.",
    )
    remaining_hours = fields.Float(
        compute="_compute_hours",
        search="_search_remaining_hours",
        help="Hours bought less hours used. Below zero the pack is overrun.",
    )
    usage = fields.Float(
        string="Used (%)",
        compute="_compute_hours",
        search="_search_usage",
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

    @api.depends(
        "purchased_hours",
        "line_ids.is_deducted",
        "line_ids.product_uom_id",
        "line_ids.unit_amount",
    )
    def _compute_hours(self):
        query = self._origin._as_query(ordered=False)
        rows = self.env.execute_query(
            query.select(
                SQL.identifier(self._table, "id"),
                self._field_to_sql(self._table, "consumed_hours", query),
            )
        )
        hours = dict(rows)
        for pack in self:
            bought, used = pack.purchased_hours, hours.get(pack._origin.id, 0.0)
            pack.consumed_hours = used
            pack.remaining_hours = float_round(
                bought - used, precision_digits=HOUR_DIGITS
            )
            pack.usage = self._to_usage(used, bought)

    @api.model
    def _to_usage(self, used, bought):
        """Return the hours used as a percentage of the hours bought."""
        return 100 * used / bought if bought else 100.0 * bool(used)

    def _field_to_sql(self, alias, field_expr, query=None):
        if field_expr not in ("consumed_hours", "remaining_hours", "usage"):
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        used = self._get_hours_sql(
            SQL("line.is_deducted AND line.pack_id = %s", SQL.identifier(alias, "id"))
        )
        if field_expr == "consumed_hours":
            return used
        bought = SQL(
            "COALESCE(%s, 0)", super()._field_to_sql(alias, "purchased_hours", query)
        )
        if field_expr == "remaining_hours":
            return SQL(
                "ROUND((%(bought)s - %(used)s)::numeric, %(digits)s)::float8",
                bought=bought,
                used=used,
                digits=HOUR_DIGITS,
            )
        return SQL(
            """(
                SELECT CASE
                       WHEN %(bought)s > 0 THEN 100 * figure.used / %(bought)s
                       WHEN figure.used > 0 THEN 100
                       ELSE 0
                       END
                  FROM (SELECT %(used)s AS used) figure
            )""",
            bought=bought,
            used=used,
        )

    @api.model
    def _get_hours_sql(self, condition):
        """Return the SQL of the hours of lines of time, whatever their units.

        :param SQL condition: which of the table ``line`` count
        """
        Line = self.env["account.analytic.line"]
        return SQL(
            """COALESCE((
                SELECT ROUND(SUM(part.quantity * %(ratio)s)::numeric,
                             %(digits)s)::float8
                  FROM (
                       SELECT line.product_uom_id, SUM(line.unit_amount) AS quantity
                         FROM account_analytic_line line
                        WHERE %(condition)s
                     GROUP BY line.product_uom_id
                       ) part
             LEFT JOIN uom_uom uom ON uom.id = part.product_uom_id
            ), 0.0)""",
            ratio=self._get_ratio_sql(SQL.identifier("uom")),
            digits=HOUR_DIGITS,
            condition=condition,
            to_flush=[
                Line._fields[name]
                for name in (
                    "is_deducted",
                    "pack_id",
                    "product_uom_id",
                    "project_id",
                    "unit_amount",
                )
            ],
        )

    @api.model
    def _get_ratio_sql(self, uom):
        """Return the SQL of how many hours a unit of measure is.

        It says the same as :meth:`_get_ratio`.

        :param SQL uom: the table of the units
        """
        return SQL(
            """(
                SELECT CASE
                       WHEN %(uom)s.id IS NULL OR %(uom)s.id = hour.id THEN 1
                       WHEN ROUND(hour.factor / %(uom)s.factor) > 1
                        AND ABS(ROUND(hour.factor / %(uom)s.factor)
                                - hour.factor / %(uom)s.factor) < 0.001
                       THEN 1 / ROUND(hour.factor / %(uom)s.factor)::float8
                       ELSE %(uom)s.factor::float8 / hour.factor::float8
                       END
                  FROM uom_uom hour
                 WHERE hour.id = %(hour_id)s
            )""",
            uom=uom,
            hour_id=self._get_hour_id(),
            to_flush=[self.env["uom.uom"]._fields["factor"]],
        )

    @api.model
    def _get_hour_id(self):
        return self.env["ir.model.data"]._xmlid_to_res_id("uom.product_uom_hour")

    @api.model
    def _get_ratio(self, uom):
        """Return how many hours a unit of measure is.

        A part of an hour is exactly that: Odoo has 0.0166667 hours for a minute.

        :param uom: unit of measure; empty for hours
        :raises UserError: the unit has nothing to do with hours
        """
        # By the id alone: the record itself would be looked up for each line
        hour_id = self._get_hour_id()
        if not uom or uom.id == hour_id:
            return 1.0
        hour = self.env["uom.uom"].browse(hour_id or ()).exists()
        if not hour or not uom._has_common_reference(hour):
            raise UserError(
                self.env._(
                    "%s cannot be converted into hours. Use hours or days as the unit "
                    "of measure of time and of consultancy packs.",
                    uom.name,
                )
            )
        parts = hour.factor / uom.factor
        if round(parts) > 1 and abs(round(parts) - parts) < 0.001:
            return 1 / round(parts)
        return uom.factor / hour.factor

    @api.model
    def _to_hours(self, quantity, uom):
        """Convert a quantity of time into hours, without rounding.

        :param float quantity: in ``uom``
        :param uom: unit of measure; empty for hours
        :raises UserError: the unit has nothing to do with hours
        """
        return quantity * self._get_ratio(uom)

    @api.model
    def _search_consumed_hours(self, operator, value):
        return get_figure_domain(self, "consumed_hours", operator, value)

    @api.model
    def _search_remaining_hours(self, operator, value):
        return get_figure_domain(self, "remaining_hours", operator, value)

    @api.model
    def _search_usage(self, operator, value):
        return get_figure_domain(self, "usage", operator, value)

    @api.depends("cancelled", "remaining_hours", "date_end")
    def _compute_state(self):
        for pack in self:
            if pack.cancelled:
                pack.state = "cancelled"
            elif pack.remaining_hours <= 0:
                pack.state = "exhausted"
            elif pack._is_over():
                pack.state = "expired"
            else:
                pack.state = "active"

    def _is_over(self):
        """Return whether the validity has ended where the consultant works."""
        if not self.date_end:
            return False
        # sudo: the day is the same for all who look
        project = self.project_id.sudo().with_company(self.company_id)
        return self.date_end < project._get_today()

    @api.model
    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        valid = Domain("cancelled", "=", False)
        left = valid & Domain("remaining_hours", ">", 0)
        # It is yesterday, today or tomorrow somewhere; only these need a closer look
        today = fields.Date.today()
        near = self.search(
            Domain("date_end", ">=", today - timedelta(days=1))
            & Domain("date_end", "<=", today)
        )
        over = Domain("date_end", "<", today - timedelta(days=1)) | Domain(
            "id", "in", near.filtered(lambda pack: pack._is_over()).ids
        )
        domains = {
            "cancelled": ~valid,
            "exhausted": valid & Domain("remaining_hours", "<=", 0),
            "expired": left & over,
            "active": left & ~over,
        }
        return Domain.OR(domains[state] for state in value if state in domains)

    @api.depends("line_ids.pack_write_off", "line_ids.unit_amount")
    def _compute_written_off_hours(self):
        hours = {}
        for pack, uom, amount in self.env["account.analytic.line"]._read_group(
            Domain("pack_write_off", "=", True) & Domain("pack_id", "in", self.ids),
            ["pack_id", "product_uom_id"],
            ["unit_amount:sum"],
        ):
            hours[pack.id] = hours.get(pack.id, 0.0) + self._to_hours(amount, uom)
        for pack in self:
            pack.written_off_hours = hours.get(pack._origin.id, 0.0)

    @api.depends("remaining_hours", "cancelled", "project_id")
    def _compute_forecast_date(self):
        running = self.filtered(
            lambda pack: not pack.cancelled and pack.remaining_hours > 0
        )
        (self - running).forecast_date = False
        pace = running.project_id._get_pack_pace()
        before = running._get_remaining_before()
        for pack in running:
            pack.forecast_date = self._get_run_out_date(
                before[pack] + pack.remaining_hours, pace.get(pack.project_id.id)
            )

    @api.model
    def _get_run_out_date(self, hours, hours_a_day):
        """Return the day on which hours are used up, of packs as of projects.

        :param float hours: that are left
        :param float hours_a_day: the pace, see ``_get_pack_pace``; none if unknown
        """
        if not hours_a_day or hours <= 0:
            return False
        days = math.ceil(min(hours / hours_a_day, FORECAST_DAYS))
        return fields.Date.today() + timedelta(days=days)

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

    @api.depends("consumed_hours", "forecast_date", "purchased_hours")
    def _compute_burn_down(self):
        Line = self.env["account.analytic.line"]
        domain = Domain("pack_id", "in", self.ids) & Domain("is_deducted", "=", True)
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
                values.append({"x": format_date(self.env, week), "y": round(left, 2)})
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
