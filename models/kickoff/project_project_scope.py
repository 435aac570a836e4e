from collections import defaultdict
from datetime import UTC, datetime, time, timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import float_compare, format_date, formatLang

from .project_risk import UNANSWERED_STATES

# What findings are made of, on the project itself.
FINDING_INPUTS = {
    "active",
    "approach_id",
    "company_id",
    "date",
    "date_start",
    "is_lifecycle",
    "is_template",
    "salesperson_id",
    "stage_id",
    "user_id",
    "weekly_hours",
}
# Those of them that a gate must know when they change together with the stage.
GATED_INPUTS = {"approach_id", "date", "date_start", "user_id", "weekly_hours"}
FINDING_KEYS = (
    "feasibility_hours",
    "feasibility_effort",
    "feasibility_customisation",
    "feasibility_deadline",
    "feasibility_calendar",
    "feasibility_application",
)
# An answer about a deadline holds while the earliest date slips by less than a week:
# each day that passes without work puts it off.
FINDING_TOLERANCES = {"feasibility_deadline": 7}
# Stages in which it is still open whether the project can be done.
CHECKED_STAGES = ("internal_kickoff", "kickoff", "implementation", "go_live")
# How far the working calendars are looked at, in days.
HORIZON = 730
CRON_BATCH = 200


