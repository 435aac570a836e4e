from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, float_round, format_duration

from ..lifecycle.project_lock import unlocked
from .project_consultancy_pack import HOUR_DIGITS
from .project_consultancy_pack_figures import (
    PACE_DAYS,
    PACE_MINIMUM,
    get_figure_domain,
)

# The sums of the packs of a project that are not cancelled, in SQL
SUMMED_FIELDS = {
    "uncovered_hours": "",
    "pack_purchased_hours": "figure.bought",
    "pack_consumed_hours": "figure.used",
    "pack_remaining_hours": "ROUND((figure.bought - figure.used)::numeric, 6)::float8",
    "pack_usage": """
        CASE WHEN figure.bought > 0 THEN 100 * figure.used / figure.bought
             WHEN figure.used > 0 THEN 100
             ELSE 0 END""",
}


class ProjectProject(models.Model):
    _inherit = "project.project"

    pack_ids = fields.One2many(
        "project.consultancy.pack",
        "project_id",
        string="Consultancy Packs",
        groups="base.group_user",
    )
    pack_count = fields.Integer(
        compute="_compute_pack_hours", compute_sudo=True, groups="base.group_user"
    )
    pack_purchased_hours = fields.Float(
        string="Purchased Hours",
        compute="_compute_pack_hours",
        search="_search_pack_purchased_hours",
        compute_sudo=True,
        groups="base.group_user",
        help="Hours of all packs of the project that are not cancelled.",
    )
    pack_consumed_hours = fields.Float(
        string="Used Hours",
        compute="_compute_pack_hours",
        search="_search_pack_consumed_hours",
        compute_sudo=True,
        groups="base.group_user",
        help="Hours deducted from the packs of the project.",
    )
    pack_remaining_hours = fields.Float(
        string="Remaining Hours",
        compute="_compute_pack_hours",
        search="_search_pack_remaining_hours",
        compute_sudo=True,
        groups="base.group_user",
        help="Hours left in the packs of the project; below zero they are overrun.",
    )
    pack_usage = fields.Float(
        string="Used (%)",
        compute="_compute_pack_hours",
        search="_search_pack_usage",
        compute_sudo=True,
        groups="base.group_user",
        help="Hours used as a percentage of the hours bought.",
    )
    uncovered_hours = fields.Float(
        string="Hours Not Covered",
        compute="_compute_uncovered_hours",
        compute_sudo=True,
        search="_search_uncovered_hours",
        groups="base.group_user",
        help="Time that no pack covers yet. The first pack that comes takes it.",
    )
    pack_forecast_date = fields.Date(
        string="Hours Run Out On",
        compute="_compute_pack_forecast_date",
        compute_sudo=True,
        groups="base.group_user",
        help="When no hours are left, at the pace of the last four weeks.",
    )
    is_uncovered_alerted = fields.Boolean(
        copy=False,
        readonly=True,
        groups="base.group_user",
        help="Consultant and salesperson were told about time that no pack covers.",
    )

    @api.depends(
        "pack_ids.cancelled",
        "pack_ids.purchased_hours",
        "pack_ids.consumed_hours",
    )
    def _compute_pack_hours(self):
        Pack = self.env["project.consultancy.pack"]
        groups = Pack._read_group(
            [("project_id", "in", self.ids), ("cancelled", "=", False)],
            ["project_id"],
            ["__count", "purchased_hours:sum", "consumed_hours:sum"],
        )
        values = {project.id: totals for project, *totals in groups}
        for project in self:
            count, bought, used = values.get(project._origin.id, (0, 0.0, 0.0))
            project.pack_count = count
            project.pack_purchased_hours = bought
            project.pack_consumed_hours = used
            project.pack_remaining_hours = float_round(
                bought - used, precision_digits=HOUR_DIGITS
            )
            project.pack_usage = Pack._to_usage(used, bought)

    @api.depends(
        "timesheet_ids.is_deducted",
        "timesheet_ids.pack_id",
        "timesheet_ids.product_uom_id",
        "timesheet_ids.unit_amount",
    )
    def _compute_uncovered_hours(self):
        query = self._origin._as_query(ordered=False)
        hours = dict(
            self.env.execute_query(
                query.select(
                    SQL.identifier(self._table, "id"),
                    self._field_to_sql(self._table, "uncovered_hours", query),
                )
            )
        )
        for project in self:
            project.uncovered_hours = hours.get(project._origin.id, 0.0)

    def _field_to_sql(self, alias, field_expr, query=None):
        if field_expr not in SUMMED_FIELDS:
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        Pack = self.env["project.consultancy.pack"].sudo()  # sudo: as the compute
        project = SQL.identifier(alias, "id")
        if field_expr == "uncovered_hours":
            return Pack._get_hours_sql(
                SQL(
                    "line.is_deducted AND line.pack_id IS NULL"
                    " AND line.project_id = %s",
                    project,
                )
            )
        return SQL(
            """(
                SELECT %(figure)s
                  FROM (
                       SELECT COALESCE(SUM(pack.purchased_hours), 0) AS bought,
                              COALESCE(SUM(%(used)s), 0) AS used
                         FROM project_consultancy_pack pack
                        WHERE pack.project_id = %(project)s
                          AND pack.cancelled IS NOT TRUE
                       ) figure
            )""",
            figure=SQL(SUMMED_FIELDS[field_expr]),
            used=Pack._field_to_sql("pack", "consumed_hours"),
            project=project,
            to_flush=[
                Pack._fields[name]
                for name in ("cancelled", "project_id", "purchased_hours")
            ],
        )

    @api.model
    def _search_uncovered_hours(self, operator, value):
        return get_figure_domain(self, "uncovered_hours", operator, value)

    @api.model
    def _search_pack_purchased_hours(self, operator, value):
        return get_figure_domain(self, "pack_purchased_hours", operator, value)

    @api.model
    def _search_pack_consumed_hours(self, operator, value):
        return get_figure_domain(self, "pack_consumed_hours", operator, value)

    @api.model
    def _search_pack_remaining_hours(self, operator, value):
        return get_figure_domain(self, "pack_remaining_hours", operator, value)

    @api.model
    def _search_pack_usage(self, operator, value):
        return get_figure_domain(self, "pack_usage", operator, value)

    @api.depends("pack_remaining_hours")
    def _compute_pack_forecast_date(self):
        Pack = self.env["project.consultancy.pack"]
        pace = self._get_pack_pace()
        for project in self:
            project.pack_forecast_date = Pack._get_run_out_date(
                project.pack_remaining_hours, pace.get(project._origin.id)
            )

    def _get_timezone(self):
        """Return the time zone whose days count, whoever looks: the consultant's."""
        company = self.company_id or self.user_id.company_id or self.env.company
        return ZoneInfo(self.user_id.tz or company.resource_calendar_id.tz or "UTC")

    def _get_today(self):
        """Return the date where the consultant works."""
        now = fields.Datetime.now().replace(tzinfo=UTC)
        return now.astimezone(self._get_timezone()).date()

    def _get_pack_pace(self):
        """Return how fast the hours of the packs go down.

        :return: dict from project id to hours a calendar day over the last four weeks;
            without projects where hardly anything was done
        """
        today = fields.Date.today()  # the same for all who look
        Pack = self.env["project.consultancy.pack"]
        hours = {}
        for project, uom, amount in self.env["account.analytic.line"]._read_group(
            Domain("project_id", "in", self.ids)
            & Domain("date", ">", today - timedelta(days=PACE_DAYS))
            & Domain("date", "<=", today)
            & Domain("is_deducted", "=", True),
            ["project_id", "product_uom_id"],
            ["unit_amount:sum"],
        ):
            hours[project.id] = hours.get(project.id, 0.0) + Pack._to_hours(amount, uom)
        return {
            project_id: total / PACE_DAYS
            for project_id, total in hours.items()
            if total >= PACE_MINIMUM
        }

    @api.constrains("is_lifecycle", "is_template", "partner_id", "company_id")
    def _check_packs(self):
        packs = self.env["project.consultancy.pack"].sudo()  # sudo: all of them count
        for pack in packs.search([("project_id", "in", self.ids)]):
            project = pack.project_id
            if project.company_id and project.company_id != pack.company_id:
                raise ValidationError(
                    self.env._(
                        "%(project)s has the consultancy pack %(pack)s of "
                        "%(company)s, and stays with that company.",
                        project=project.name,
                        pack=pack.name,
                        company=pack.company_id.name,
                    )
                )
            pack._check_project()

    @api.constrains("is_lifecycle")
    def _check_not_internal(self):
        """Keep time off and other time of the house apart from that of clients."""
        projects = self.filtered("is_lifecycle")
        companies = self.env["res.company"].sudo()  # sudo: those of others, too
        company = projects and companies.search(
            [("internal_project_id", "in", projects.ids)], limit=1
        )
        if company:
            raise ValidationError(
                self.env._(
                    "%(project)s is the internal project of %(company)s and cannot be "
                    "a client project.",
                    project=company.internal_project_id.name,
                    company=company.name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_packs(self):
        packs = self.env["project.consultancy.pack"].sudo()  # sudo: all of them count
        pack = packs.search([("project_id", "in", self.ids)], limit=1)
        if pack:
            raise UserError(
                self.env._(
                    "%(project)s has the consultancy pack %(pack)s and cannot be "
                    "deleted. Archive it instead.",
                    project=pack.project_id.name,
                    pack=pack.name,
                )
            )

    def write(self, vals):
        joining = self.browse()
        if vals.get("is_lifecycle"):
            joining = self.filtered(lambda project: not project.is_lifecycle)
            joining._note_invoiced()
        result = super().write(vals)
        joining._bring_packs()
        return result

    def _bring_packs(self):
        """Make the packs that were sold before the projects became client projects."""
        if self:
            lines = self.env["sale.order.line"].sudo()  # sudo: orders of others, too
            lines.search(
                Domain("state", "=", "sale")
                & Domain("product_id.is_consultancy_pack", "=", True)
                & (
                    Domain("project_id", "in", self.ids)
                    | Domain("order_id.project_id", "in", self.ids)
                )
            )._update_packs()

    def _note_invoiced(self):
        """Note the time of projects that the client has paid by an invoice already."""
        lines = self.env["account.analytic.line"].sudo()  # sudo: that of others, too
        lines = lines.search(
            [("project_id", "in", self.ids), ("timesheet_invoice_id", "!=", False)]
        ).filtered(lambda line: not line._is_not_billed())
        if lines:
            unlocked(lines).write({"is_invoiced_before": True})

    def _cover_time(self):
        """Deduct the time that no pack covers yet from the packs that have come.

        The oldest time comes first. A line with a pack is not touched.
        """
        if not self:
            return
        lines = self.env["account.analytic.line"].sudo()  # sudo: all time is deducted
        lines = lines.search(
            [("project_id", "in", self.ids), ("pack_id", "=", False)],
            order="date, id",
        )._filter_on_pack()
        # What was logged already is deducted, whatever the policy about overruns
        packs = lines._choose_packs(check_overrun=False)
        for pack, covered in lines.grouped(packs.get).items():
            if pack:
                unlocked(covered).write({"pack_id": pack.id})
                told = covered.project_id.filtered("is_uncovered_alerted")
                unlocked(told).is_uncovered_alerted = False

    @api.model
    def _search_to_alert_uncovered(self):
        """Return the projects whose time nobody was told yet that no pack covers it."""
        domain = (
            Domain("is_deducted", "=", True)
            & Domain("pack_id", "=", False)
            & Domain("project_id.is_uncovered_alerted", "=", False)
        )
        groups = self.env["account.analytic.line"]._read_group(domain, ["project_id"])
        return self.union(*(project for [project] in groups))

    def _alert(self):
        """Tell consultant and salesperson that no pack covers time of the project."""
        self.ensure_one()
        unlocked(self).is_uncovered_alerted = True
        for user in self.user_id | self.salesperson_id:
            project = self.with_context(lang=user.lang)
            project.activity_schedule(
                "project_lifecycle.mail_activity_type_pack",
                user_id=user.id,
                summary=project.env._("Time without a consultancy pack"),
                note=project.env._(
                    "%s hours are logged that no pack covers. The first pack that "
                    "comes takes them.",
                    format_duration(self.uncovered_hours),
                ),
            )

    def action_view_packs(self):
        """Open the consultancy packs of the project."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.pack_action"
        ) | {
            "domain": [("project_id", "=", self.id)],
            "context": {"default_project_id": self.id},
        }

    def action_view_pack_time(self):
        """Open the time of the project by work type, month and consultant."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.pack_time_analysis_action"
        ) | {"domain": [("project_id", "=", self.id)]}
