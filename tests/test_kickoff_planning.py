from datetime import date, datetime

from odoo.tests import freeze_time, tagged

from .kickoff_scope_common import TODAY, ScopeCommon


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestPlanning(ScopeCommon):
    """Deadlines are checked with hours, calendars and capacity."""

    def test_deadline_before_the_earliest_date(self):
        # 40 hours in full days take Monday to Friday
        self.project.date = "2026-03-05"
        finding = self.assertFound(
            "deadline",
            "03/05/2026",
            "03/06/2026",
            "40 hours are left",
            "Eight hours a day",
            "does the client know",
        )
        self.assertEqual(finding.owner_id, self.salesperson)
        self.project.date = "2026-03-06"
        self.assertEqual(finding.state, "resolved")

    def test_leaves_and_public_holidays_put_off_the_earliest_date(self):
        self.project.date = "2026-03-06"
        self.assertNotFound("deadline")
        Leave = self.env["resource.calendar.leaves"]
        Leave.create(
            {
                "name": "Public holiday",
                "company_id": self.env.company.id,
                "date_from": datetime(2026, 3, 3),
                "date_to": datetime(2026, 3, 3, 23),
            }
        )
        self._run_cron("stale_findings")
        self.assertFound("deadline", "03/09/2026")
        Leave.create(
            {
                "name": "Day off",
                "resource_id": self.employee.resource_id.id,
                "calendar_id": self.calendar.id,
                "date_from": datetime(2026, 3, 9),
                "date_to": datetime(2026, 3, 9, 23),
            }
        )
        self._run_cron("stale_findings")
        self.assertFound("deadline", "03/10/2026")
        Leave.search([("resource_id", "=", self.employee.resource_id.id)]).unlink()
        self._run_cron("stale_findings")
        self.assertFound("deadline", "03/09/2026")

    def test_a_change_of_the_working_calendar_counts(self):
        self.project.date = "2026-03-06"
        self.assertNotFound("deadline")
        self.calendar.attendance_ids.filtered(lambda a: a.dayofweek == "4").unlink()
        self._run_cron("stale_findings")
        finding = self.assertFound("deadline", "03/09/2026")
        self.employee.resource_id.calendar_id = self.env.company.resource_calendar_id
        self._run_cron("stale_findings")
        self.assertEqual(finding.state, "resolved")

    def test_a_start_in_the_future_puts_off_the_earliest_date(self):
        self.project.write({"date_start": "2026-03-09", "date": "2026-03-10"})
        self.assertFound("deadline", "03/13/2026")
        self.project.date = "2026-03-13"
        self.assertEqual(self._get_finding("deadline").state, "resolved")

    def test_weekly_capacity_puts_off_the_earliest_date(self):
        self.project.date = "2026-03-20"
        self.assertNotFound("deadline")
        self.project.weekly_hours = 10
        # Ten hours in each of four weeks: the last of them on a Tuesday
        self.assertFound("deadline", "03/24/2026", "gets 10 hours a week")
        self.project.date = "2026-03-24"
        self.assertNotFound("deadline")

    def test_hours_used_bring_the_date_nearer(self):
        self.project.date = "2026-03-05"
        finding = self.assertFound("deadline")
        self.env["account.analytic.line"].with_user(self.consultant).create(
            {"name": "Work", "project_id": self.project.id, "unit_amount": 8}
        )
        self._run_cron()
        self.assertEqual(finding.state, "resolved")

    def test_another_consultant_another_calendar(self):
        self.project.date = "2026-03-05"
        self.assertFound("deadline")
        two_days = self.calendar.copy({"name": "Ten hours a day"})
        two_days.attendance_ids.hour_to = 18
        self.env["hr.employee"].create(
            {
                "name": self.colleague.name,
                "user_id": self.colleague.id,
                "resource_calendar_id": two_days.id,
            }
        )
        self.project.user_id = self.colleague
        self.assertNotFound("deadline")

    def test_deadline_in_the_past(self):
        self.project.date = "2026-02-02"
        finding = self.assertFound("deadline", "02/02/2026, has passed")
        self.assertEqual(finding.severity, "high")

    def test_calendar_without_working_hours(self):
        self.calendar.attendance_ids.unlink()
        self.project.date = "2026-04-30"
        finding = self.assertFound(
            "calendar", "Eight hours a day", "no working hours", "choose another"
        )
        self.assertNotFound("deadline")
        self.project.date = False
        self.assertEqual(finding.state, "resolved")

    def test_hours_that_do_not_fit_into_two_years(self):
        self.project.write({"weekly_hours": 0.25, "date": "2026-12-31"})
        self.assertFound("deadline", "next two years")

    def test_without_employee_the_calendar_of_the_company_counts(self):
        self.env.company.resource_calendar_id = self.calendar
        self.project.user_id = self.manager
        self.project.date = "2026-03-05"
        self.assertFound("deadline", "03/06/2026", "Eight hours a day")
        self.project.user_id = False
        self.assertFound("deadline", "the consultant to come")

    def test_projects_of_a_consultant_share_the_week(self):
        self.project.date = "2026-03-06"
        self.assertNotFound("deadline")
        other = self._create_project(name="Other", partner_id=self.other_client.id)
        self._create_pack(other, 40)
        self._run_cron("stale_findings")
        # Four hours a day for each of them
        self.assertFound("deadline", "03/13/2026", "2 running projects share")
        other.weekly_hours = 10
        self._run_cron("stale_findings")
        # Thirty hours are left in the first week, and six a day in the second
        self.assertFound("deadline", "03/10/2026")
        other.user_id = self.colleague
        self._run_cron("stale_findings")
        self.assertNotFound("deadline")

    def test_too_many_hours_a_week_are_cut_for_all(self):
        self.project.write({"weekly_hours": 40, "date": "2026-03-06"})
        other = self._create_project(name="Other", weekly_hours=40)
        self._create_pack(other, 80)
        self._run_cron("stale_findings")
        self.assertFound("deadline", "03/11/2026")  # 20 hours a week

    def test_a_project_without_hours_left_takes_nothing_of_the_week(self):
        self.project.date = "2026-03-06"
        self._create_project(name="Not sold yet", weekly_hours=40)
        self._run_cron()
        self.assertNotFound("deadline")

    def test_days_are_those_of_the_consultant(self):
        # Late on Thursday in Madrid it is Friday in Auckland
        for timezone, found in (("Pacific/Auckland", True), ("Europe/Madrid", False)):
            self.consultant.tz = self.employee.tz = timezone
            self.pack.purchased_hours = 8
            self.project.write({"date_start": "2026-03-01", "date": "2026-03-05"})
            with freeze_time("2026-03-05 18:00:00"):
                self._run_cron()
            self.assertEqual(self._get_finding("deadline").state == "open", found)

    def test_expired_packs_are_not_left(self):
        self.project.date = "2026-03-06"
        self._create_pack(self.project, 8, date_end="2026-02-28")
        self.assertNotFound("deadline")
        with freeze_time("2026-03-04"):
            self.pack.date_end = "2026-03-03"
            self.project.date = "2026-03-04"
            self.assertNotFound("deadline")  # nothing is left to be done
            self._add_scope(self.crm)
            self.assertFound("hours", "0 are sold")

    def test_a_deadline_alone_is_kept(self):
        # Stock Odoo drops a deadline without a start
        project = self._create_project(name="Dated")
        project.date = "2026-05-05"
        self.assertEqual(project.date, date(2026, 5, 5))
        self.assertEqual(project.date_start, date(2026, 3, 2))
