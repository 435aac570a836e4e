from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..lifecycle.project_lock import unlocked
from .project_consultancy_pack import PACE_DAYS


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
        compute_sudo=True,
        groups="base.group_user",
        help="Hours of all packs of the project that are not cancelled.",
    )
    pack_consumed_hours = fields.Float(
        string="Used Hours",
        compute="_compute_pack_hours",
        compute_sudo=True,
        groups="base.group_user",
        help="Hours deducted from the packs of the project.",
    )
    pack_remaining_hours = fields.Float(
        string="Remaining Hours",
        compute="_compute_pack_hours",
        compute_sudo=True,
        groups="base.group_user",
        help="Hours left in the packs of the project; below zero they are overrun.",
    )
    pack_usage = fields.Float(
        string="Used (%)",
        compute="_compute_pack_hours",
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
    kickoff_hours = fields.Float(
        string="Kick-off Hours",
        compute="_compute_kickoff_hours",
        compute_sudo=True,
        groups="base.group_user",
        help="Hours logged until the day on which the project left the kick-off.",
    )
    kickoff_share = fields.Float(
        string="Kick-off Share (%)",
        compute="_compute_kickoff_hours",
        compute_sudo=True,
        groups="base.group_user",
        help="Hours of the kick-off as a percentage of the hours bought.",
    )
    is_kickoff_share_off = fields.Boolean(
        string="Kick-off off its Share",
        compute="_compute_kickoff_hours",
        compute_sudo=True,
        groups="base.group_user",
        help="The kick-off takes more of the hours bought than it should, or took "
        "less.",
    )
    is_uncovered_alerted = fields.Boolean(
        copy=False,
        readonly=True,
        groups="base.group_user",
        help="Consultant and salesperson were told about time that no pack covers.",
    )

    # ------------------------------------------------------------------
    # Computed fields
    # ------------------------------------------------------------------
    @api.depends(
        "pack_ids.cancelled",
        "pack_ids.purchased_hours",
        "pack_ids.consumed_hours",
        "pack_ids.remaining_hours",
    )
    def _compute_pack_hours(self):
        groups = self.env["project.consultancy.pack"]._read_group(
            [("project_id", "in", self.ids), ("cancelled", "=", False)],
            ["project_id"],
            [
                "__count",
                "purchased_hours:sum",
                "consumed_hours:sum",
                "remaining_hours:sum",
            ],
        )
        values = {project.id: totals for project, *totals in groups}
        for project in self:
            count, bought, used, left = values.get(project._origin.id, (0, 0, 0, 0))
            project.pack_count = count
            project.pack_purchased_hours = bought
            project.pack_consumed_hours = used
            project.pack_remaining_hours = left
            project.pack_usage = 100 * used / bought if bought else 100.0 * bool(used)

    @api.depends("timesheet_ids.pack_id", "timesheet_ids.unit_amount")
    def _compute_uncovered_hours(self):
        hours = {}
        Pack = self.env["project.consultancy.pack"]
        for project, uom, amount in self.env["account.analytic.line"]._read_group(
            self._get_uncovered_domain() & Domain("project_id", "in", self.ids),
            ["project_id", "product_uom_id"],
            ["unit_amount:sum"],
        ):
            hours[project.id] = hours.get(project.id, 0.0) + Pack._to_hours(amount, uom)
        for project in self:
            project.uncovered_hours = hours.get(project._origin.id, 0.0)

    @api.model
    def _search_uncovered_hours(self, operator, value):
        if operator != ">" or value:
            return NotImplemented
        lines = self.env["account.analytic.line"].sudo()  # sudo: others' time counts
        uncovered = lines._search(self._get_uncovered_domain())
        return Domain("id", "in", uncovered.subselect("project_id"))

    @api.model
    def _get_uncovered_domain(self):
        """Return the domain of time on client projects that no pack covers."""
        domain = (
            Domain("pack_id", "=", False)
            & Domain("project_id.is_lifecycle", "=", True)
            & Domain("project_id.is_template", "=", False)
            & Domain("project_id.is_internal_project", "=", False)
        )
        for field in ("holiday_id", "global_leave_id"):
            if field in self.env["account.analytic.line"]._fields:
                domain &= Domain(field, "=", False)
        return domain

    @api.depends("pack_remaining_hours")
    def _compute_pack_forecast_date(self):
        today = fields.Date.context_today(self)
        pace = self._get_pack_pace()
        for project in self:
            hours_a_day = pace.get(project._origin.id)
            left = project.pack_remaining_hours
            project.pack_forecast_date = (
                bool(hours_a_day)
                and left > 0
                and today + timedelta(days=min(round(left / hours_a_day), 36500))
            )

    def _get_pack_pace(self):
        """Return how fast the hours of the packs go down.

        :return: dict from project id to hours a calendar day over the last four weeks
        """
        today = fields.Date.context_today(self)
        Pack = self.env["project.consultancy.pack"]
        pace = {}
        for project, uom, amount in self.env["account.analytic.line"]._read_group(
            Domain("project_id", "in", self.ids)
            & Domain("date", ">", today - timedelta(days=PACE_DAYS))
            & Domain("date", "<=", today)
            & Domain("pack_id", "!=", False)
            & Domain("pack_write_off", "=", False),
            ["project_id", "product_uom_id"],
            ["unit_amount:sum"],
        ):
            hours = Pack._to_hours(amount, uom)
            pace[project.id] = pace.get(project.id, 0.0) + hours / PACE_DAYS
        return pace

    @api.depends("pack_purchased_hours", "lifecycle_stage", "timesheet_ids.unit_amount")
    def _compute_kickoff_hours(self):
        Pack = self.env["project.consultancy.pack"]
        hours = {}
        for project_id, uom_id, amount in self._read_kickoff_time():
            uom = self.env["uom.uom"].browse(uom_id or [])
            hours[project_id] = hours.get(project_id, 0.0) + Pack._to_hours(amount, uom)
        for project in self:
            used = hours.get(project._origin.id, 0.0)
            bought = project.pack_purchased_hours
            company = project.company_id or self.env.company
            share = 100 * used / bought if bought else 0.0
            beyond = share - company.kickoff_share_target
            over = project.lifecycle_stage not in ("internal_kickoff", "kickoff")
            project.kickoff_hours = used
            project.kickoff_share = share
            # While it goes on, the kick-off can only take too much
            project.is_kickoff_share_off = bool(bought) and (
                beyond > company.kickoff_share_tolerance
                or (over and -beyond > company.kickoff_share_tolerance)
            )

    def _read_kickoff_time(self):
        """Return the time logged until each project first left the kick-off.

        The day on which it left counts, in the time zone of the user.

        :return: list of (project id, unit of measure id, sum of the quantities)
        """
        Line = self.env["account.analytic.line"]
        Line.flush_model(["project_id", "date", "unit_amount", "product_uom_id"])
        self.env["project.stage.transition"].flush_model()
        self.env["project.project.stage"].flush_model(["lifecycle_stage"])
        return self.env.execute_query(
            SQL(
                """
                SELECT line.project_id, line.product_uom_id, SUM(line.unit_amount)
                  FROM account_analytic_line line
             LEFT JOIN (
                       SELECT transition.project_id,
                              MIN(transition.date AT TIME ZONE 'UTC'
                                  AT TIME ZONE %(timezone)s)::date AS date
                         FROM project_stage_transition transition
                         JOIN project_project_stage stage
                           ON stage.id = transition.to_stage_id
                        WHERE transition.project_id = ANY(%(project_ids)s)
                          AND stage.lifecycle_stage
                              NOT IN ('internal_kickoff', 'kickoff')
                     GROUP BY transition.project_id
                       ) kickoff_end ON kickoff_end.project_id = line.project_id
                 WHERE line.project_id = ANY(%(project_ids)s)
                   AND (kickoff_end.date IS NULL OR line.date <= kickoff_end.date)
              GROUP BY line.project_id, line.product_uom_id
                """,
                timezone=str(self.env.tz),
                project_ids=self.ids,
            )
        )

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------
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

    # ------------------------------------------------------------------
    # Time without a pack
    # ------------------------------------------------------------------
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
        )._filter_deducted()
        packs = lines._choose_packs()
        for pack, covered in lines.grouped(packs.get).items():
            if pack:
                covered.write({"pack_id": pack.id})
                told = covered.project_id.filtered("is_uncovered_alerted")
                unlocked(told).is_uncovered_alerted = False

    @api.model
    def _search_to_alert_uncovered(self):
        """Return the projects whose time nobody was told yet that no pack covers it."""
        domain = self._get_uncovered_domain() & Domain(
            "project_id.is_uncovered_alerted", "=", False
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
                    round(self.uncovered_hours, 2),
                ),
            )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------
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

    def action_renew_pack(self):
        """Open a quotation for another pack of hours (`methodology.md` 2 and 6).

        :raise UserError: nobody may or can sell to this project
        """
        self.ensure_one()
        return self._renew_pack(self.pack_ids.sorted("id")[-1:])

    def _renew_pack(self, pack):
        """Make a quotation for hours like those of ``pack``, or ask for one.

        People who cannot make quotations ask the salesperson by an activity.

        :param pack: the pack to renew; empty to sell the shipped product
        :return: action that opens the quotation, or that tells about the activity
        :raise UserError: the project has no client or nobody to sell to it
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
                hours=round(self.pack_remaining_hours, 2),
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
