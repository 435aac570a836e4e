from collections import defaultdict, namedtuple
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import models
from odoo.fields import Domain
from odoo.tools import float_compare, format_date

# How far the working calendars are looked at, in days.
HORIZON = 730

# When a project can be worked on: the calendar that it is planned with, the hours of
# each day that are the project's, in order, its hours a week at most (by ISO week,
# empty without a limit), and the number of running projects that share the consultant.
Plan = namedtuple("Plan", ["calendar", "hours_by_day", "hours_by_week", "sharers"])


class ProjectProject(models.Model):
    """Whether the hours of client projects fit in before their deadlines."""

    _inherit = "project.project"

    def _find_no_working_hours(self, plan, left):
        """Find that there is no working time to plan with.

        :param plan: see :meth:`_get_plans`
        :param float left: hours to be done
        """
        if not plan or not left or plan.hours_by_day:
            return None
        client = self._with_lang_of_client()
        return "feasibility_calendar", {
            "name": self.env._("No working hours to plan with"),
            "type": "planning",
            "severity": "medium",
            "description": self.env._(
                "The working calendar “%(calendar)s” of %(consultant)s has no working "
                "hours in the next two years, so that the deadline, %(deadline)s, "
                "cannot be checked. Enter the working hours or choose another "
                "consultant.",
                calendar=plan.calendar.name or "",
                consultant=self._get_consultant_name(),
                deadline=format_date(self.env, self.date),
            ),
            "published_name": client.env._("The dates are still to be planned"),
            "published_text": client.env._(
                "Whether the planned date can be kept is not known yet."
            ),
            "causes": [f"calendar {plan.calendar.id}", f"user {self.user_id.id}"],
            "gravity": 1,
        }

    def _find_deadline(self, plan, left):
        """Find that the deadline comes before the earliest date, or has passed.

        :param plan: see :meth:`_get_plans`
        :param float left: hours to be done
        """
        if not plan:
            return None
        today = self._get_today()
        start = max(today, self.date_start or today)
        earliest = self._get_earliest_date(plan, left, start)
        deadline = format_date(self.env, self.date)
        client = self._with_lang_of_client()
        published = client.env._(
            "The planned date is %s.", format_date(client.env, self.date)
        )
        if self.date < today:
            text = self.env._("The deadline, %s, has passed.", deadline)
        elif earliest and earliest <= self.date:
            return None
        elif earliest:
            text = self.env._(
                "The deadline is %(deadline)s, the earliest possible date "
                "%(earliest)s.",
                deadline=deadline,
                earliest=format_date(self.env, earliest),
            )
            possible = client.env._(
                "With the hours and the people planned, the earliest date is %s.",
                format_date(client.env, earliest),
            )
            published = f"{published} {possible}"
        elif plan.hours_by_day:
            text = self.env._(
                "The deadline, %s, cannot be reached: the hours do not fit into the "
                "next two years.",
                deadline,
            )
        else:
            return None
        late = (earliest or today + timedelta(days=HORIZON)) - self.date
        return "feasibility_deadline", {
            "name": self.env._("The deadline cannot be reached"),
            "type": "commercial",
            "severity": "high",
            "description": "\n".join(
                (
                    text,
                    self._get_plan_text(plan, left),
                    self.env._(
                        "Did the salesperson accept this deadline, and does the client "
                        "know?"
                    ),
                )
            ),
            "published_name": client.env._("The planned date cannot be kept"),
            "published_text": published,
            # Whoever accepted one date did not accept another one
            "causes": [f"deadline {self.date}"],
            "gravity": max(late.days, 1),
        }

    def _get_consultant_name(self):
        return self.user_id.name or self.env._("the consultant to come")

    def _get_plan_text(self, plan, left):
        """Return the figures that the earliest date is calculated from."""
        consultant = self._get_consultant_name()
        parts = [
            self.env._(
                "%(left)s hours are left. This takes into account %(consultant)s, the "
                "working calendar “%(calendar)s”, leaves and public holidays.",
                left=self._format_hours(left),
                consultant=consultant,
                calendar=plan.calendar.name or "",
            )
        ]
        if self.weekly_hours:
            parts.append(
                self.env._(
                    "The project gets %s hours a week at most.",
                    self._format_hours(self.weekly_hours),
                )
            )
        if plan.sharers > 1:
            parts.append(
                self.env._(
                    "%(count)s running projects share the working hours of "
                    "%(consultant)s: those with hours a week get these, the others "
                    "equal parts of the rest.",
                    count=plan.sharers,
                    consultant=consultant,
                )
            )
        return " ".join(parts)

    def _get_earliest_date(self, plan, hours, start):
        """Return the day on which hours can be done at the earliest.

        :param plan: see :meth:`_get_plans`
        :param float hours: to be done from ``start`` on
        :return: date, or None when they do not fit
        """
        if hours <= 0:
            return start
        done_in_week = defaultdict(float)
        for day, working in plan.hours_by_day.items():
            if day < start:
                continue
            week = day.isocalendar()[:2]
            if week in plan.hours_by_week:
                working = min(working, plan.hours_by_week[week] - done_in_week[week])
            done_in_week[week] += working
            hours -= working
            if float_compare(hours, 0, precision_digits=4) <= 0:
                return day
        return None

    def _get_plans(self, hours):
        """Return when the consultant of each project can work on it, from today on.

        Running projects of one consultant that have hours left share the weeks of the
        working calendar: those with hours a week get these, less where a week has not
        enough for all of them, and the others equal parts of the rest.

        :param hours: what :meth:`_get_feasible_hours` said of these projects
        :return: dict from project to its :class:`Plan`
        """
        if not self:
            return {}
        working = self._get_working_days()
        # Who works without a consultant shares nobody's week yet
        running = self.search(
            self._get_running_domain() & Domain("user_id", "in", self.user_id.ids)
        )
        known = self.union(*hours)
        hours = (running - known)._get_feasible_hours() | hours
        by_user = (
            running.filtered(lambda project: hours[project][1] > 0) | self
        ).grouped("user_id")
        weeks = {}
        plans = {}
        for project in self:
            calendar, hours_by_day = working[project]
            if id(hours_by_day) not in weeks:
                weeks[id(hours_by_day)] = self._sum_weeks(hours_by_day)
            together = by_user[project.user_id] if project.user_id else project
            plans[project] = project._plan(
                calendar, hours_by_day, weeks[id(hours_by_day)], together
            )
        return plans

    def _sum_weeks(self, hours_by_day):
        """Return the hours of each ISO week."""
        weeks = defaultdict(float)
        for day, hours in hours_by_day.items():
            weeks[day.isocalendar()[:2]] += hours
        return weeks

    def _plan(self, calendar, hours_by_day, weeks, together):
        """Return the :class:`Plan` of the project.

        :param hours_by_day: the working hours of its consultant by date
        :param weeks: the same by ISO week
        :param together: the projects that share these hours, this one included
        """
        asked = sum(together.mapped("weekly_hours"))
        if self.weekly_hours:
            by_week = {
                week: self.weekly_hours * min(1, hours / asked)
                for week, hours in weeks.items()
            }
            return Plan(calendar, hours_by_day, by_week, len(together))
        if len(together) == 1:
            return Plan(calendar, hours_by_day, {}, 1)
        others = len(together.filtered(lambda project: not project.weekly_hours))
        parts = {
            week: max(hours - asked, 0) / hours / others
            for week, hours in weeks.items()
            if hours
        }
        by_day = {
            day: hours * parts[day.isocalendar()[:2]]
            for day, hours in hours_by_day.items()
            if hours
        }
        return Plan(calendar, by_day, {}, len(together))

    def _get_working_days(self):
        """Return the working time of the consultant of each project, week by week.

        It follows the working calendar of the employee, contracts, leaves and public
        holidays included. Without an employee it is the calendar of the company.

        :return: dict from project to (calendar, dict from date to hours in order), from
            the Monday of this week on
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
            zone = ZoneInfo(resource.tz or calendar.tz or "UTC")
            of_project[project] = resource, calendar, zone
            if not resource:
                calendars |= calendar
        used = resources.browse().union(*(item[0] for item in of_project.values()))
        today = min(project._get_today() for project in self)
        monday = today - timedelta(days=today.weekday())
        # The first hours of a Monday in the east are those of a Sunday here
        start = datetime.combine(monday, time.min, UTC) - timedelta(days=1)
        by_resource, by_calendar = used._get_valid_work_intervals(
            start, start + timedelta(days=HORIZON + 7), calendars=calendars
        )
        cache, result = {}, {}
        for project, (resource, calendar, zone) in of_project.items():
            key = (resource, calendar, zone)
            if key not in cache:
                hours = defaultdict(float)
                for begin, end, _attendance in (
                    by_resource[resource.id] if resource else by_calendar[calendar.id]
                ):
                    day = begin.astimezone(zone).date()
                    if day >= monday:
                        hours[day] += (end - begin).total_seconds() / 3600
                cache[key] = dict(sorted(hours.items()))
            result[project] = calendar, cache[key]
        return result