class ProjectProject(models.Model):
    _inherit = "project.project"

    approach_id = fields.Many2one(
        "project.approach",
        compute="_compute_approach_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
        groups="base.group_user",
        help="How the project is implemented. Its factor tells how many hours the "
        "scope takes.",
    )
    weekly_hours = fields.Float(
        string="Hours a Week",
        tracking=True,
        groups="base.group_user",
        help="Hours a week that the consultant can give to this project. Zero: all the "
        "hours of the working calendar.",
    )
    scope_line_ids = fields.One2many(
        "project.scope.line",
        "project_id",
        string="Scope",
        copy=True,
        groups="base.group_user",
    )
    scope_hours = fields.Float(
        compute="_compute_scope_hours",
        compute_sudo=True,
        groups="base.group_user",
        help="Hours that the scope takes: the standard hours of its applications times "
        "the factor of the approach, and the kick-off with its share of the whole.",
    )
    risk_ids = fields.One2many(
        "project.risk", "project_id", string="Risks", groups="base.group_user"
    )
    risk_count = fields.Integer(
        compute="_compute_risk_count", compute_sudo=True, groups="base.group_user"
    )
    open_risk_count = fields.Integer(
        string="Unanswered Risks",
        compute="_compute_risk_count",
        compute_sudo=True,
        groups="base.group_user",
    )

    _weekly_hours_range = models.Constraint(
        "CHECK (weekly_hours >= 0 AND weekly_hours <= 168)",
        "The hours a week lie between 0 and 168.",
    )

    # ------------------------------------------------------------------
    # Computed fields
    # ------------------------------------------------------------------
    @api.depends("is_lifecycle")
    def _compute_approach_id(self):
        without = self.filtered(lambda p: p.is_lifecycle and not p.approach_id)
        if without:
            without.approach_id = self.env["project.approach"].search([], limit=1)
        for project in self - without:
            project.approach_id = project.approach_id

    @api.depends(
        "approach_id.factor",
        "company_id.kickoff_share_target",
        "scope_line_ids.application_id.standard_hours",
    )
    def _compute_scope_hours(self):
        for project in self:
            standard = sum(
                project.scope_line_ids.application_id.mapped("standard_hours")
            )
            hours = standard * (project.approach_id.factor or 1)
            share = (project.company_id or self.env.company).kickoff_share_target
            # A kick-off that takes everything leaves no measure of the whole
            project.scope_hours = hours / (1 - share / 100) if share < 100 else hours

    @api.depends("risk_ids.state")
    def _compute_risk_count(self):
        counts = defaultdict(lambda: [0, 0])
        for project, state, count in self.env["project.risk"]._read_group(
            [("project_id", "in", self.ids)], ["project_id", "state"], ["__count"]
        ):
            counts[project.id][0] += count
            counts[project.id][1] += count * (state in UNANSWERED_STATES)
        for project in self:
            project.risk_count, project.open_risk_count = counts[project._origin.id]

    # ------------------------------------------------------------------
    # Create, write
    # ------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        projects = super().create(vals_list)
        projects._update_findings()
        return projects

    def write(self, vals):
        inputs = {name: vals[name] for name in GATED_INPUTS & vals.keys()}
        people = vals.keys() & {"salesperson_id", "spoc_id", "user_id"}
        before = people and {
            # sudo: contacts may be hidden; super() checks the rights
            project: (project.spoc_id, project.salesperson_id, project.user_id)
            for project in self.sudo()
        }
        checked = "stage_id" in vals and self._filter_checked()
        with self._undo_unless_passed("stage_id" in vals and bool(inputs)):
            if vals.get("date") and "date_start" not in vals:
                self._start_before_deadline(vals["date"])
            if "stage_id" in vals:
                # The gate asks what is found now, calendars and leaves included
                if inputs:
                    vals = {
                        name: value
                        for name, value in vals.items()
                        if name not in inputs
                    }
                    self.write(inputs)
                self._update_findings()
            result = super().write(vals)
        # A move matters only to or from the stages that are checked
        if vals.keys() & (FINDING_INPUTS - {"stage_id"}):
            self._update_findings()
        elif "stage_id" in vals:
            now_checked = self._filter_checked()
            ((checked - now_checked) + (now_checked - checked))._update_findings()
        if before:
            self._hand_over_risks(before)
            self._raise_spoc_changes(before)
        return result

    def _filter_checked(self):
        """Return the projects in the stages whose feasibility is looked at."""
        # sudo: stages are hidden from some groups
        return self.filtered(lambda p: p.sudo().lifecycle_stage in CHECKED_STAGES)

    def _start_before_deadline(self, deadline):
        """Give client projects without a start one, as they are given a deadline.

        Stock Odoo keeps a deadline only together with a start, and drops it silently.
        """
        # sudo: whether it starts may be read here; write checks the rights
        without = self.filtered(
            lambda project: project.sudo().is_lifecycle and not project.date_start
        )
        if without:
            deadline = fields.Date.to_date(deadline)
            today = fields.Date.context_today(self)
            without.write({"date_start": min(today, deadline), "date": deadline})

    # ------------------------------------------------------------------
    # Findings (`methodology.md` 1)
    # ------------------------------------------------------------------
    def action_update_findings(self):
        """Look at the feasibility again, as when an input changes.

        :raise AccessError: the user may not change the project
        """
        self.check_access("write")
        self._update_findings()

    @api.model
    def _cron_update_findings(self):
        """Look at the feasibility of all running projects.

        Time passes, hours are used, calendars and leaves change every day.
        """
        domain = Domain("is_lifecycle", "=", True) & Domain("is_template", "=", False)
        projects = self.search(domain & Domain("lifecycle_stage", "in", CHECKED_STAGES))
        Cron = self.env["ir.cron"]
        Cron._commit_progress(remaining=len(projects))
        for start in range(0, len(projects), CRON_BATCH):
            batch = projects[start : start + CRON_BATCH].exists()
            batch._update_findings()
            if not Cron._commit_progress(len(batch)):
                break

    @api.model
    def _update_findings_of(self, users, calendars, companies):
        """Look at the feasibility where working time has changed.

        :param users: whose own working time has changed
        :param calendars: working calendars that have changed
        :param companies: companies in which the time of all has changed
        """
        # sudo: who enters leaves need not see projects
        resources = self.env["resource.resource"].sudo()
        if calendars:
            users |= resources.search([("calendar_id", "in", calendars.ids)]).user_id
            companies |= companies.sudo().search(
                [("resource_calendar_id", "in", calendars.ids)]
            )
        self.sudo().search(
            Domain("is_lifecycle", "=", True)
            & Domain("is_template", "=", False)
            & Domain("lifecycle_stage", "in", CHECKED_STAGES)
            & Domain("date", "!=", False)
            & (
                Domain("user_id", "in", users.ids)
                # Projects of no company may be planned with any company's calendar
                | Domain("company_id", "in", companies.ids and [*companies.ids, False])
            )
        )._update_findings()

    def _update_findings(self):
        """Look at the feasibility of projects and bring their findings up to date.

        It costs a constant number of queries, however many projects there are. Safe to
        call whenever something may have changed: see
        :meth:`~.ProjectRisk._update_findings`.
        """
        # sudo: hours, calendars and leaves are not for everybody who changes a scope,
        # and what is found is the same whoever changes it
        projects = self.sudo().filtered(
            lambda project: project.is_lifecycle
            and not project.is_template
            and project.active
        )
        if not projects:
            return
        checked = projects._filter_checked()
        found = {}
        for project, key, vals in checked._get_findings():
            found[project.id, key] = vals | {
                "project_id": project.id,
                "key": key,
                "origin": "feasibility",
            }
        self.env["project.risk"]._update_findings(
            projects.ids, FINDING_KEYS, found, FINDING_TOLERANCES
        )

    def _get_findings(self):
        """Return what speaks against the feasibility of each project.

        :return: list of (project, key, values of the risk), with texts in the language
            of who answers for the finding
        """
        findings = []
        checked = self.filtered(lambda p: p.scope_line_ids or p.date)
        if not checked:
            return findings
        Application = self.env["project.application"]
        catalogue = Application.search_fetch(
            [("active", "=", True)],
            ["allows_customisation", "is_main", "name", "standard_hours"],
        )
        main = catalogue.filtered("is_main")
        allowing = catalogue.filtered("allows_customisation")
        sold = checked._get_sold_applications()
        days = checked.filtered("date")._get_working_days()
        for project in checked:
            owner = project.salesperson_id or project.user_id
            company = project.company_id or self.env.company
            project = project.with_context(
                lang=owner.lang or company.partner_id.lang or self.env.lang
            )
            available = project.scope_line_ids.application_id | sold[project.id]
            for finding in (
                project._find_too_few_hours(main),
                project._find_no_effort(),
                project._find_customisation(available, allowing),
                project._find_missing_applications(available),
                *project._find_deadline(days),
            ):
                if finding:
                    key, vals = finding
                    answerer = (
                        owner if vals["type"] != "scope" else project.user_id or owner
                    )
                    findings.append((project, key, vals | {"owner_id": answerer.id}))
        return findings

    def _get_sold_applications(self):
        """Return the applications of the orders of each project.

        :return: dict from project id to applications
        """
        Application = self.env["project.application"]
        sold = dict.fromkeys(self.ids, Application)
        for line in self._get_application_order_lines():
            project = line._get_pack_project()
            if project in self:
                sold[project.id] |= line.product_id.application_id
        return sold

    def _get_application_order_lines(self):
        """Return the confirmed order lines of the projects that sell an application."""
        return self.env["sale.order.line"].search(
            Domain("state", "=", "sale")
            & Domain("product_id.application_id", "!=", False)
            & (
                Domain("project_id", "in", self.ids)
                | Domain("order_id.project_id", "in", self.ids)
                | Domain("order_id.order_line.project_id", "in", self.ids)
            )
        )

    def _get_effort_text(self):
        """Return how the effort model comes to the hours of the scope."""
        self.ensure_one()
        company = self.company_id or self.env.company
        applications = self.scope_line_ids.application_id
        return self.env._(
            "Effort model: standard hours of the applications (%(applications)s = "
            "%(standard)s h) × %(factor)s for the approach “%(approach)s”, and "
            "%(share)s %% of the whole for the kick-off: %(total)s h.",
            applications=", ".join(
                f"{application.name} {self._format_hours(application.standard_hours)}"
                for application in applications
            ),
            standard=self._format_hours(sum(applications.mapped("standard_hours"))),
            factor=self._format_hours(self.approach_id.factor or 1),
            approach=self.approach_id.name or self.env._("none chosen"),
            share=self._format_hours(company.kickoff_share_target),
            total=self._format_hours(self.scope_hours),
        )

    @api.model
    def _format_hours(self, hours):
        """Return a figure in the user's language, with decimals where it has some."""
        rounded = round(hours, 2)
        return formatLang(self.env, rounded, digits=0 if rounded == int(rounded) else 2)

    def _find_too_few_hours(self, main):
        """Find that the hours sold are too few for the scope."""
        bought, needed = self.pack_purchased_hours, self.scope_hours
        if float_compare(bought, needed, precision_digits=2) >= 0:
            return None
        applications = self.scope_line_ids.application_id
        scope = (
            self.env._("The full scope (all main applications)")
            if main and main <= applications
            else self.env._("The scope (applications: %s)", len(applications))
        )
        text = self.env._(
            "%(scope)s takes %(needed)s hours, and %(bought)s are sold: %(missing)s "
            "hours are missing. Sell more hours, take applications out of the scope or "
            "choose another approach.",
            scope=scope,
            needed=self._format_hours(needed),
            bought=self._format_hours(bought),
            missing=self._format_hours(needed - bought),
        )
        vals = {
            "name": self.env._("Too few hours for the scope"),
            "type": "commercial",
            "severity": "high",
            "description": f"{text}\n{self._get_effort_text()}",
            "gravity": round(needed - bought, 2),
        }
        if not self.pack_ids:  # cancelled ones were sold, too
            # Nothing sold yet: the gate to the implementation asks for the pack
            vals |= {
                "name": self.env._("No hours are sold for the scope"),
                "type": "scope",
                "severity": "medium",
            }
        return "feasibility_hours", vals

    def _find_no_effort(self):
        """Find that the effort of applications in the scope is not known."""
        unknown = self.scope_line_ids.application_id.filtered(
            lambda application: not application.standard_hours
        )
        if not unknown:
            return None
        return "feasibility_effort", {
            "name": self.env._("The effort of the scope is not known"),
            "type": "scope",
            "severity": "medium",
            "description": self.env._(
                "No standard hours are known for %(applications)s, so that the hours "
                "of the scope cannot be reckoned completely. A project manager enters "
                "them in Configuration / Applications.",
                applications=", ".join(unknown.mapped("name")),
            ),
            "gravity": len(unknown),
        }

    def _find_customisation(self, available, allowing):
        """Find that customisations are wanted and no application allows them.

        :param available: the applications in the scope and in the order
        :param allowing: those of the catalogue that allow customisations
        """
        lines = self.scope_line_ids.filtered("customisation_wanted")
        if not lines or any(available.mapped("allows_customisation")):
            return None
        return "feasibility_customisation", {
            "name": self.env._("Customisations without the application for them"),
            "type": "commercial",
            "severity": "high",
            "description": self.env._(
                "Customisations are wanted in %(count)s lines of the scope "
                "(%(applications)s), but no application that allows them "
                "(%(allowing)s) is in the scope or the order.",
                count=len(lines),
                applications=", ".join(lines.application_id.mapped("name")),
                allowing=", ".join(allowing.with_env(self.env).mapped("name"))
                or self.env._("none in the catalogue"),
            ),
            "gravity": len(lines),
        }

    def _find_missing_applications(self, available):
        """Find that something in the scope needs applications that are not there."""
        missing, needs = self.env["project.application"], []
        for line in self.scope_line_ids:
            needed = (
                line.application_id.required_application_ids
                | line.required_application_ids
            ) - available
            if needed:
                missing |= needed
                needs.append(
                    self.env._(
                        "%(application)s needs %(needed)s.",
                        application=line.application_id.name,
                        needed=", ".join(needed.mapped("name")),
                    )
                )
        if not missing:
            return None
        return "feasibility_application", {
            "name": self.env._(
                "Missing applications: %s", ", ".join(missing.mapped("name"))
            ),
            "type": "commercial",
            "severity": "high",
            "description": self.env._(
                "Applications that are needed and neither in the scope nor in the "
                "order: %(count)s\n%(needs)s",
                count=len(missing),
                needs="\n".join(needs),
            ),
            "gravity": len(missing),
        }

    def _find_deadline(self, days):
        """Find that the deadline comes before the earliest date, or has passed.

        :param days: the working days of each project, see :meth:`_get_working_days`
        :return: list of findings
        """
        if not self.date:
            return []
        today = fields.Date.context_today(self)
        left = max(self.pack_remaining_hours, 0)
        calendar, hours_by_day = days[self.id]
        findings = []
        start = max(today, self.date_start or today)
        earliest = self._get_earliest_date(left, hours_by_day, start)
        deadline = format_date(self.env, self.date)
        consultant = self.user_id.name or self.env._("the consultant to come")
        figures = self.env._(
            "%(left)s hours are left. This reckons with %(consultant)s, the working "
            "calendar “%(calendar)s”, leaves and public holidays.",
            left=self._format_hours(left),
            consultant=consultant,
            calendar=calendar.name or "",
        )
        if self.weekly_hours:
            capacity = self.env._(
                "The project gets %s hours a week at most.",
                self._format_hours(self.weekly_hours),
            )
            figures = f"{figures} {capacity}"
        if left and not hours_by_day:
            findings.append(
                (
                    "feasibility_calendar",
                    {
                        "name": self.env._("No working hours to plan with"),
                        "type": "planning",
                        "severity": "medium",
                        "description": self.env._(
                            "The working calendar “%(calendar)s” of %(consultant)s has "
                            "no working hours in the next two years, so that the "
                            "deadline, %(deadline)s, cannot be checked. Enter the "
                            "working hours or choose another consultant.",
                            calendar=calendar.name or "",
                            consultant=consultant,
                            deadline=deadline,
                        ),
                        "gravity": 1,
                    },
                )
            )
        if self.date < today:
            text = self.env._("The deadline, %s, has passed.", deadline)
        elif earliest and earliest <= self.date:
            return findings
        elif hours_by_day and not earliest:
            text = self.env._(
                "The deadline, %s, cannot be reached: the hours do not fit into the "
                "next two years.",
                deadline,
            )
        elif earliest:
            text = self.env._(
                "The deadline is %(deadline)s, the earliest possible date "
                "%(earliest)s.",
                deadline=deadline,
                earliest=format_date(self.env, earliest),
            )
        else:
            return findings
        late = (earliest or today + timedelta(days=HORIZON)) - self.date
        findings.append(
            (
                "feasibility_deadline",
                {
                    "name": self.env._("The deadline cannot be reached"),
                    "type": "commercial",
                    "severity": "high",
                    "description": "\n".join(
                        (
                            text,
                            figures,
                            self.env._(
                                "Did the salesperson accept this deadline, and does "
                                "the client know?"
                            ),
                        )
                    ),
                    "gravity": max(late.days, 1),
                },
            )
        )
        return findings

    def _get_earliest_date(self, hours, hours_by_day, start):
        """Return the day on which hours can be done at the earliest.

        :param float hours: to be done from ``start`` on
        :param hours_by_day: dict from date to working hours, in order
        :return: date, or None when they do not fit
        """
        self.ensure_one()
        if hours <= 0:
            return start
        done_in_week = defaultdict(float)
        for day, working in hours_by_day.items():
            if day < start:
                continue
            week = day.isocalendar()[:2]
            if self.weekly_hours:
                working = min(working, self.weekly_hours - done_in_week[week])
            done_in_week[week] += working
            hours -= working
            if float_compare(hours, 0, precision_digits=4) <= 0:
                return day
        return None

    def _get_working_days(self):
        """Return the working time of the consultant of each project, from today on.

        It follows the working calendar of the employee, contracts, leaves and public
        holidays included. Without an employee it is the calendar of the company.

        :return: dict from project id to (calendar, dict from date to hours in order)
        """
        resources = self.env["resource.resource"].search_fetch(
            [("user_id", "in", self.user_id.ids), ("resource_type", "=", "user")],
            ["calendar_id", "company_id", "tz", "user_id"],
        )
        # Who has no calendar works whenever he or she likes: plan with the company's
        by_user = resources.filtered("calendar_id").grouped("user_id")
        of_project, calendars = {}, self.env["resource.calendar"]
        for project in self:
            company = project.company_id or self.env.company
            own = by_user.get(project.user_id, resources.browse())
            resource = (
                own.filtered(lambda r, company=company: r.company_id == company) or own
            )[:1]
            calendar = resource.calendar_id or company.resource_calendar_id
            of_project[project] = resource, calendar
            if not resource:
                calendars |= calendar
        used = resources.browse().union(*(item[0] for item in of_project.values()))
        start = datetime.combine(fields.Date.context_today(self), time.min, UTC)
        by_resource, by_calendar = used._get_valid_work_intervals(
            start, start + timedelta(days=HORIZON), calendars=calendars
        )
        cache, result = {}, {}
        for project, (resource, calendar) in of_project.items():
            if (resource, calendar) not in cache:
                hours = defaultdict(float)
                for begin, end, _attendance in (
                    by_resource[resource.id] if resource else by_calendar[calendar.id]
                ):
                    hours[begin.date()] += (end - begin).total_seconds() / 3600
                cache[resource, calendar] = dict(sorted(hours.items()))
            result[project.id] = calendar, cache[resource, calendar]
        return result

    # ------------------------------------------------------------------
    # Change of people
    # ------------------------------------------------------------------
    @api.model
    def _hand_over_blocked_points(self, projects, former):
        """Give the blocked points of a salesperson to the next one."""
        activity_type = self.env.ref(
            "project_lifecycle.mail_activity_type_blocked_point"
        )
        items = projects.checklist_ids.item_ids.filtered(
            lambda item: item.state == "blocked"
        )
        for activity in items.activity_ids.filtered(
            lambda activity: activity.activity_type_id == activity_type
        ):
            project = items.browse(activity.res_id).project_id
            heir = project.salesperson_id or project.user_id
            if heir and activity.user_id == former[project][1]:
                activity.user_id = heir

    def _hand_over_risks(self, former):
        """Give the unanswered risks of a salesperson or consultant to the next one.

        :param former: dict from project (sudo) to its SPOC, salesperson and consultant
            before the change
        """
        changed = self.sudo().filtered(  # sudo: risks are handed over by who may write
            lambda project: former[project][1:]
            != (project.salesperson_id, project.user_id)
        )
        if not changed:
            return
        Risk = self.env["project.risk"].sudo()  # as above
        heirs = defaultdict(Risk.browse)
        for risk in Risk.search(
            [
                ("project_id", "in", changed.ids),
                ("state", "in", UNANSWERED_STATES),
                ("owner_id", "!=", False),
            ]
        ):
            project = risk.project_id
            _spoc, salesperson, consultant = former[project]
            if risk.owner_id == salesperson:
                heirs[project.salesperson_id or project.user_id] += risk
            elif risk.owner_id == consultant:
                heirs[project.user_id] += risk
        self._hand_over_blocked_points(changed, former)
        for heir, risks in heirs.items():
            if risks.owner_id != heir:
                risks.owner_id = heir

    # ------------------------------------------------------------------
    # Change of the SPOC (`methodology.md` 2)
    # ------------------------------------------------------------------
    def _raise_spoc_changes(self, former):
        """Raise a risk where the SPOC changed after the kick-off, and tell managers.

        :param former: dict from project (sudo) to its SPOC, salesperson and consultant
            before the change
        """
        changed = self.sudo().filtered(  # sudo: contacts may be hidden
            lambda project: project.is_lifecycle
            and not project.is_template
            and former[project][0]
            and former[project][0] != project.spoc_id
        )
        if not changed:
            return
        started = changed.meeting_ids.filtered(
            lambda meeting: meeting.lifecycle_meeting == "kickoff" and meeting.held
        ).project_id
        vals_list = []
        for project in changed:
            if project not in started and project.lifecycle_stage in (
                "internal_kickoff",
                "kickoff",
            ):
                continue
            owner = project.user_id
            company = project.company_id or self.env.company
            env = project.with_context(lang=owner.lang or company.partner_id.lang).env
            vals_list.append(
                {
                    "project_id": project.id,
                    "key": f"spoc_change_{former[project][0].id}_{project.spoc_id.id}"
                    f"_{fields.Date.context_today(self)}",
                    "name": env._("The SPOC changed after the kick-off"),
                    "origin": "spoc_change",
                    "type": "people",
                    "severity": "medium",
                    "owner_id": owner.id,
                    "description": env._(
                        "%(former)s handed over to %(new)s. Explain the methodology "
                        "and the tasks of the SPOC again, repeat the trainings that "
                        "are needed, and find out whether scope and dates still hold.",
                        former=former[project][0].name,
                        new=project.spoc_id.name or env._("nobody yet"),
                    ),
                }
            )
        self.env["project.risk"]._raise_risks(vals_list)._tell_managers()
