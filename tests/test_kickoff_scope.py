from datetime import date, datetime
from unittest.mock import patch

import psycopg2

from odoo import models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user, tagged, users
from odoo.tools import mute_logger

from .common import LifecycleCommon

# A Monday
TODAY = "2026-03-02"


@freeze_time(TODAY)
class ScopeCommon(LifecycleCommon):
    """A client project with 40 hours sold, in the quick-start approach."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._keep_criteria("kickoff_risks", "implementation_scope")
        for name in (
            "crm",
            "sales",
            "inventory",
            "manufacturing",
            "studio",
            "hr",
            "payroll",
        ):
            application = cls.env.ref(f"project_lifecycle.application_{name}")
            setattr(cls, name, application)
        cls.main = cls.env["project.application"].search([("is_main", "=", True)])
        cls.quick_start = cls.env.ref("project_lifecycle.approach_quick_start")
        cls.extensive = cls.env.ref("project_lifecycle.approach_extensive")
        # Full working days of eight hours, in a time zone like that of the users
        cls.calendar = cls.env["resource.calendar"].create(
            {
                "name": "Eight hours a day",
                "tz": "Europe/Madrid",
                "company_id": cls.env.company.id,
                "attendance_ids": [Command.clear()]
                + [
                    Command.create(
                        {
                            "name": "Day",
                            "dayofweek": str(day),
                            "hour_from": 8,
                            "hour_to": 16,
                            "day_period": "morning",
                        }
                    )
                    for day in range(5)
                ],
            }
        )
        cls.employee = cls.env["hr.employee"].create(
            {
                "name": cls.consultant.name,
                "user_id": cls.consultant.id,
                "resource_calendar_id": cls.calendar.id,
                "tz": "Europe/Madrid",
            }
        )
        cls.project = cls._create_project()
        cls.pack = cls._create_pack(cls.project, 40)

    @classmethod
    def _add_scope(cls, applications, project=None, **values):
        project = cls.project if project is None else project
        return cls.env["project.scope.line"].create(
            [
                {
                    "project_id": project.id,
                    "application_id": application.id,
                    "reason": "The client works by hand",
                }
                | values
                for application in applications
            ]
        )

    def _get_finding(self, kind, project=None):
        """Return the finding of that kind, open or not."""
        project = self.project if project is None else project
        return project.risk_ids.filtered(lambda risk: risk.key == f"feasibility_{kind}")

    def _run_cron(self):
        cron = self.env.ref("project_lifecycle.ir_cron_feasibility")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()

    def assertFound(self, kind, *words, project=None):
        """Check that the finding is open and tells these words."""
        finding = self._get_finding(kind, project)
        self.assertEqual(finding.state, "open", kind)
        for word in words:
            self.assertIn(word, finding.description)
        return finding

    def assertNotFound(self, kind, project=None):
        self.assertFalse(
            self._get_finding(kind, project).filtered(lambda r: r.state == "open")
        )


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestFeasibility(ScopeCommon):
    """What was sold is challenged by the system (methodology, section 1)."""

    # 1. Full scope in quick-start with 40 hours
    def test_full_scope_in_quick_start_with_40_hours(self):
        self.assertEqual(self.project.approach_id, self.quick_start)
        self._add_scope(self.main)
        standard = sum(self.main.mapped("standard_hours"))
        finding = self.assertFound(
            "hours",
            "full scope",
            "40 are sold",
            f"{standard:.0f} h",
            f"{standard / 0.9:.2f} hours",
            "Quick start",
            "10 % of the whole",
            "CRM 6",
        )
        self.assertRecordValues(
            finding,
            [
                {
                    "origin": "feasibility",
                    "type": "commercial",
                    "severity": "high",
                    "owner_id": self.salesperson.id,
                }
            ],
        )

    def test_small_scope_with_40_hours_is_fine(self):
        self._add_scope(self.crm | self.sales)
        self.assertFalse(self.project.risk_ids)

    def test_full_scope_with_enough_hours_in_the_extensive_approach_is_fine(self):
        self._create_pack(self.project, 200)
        self.project.approach_id = self.extensive
        self._add_scope(self.main)
        self.assertFalse(self.project.risk_ids)

    def test_exactly_the_hours_needed_are_enough(self):
        self.crm.standard_hours = 36
        self._add_scope(self.crm)
        self.assertAlmostEqual(self.project.scope_hours, 40)
        self.assertNotFound("hours")

    def test_nothing_sold_yet_does_not_shut_the_gate(self):
        project = self._create_project(name="Not sold")
        self._add_scope(self.crm, project)
        finding = self.assertFound("hours", "0 are sold", project=project)
        self.assertEqual((finding.type, finding.severity), ("scope", "medium"))
        project.stage_id = self.stage_kickoff

    def test_effort_model_is_data(self):
        self._add_scope(self.crm)
        self.assertNotFound("hours")
        self.quick_start.factor = 10
        self.assertFound("hours", "× 10 for")
        self.quick_start.factor = 1
        self.assertNotFound("hours")
        self.crm.standard_hours = 50
        self.assertFound("hours", "CRM 50")
        self.crm.standard_hours = 20
        self.assertNotFound("hours")
        self.env.company.kickoff_share_target = 60
        self.assertFound("hours", "60 % of the whole")
        self.env.company.kickoff_share_target = 100  # no measure, and no crash
        self.assertNotFound("hours")

    def test_scope_without_hours_model(self):
        self.crm.standard_hours = 0
        self._add_scope(self.crm | self.sales)
        finding = self.assertFound("effort", "No standard hours are known for CRM")
        self.assertEqual(finding.owner_id, self.consultant)
        self.crm.standard_hours = 6
        self.assertEqual(finding.state, "resolved")

    # 2. Customisations and no application that allows them
    def test_customisations_without_studio(self):
        lines = self._add_scope(self.crm | self.sales, customisation_wanted=True)
        finding = self.assertFound("customisation", "2 lines", "CRM, Sales", "Studio")
        self.assertEqual(finding.type, "commercial")
        lines.customisation_wanted = False
        self.assertEqual(finding.state, "resolved")

    def test_customisations_with_studio_in_scope_are_fine(self):
        self._add_scope(self.crm, customisation_wanted=True)
        self._add_scope(self.studio)
        self.assertNotFound("customisation")

    def test_customisations_with_studio_in_the_order_are_fine(self):
        self._add_scope(self.crm, customisation_wanted=True)
        self._sell(self.studio)
        self.project.scope_line_ids.filtered(
            lambda line: line.application_id == self.studio
        ).unlink()
        self.assertNotFound("customisation")

    def test_no_customisation_is_fine(self):
        self._add_scope(self.crm | self.sales)
        self.assertNotFound("customisation")

    # 3. Deadline
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
        self.assertFound("deadline", "03/10/2026")
        Leave.search([("resource_id", "=", self.employee.resource_id.id)]).unlink()
        self.assertFound("deadline", "03/09/2026")

    def test_a_change_of_the_working_calendar_counts_at_once(self):
        self.project.date = "2026-03-06"
        self.assertNotFound("deadline")
        self.calendar.attendance_ids.filtered(lambda a: a.dayofweek == "4").unlink()
        finding = self.assertFound("deadline", "03/09/2026")
        self.employee.resource_id.calendar_id = self.env.company.resource_calendar_id
        self.assertEqual(finding.state, "resolved")

    def test_a_start_in_the_future_puts_off_the_earliest_date(self):
        self.project.write({"date_start": "2026-03-09", "date": "2026-03-10"})
        self.assertFound("deadline", "03/13/2026")
        self.project.date = "2026-03-13"
        self.assertEqual(self._get_finding("deadline").state, "resolved")

    def test_an_old_answer_does_not_answer_a_deadline_found_again(self):
        self.project.date = "2026-03-05"
        finding = self.assertFound("deadline")
        finding.write({"answer": "The client knows", "state": "accepted"})
        finding.action_reopen()
        self.assertFalse(finding.answer)
        with self.assertRefused(ValidationError, "Write the answer"):
            finding.action_accept()
        self.project.date = "2026-04-30"
        self.assertEqual(finding.state, "resolved")
        self.project.date = "2026-03-05"
        self.assertEqual(finding.state, "open")

    def test_cancelling_the_pack_does_not_make_the_finding_smaller(self):
        self._add_scope(self.main)
        finding = self.assertFound("hours")
        self.pack.cancelled = True
        self.assertEqual((finding.type, finding.severity), ("commercial", "high"))

    def test_nobody_forges_a_finding(self):
        Risk = self.env["project.risk"].with_user(self.consultant)
        vals = {"name": "Mine", "project_id": self.project.id}
        with self.assertRefused(AccessError, "Only the system"):
            Risk.with_context(default_key="feasibility_hours").create(vals)
        self._add_scope(self.main)
        finding = self._get_finding("hours")
        with self.assertRefused(AccessError, "Only the system"):
            finding.with_user(self.consultant).key = False

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

    def test_a_deadline_alone_is_kept(self):
        # Stock Odoo drops a deadline without a start
        project = self._create_project(name="Dated")
        project.date = "2026-05-05"
        self.assertEqual(project.date, date(2026, 5, 5))
        self.assertEqual(project.date_start, date(2026, 3, 2))

    # 4. A missing application
    def test_application_that_another_needs_is_missing(self):
        self._create_pack(self.project, 100)
        self._add_scope(self.manufacturing)
        finding = self.assertFound("application", "Manufacturing needs Inventory")
        self.assertEqual(finding.type, "commercial")
        self._add_scope(self.inventory)
        self.assertEqual(finding.state, "resolved")

    def test_application_for_the_need_of_a_scope_line_is_missing(self):
        line = self._add_scope(self.crm)
        self.assertNotFound("application")
        line.required_application_ids = self.payroll
        self.assertFound("application", "CRM needs Payroll")
        line.required_application_ids = False
        self.assertNotFound("application")

    def test_application_in_the_order_is_not_missing(self):
        self._create_pack(self.project, 100)
        self._sell(self.inventory)
        self.project.scope_line_ids.unlink()
        self._add_scope(self.manufacturing)
        self.assertNotFound("application")

    def test_catalogue_says_what_is_needed(self):
        self._add_scope(self.crm)
        self.crm.required_application_ids = self.sales
        self.assertFound("application", "CRM needs Sales")
        with self.assertRefused(ValidationError, "cannot need itself"):
            self.crm.required_application_ids = self.crm

    # Idempotent, answered, worse
    def test_findings_are_raised_once(self):
        self._add_scope(self.main)
        before = self.project.risk_ids
        self.project._update_findings()
        self._run_cron()
        self.assertEqual(self.project.risk_ids, before)
        self.assertEqual(len(before.activity_ids), len(before))

    def test_finding_follows_its_figures(self):
        self._add_scope(self.main)
        finding = self.assertFound("hours", "40 are sold")
        self.pack.purchased_hours = 50
        self.assertFound("hours", "50 are sold")
        self.pack.purchased_hours = 400
        self.assertEqual(finding.state, "resolved")
        self.assertFalse(finding.activity_ids)
        self.assertIn("cause is gone", finding.message_ids[0].body)
        self.pack.purchased_hours = 60
        self.assertEqual(self.assertFound("hours", "60 are sold"), finding)
        self.assertEqual(finding.activity_ids.user_id, self.salesperson)
        self.assertIn("Opened again", finding.message_ids[0].body)

    def test_accepted_finding_stays_accepted_unless_the_figures_get_worse(self):
        self._add_scope(self.main)
        finding = self._get_finding("hours")
        finding.write({"answer": "The client does half of it", "state": "accepted"})
        self.project._update_findings()
        self.pack.purchased_hours = 45
        self.assertEqual(finding.state, "accepted")
        self.pack.purchased_hours = 40
        self.assertEqual(finding.state, "accepted")
        self.pack.purchased_hours = 30
        self.assertFound("hours", "30 are sold")
        self.assertFalse(finding.answer)
        self.assertIn(
            "The client does half of it", "".join(finding.message_ids.mapped("body"))
        )

    def test_accepted_deadline_does_not_come_back_every_day(self):
        self.project.date = "2026-03-05"
        finding = self._get_finding("deadline")
        finding.write({"answer": "The client knows", "state": "accepted"})
        with freeze_time("2026-03-04"):
            self._run_cron()
            self.assertEqual(finding.state, "accepted")
        with freeze_time("2026-03-16"):
            self._run_cron()
            self.assertEqual(finding.state, "open")

    def test_resolved_by_hand_while_the_cause_is_there(self):
        self._add_scope(self.main)
        finding = self._get_finding("hours")
        with self.assertRefused(ValidationError, "cause of .* is still there"):
            finding.action_resolve()
        finding.answer = "40 more hours are being signed"
        finding.action_resolve()
        self.project._update_findings()
        self.assertEqual(finding.state, "resolved")

    def test_finished_projects_have_no_findings(self):
        for stage in ("kickoff", "implementation", "go_live"):
            self.project.stage_id = getattr(self, f"stage_{stage}")
        self.project.date = "2026-03-03"
        finding = self.assertFound("deadline")
        self.project.stage_id = self.stage_support
        self.assertEqual(finding.state, "resolved")

    def test_other_projects_have_no_findings(self):
        stock = self.env["project.project"].create(
            {"name": "Stock", "date_start": "2026-01-01", "date": "2026-01-31"}
        )
        self.assertFalse(stock.risk_ids)
        self.assertFalse(stock.approach_id)
        with self.assertRefused(ValidationError, "no client implementation"):
            self._add_scope(self.crm, stock)
        with self.assertRefused(ValidationError, "no client implementation"):
            self.env["project.risk"].create({"name": "X", "project_id": stock.id})

    def test_texts_are_in_the_language_of_the_salesperson(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.salesperson.lang = "fr_FR"
        self.project.date = "2026-03-05"
        self.assertIn("05/03/2026", self._get_finding("deadline").description)

    # Scope from the order
    def _sell(self, *applications):
        products = self.env["product.product"].create(
            [
                {
                    "name": application.name,
                    "type": "service",
                    "application_id": application.id,
                }
                for application in applications
            ]
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.client.id,
                "project_id": self.project.id,
                "order_line": [
                    Command.create({"product_id": product.id}) for product in products
                ],
            }
        )
        order.with_user(self.env.ref("base.user_admin")).action_confirm()
        return order

    def test_scope_comes_from_the_products_of_the_order(self):
        self._add_scope(self.crm, reason="Leads get lost")
        order = self._sell(self.crm, self.sales)
        lines = self.project.scope_line_ids
        self.assertEqual(lines.application_id, self.crm | self.sales)
        self.assertEqual(len(lines), 2)
        self.assertEqual(lines.mapped("reason"), ["Leads get lost", False])
        product = order.order_line[0].product_id.copy({"name": "Payroll"})
        product.application_id = self.payroll
        order.order_line = [Command.create({"product_id": product.id})]
        self.assertIn(self.payroll, self.project.scope_line_ids.application_id)
        self.assertFound("application", "Payroll needs Employees")
        order.order_line._update_scope()
        self.assertEqual(len(self.project.scope_line_ids), 3)

    @mute_logger("odoo.sql_db")
    def test_bad_input(self):
        self._add_scope(self.crm)
        for values, error in (
            ({"application_id": self.crm.id}, psycopg2.IntegrityError),
            ({"application_id": False}, psycopg2.IntegrityError),
        ):
            with self.assertRaises(error), self.cr.savepoint():
                self.env["project.scope.line"].create(
                    {"project_id": self.project.id} | values
                )
        for record, values in (
            (self.crm, {"standard_hours": -1}),
            (self.quick_start, {"factor": 0}),
            (self.project, {"weekly_hours": -1}),
        ):
            with self.assertRaises(psycopg2.IntegrityError), self.cr.savepoint():
                record.write(values)
                self.env.flush_all()


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestRisks(ScopeCommon):
    """Commercial problems are the salesperson's, and keep the gate shut."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_salesperson = new_test_user(
            cls.env, "pl_other_seller", groups="sales_team.group_sale_salesman"
        )
        cls._add_scope(cls.main)
        cls.finding = cls.project.risk_ids
        cls.other_project = cls._create_project(
            name="Of others",
            user_id=cls.colleague.id,
            salesperson_id=cls.other_salesperson.id,
        )
        cls.risk = cls.env["project.risk"].create(
            {
                "name": "Expects automatic salaries",
                "project_id": cls.other_project.id,
                "type": "commercial",
            }
        )

    def test_gate_to_the_kickoff_stays_shut_until_answered(self):
        message = "Every commercial and every high risk is answered"
        project = self.project.with_user(self.consultant)
        with self.assertRefused(UserError, message):
            project.stage_id = self.stage_kickoff
        self.finding.action_challenge()
        with self.assertRefused(UserError, message):
            project.stage_id = self.stage_kickoff
        with self.assertRefused(ValidationError, "Write the answer"):
            self.finding.with_user(self.salesperson).write({"state": "accepted"})
        with self.assertRefused(ValidationError, "Write the answer"):
            self.finding.write({"state": "accepted", "answer": "  \n"})
        self.finding.with_user(self.salesperson).write(
            {"state": "accepted", "answer": "The client trains the users alone"}
        )
        project.stage_id = self.stage_kickoff

    def test_gate_opens_when_the_cause_is_gone(self):
        self._create_pack(self.project, 200)
        self.project.with_user(self.consultant).stage_id = self.stage_kickoff

    def test_gate_knows_what_changes_with_the_stage(self):
        self._create_pack(self.project, 200)
        with self.assertRefused(UserError, "risk is answered"):
            self.project.write(
                {"stage_id": self.stage_kickoff.id, "date": "2026-03-03"}
            )
        self.assertFalse(self.project.date)
        self.assertEqual(self.project.stage_id, self.stage_internal_kickoff)

    def test_commercial_risk_of_any_severity_shuts_the_gate(self):
        self.risk.severity = "low"
        with self.assertRefused(UserError, "risk is answered"):
            self.other_project.stage_id = self.stage_kickoff
        self.risk.type = "technical"
        self.other_project.stage_id = self.stage_kickoff

    def test_every_application_in_scope_has_its_reason(self):
        self.finding.write({"state": "accepted", "answer": "Yes"})
        self.project.stage_id = self.stage_kickoff
        line = self.project.scope_line_ids[0]
        for reason in (False, "", "   "):
            line.reason = reason
            with self.assertRefused(UserError, "has its reason"):
                self.project.stage_id = self.stage_implementation
        line.reason = "Leads get lost"
        self.project.stage_id = self.stage_implementation

    def test_salesperson_is_asked_by_an_activity(self):
        activity = self.finding.activity_ids
        self.assertEqual(activity.user_id, self.salesperson)
        self.assertIn("hours", activity.summary)
        self.assertIn("Effort model", activity.note)

    def test_salesperson_answers_from_the_activity(self):
        activity = self.finding.activity_ids.with_user(self.salesperson)
        with self.assertRefused(UserError, "in the feedback"):
            activity.action_done()
        activity.action_feedback(feedback="<p>40 more hours are signed</p>")
        self.assertEqual(self.finding.state, "accepted")
        self.assertEqual(self.finding.answer, "40 more hours are signed")
        self.assertFalse(self.finding.activity_ids)

    def test_answering_in_the_form_closes_the_activity(self):
        with Form(self.finding.with_user(self.salesperson)) as form:
            with self.assertRaises(AssertionError):
                form.severity = "low"
            form.answer = "<script>alert(1)</script> The client knows"
        self.finding.with_user(self.salesperson).action_accept()
        self.assertFalse(self.finding.activity_ids)
        self.assertIn("<script>", self.finding.answer)  # plain text, always escaped

    def test_another_salesperson_takes_over(self):
        self.project.salesperson_id = self.other_salesperson
        self.assertEqual(self.finding.owner_id, self.other_salesperson)
        self.other_project.salesperson_id = self.salesperson
        self.assertEqual(self.risk.owner_id, self.salesperson)
        self.assertEqual(self.risk.activity_ids.user_id, self.salesperson)
        self.risk.type = "technical"
        self.assertEqual(self.risk.owner_id, self.colleague)
        self.assertEqual(self.risk.activity_ids.user_id, self.colleague)
        self.assertEqual(self.finding.activity_ids.user_id, self.other_salesperson)

    def test_answer_of_a_reopened_risk(self):
        self.finding.write({"state": "accepted", "answer": "Yes"})
        self.finding.action_reopen()
        self.assertEqual(self.finding.activity_ids.user_id, self.salesperson)

    # Rights
    @users("pl_salesperson")
    def test_salesperson_reaches_only_the_own_risks(self):
        Risk = self.env["project.risk"]
        self.assertEqual(Risk.search([]), self.finding)
        for function in (
            lambda: self.risk.with_env(self.env).read(["name"]),
            lambda: self.risk.with_env(self.env).write({"answer": "Mine"}),
            lambda: Risk.create({"name": "X", "project_id": self.project.id}),
            lambda: self.finding.with_env(self.env).unlink(),
        ):
            with self.assertRaises(AccessError), self.cr.savepoint():
                function()

    @users("pl_salesperson")
    def test_salesperson_writes_nothing_but_the_answer(self):
        finding = self.finding.with_env(self.env)
        for values in (
            {"name": "Harmless"},
            {"severity": "low"},
            {"type": "technical"},
            {"owner_id": self.other_salesperson.id},
            {"description": "All is fine"},
            {"is_published": True},
            {"project_id": self.other_project.id},
            {"answer": "Yes", "state": "accepted", "severity": "low"},
        ):
            with (
                self.subTest(values=values),
                self.assertRefused(AccessError, "you answer risks"),
            ):
                finding.write(values)
        imported = finding.load([".id", "name"], [[str(finding.id), "Harmless"]])
        self.assertFalse(imported["ids"])
        self.assertIn("you answer risks", imported["messages"][0]["message"])
        self.assertNotEqual(finding.name, "Harmless")
        with self.assertRefused(AccessError, "raises its findings"):
            finding.write({"gravity": 1000})
        finding.write({"answer": "Yes", "state": "accepted"})

    @users("pl_salesperson")
    def test_salesperson_hands_over_the_scope(self):
        line = self.project.with_env(self.env).scope_line_ids[0]
        line.write({"reason": "Bought it for the leads", "wave": "improvement"})
        self.env["project.scope.line"].create(
            {"project_id": self.project.id, "application_id": self.hr.id}
        )
        with self.assertRaises(AccessError), self.cr.savepoint():
            self.env["project.scope.line"].create(
                {"project_id": self.other_project.id, "application_id": self.hr.id}
            )
        self.finding.sudo().write({"state": "accepted", "answer": "Yes"})
        project = self.project.sudo()
        self.project.scope_line_ids.sudo().reason = "Yes"
        project.stage_id = self.stage_kickoff
        self.finding.sudo().write({"state": "accepted", "answer": "Yes"})
        project.stage_id = self.stage_implementation
        with self.assertRaises(AccessError), self.cr.savepoint():
            line.reason = "Something else"

    @users("pl_consultant")
    def test_consultant_changes_the_risks_of_the_own_projects(self):
        risk = self.env["project.risk"].create(
            {"name": "Old hardware", "project_id": self.project.id, "type": "technical"}
        )
        self.assertEqual(risk.owner_id, self.consultant)
        risk.write({"severity": "low", "is_published": True})
        self.assertEqual(self.risk.with_env(self.env).name, self.risk.name)
        for function in (
            lambda: self.risk.with_env(self.env).write({"severity": "low"}),
            lambda: risk.write({"project_id": self.other_project.id}),
            lambda: self.env["project.risk"].create(
                {"name": "X", "project_id": self.other_project.id}
            ),
            lambda: self.env["project.scope.line"].create(
                {"project_id": self.other_project.id, "application_id": self.crm.id}
            ),
            lambda: self.crm.with_env(self.env).write({"standard_hours": 1}),
            lambda: self.quick_start.with_env(self.env).write({"factor": 0.1}),
            lambda: risk.unlink(),
        ):
            with self.assertRaises(AccessError), self.cr.savepoint():
                function()

    @users("pl_consultant")
    def test_owner_answers_a_risk_of_another_project(self):
        risk = self.risk.with_env(self.env)
        self.risk.owner_id = self.consultant
        with self.assertRefused(AccessError, "you answer risks"):
            risk.name = "Harmless"
        risk.write({"answer": "Asked the client", "state": "resolved"})
        self.risk.owner_id = self.colleague
        with self.assertRaises(AccessError), self.cr.savepoint():
            risk.answer = "Mine again"

    def test_findings_are_not_deleted_nor_forged(self):
        with self.assertRefused(UserError, "stays in the history"):
            self.finding.with_user(self.manager).unlink()
        self.risk.with_user(self.manager).unlink()
        with self.assertRefused(AccessError, "raises its findings"):
            self.env["project.risk"].with_user(self.manager).create(
                {
                    "name": "X",
                    "project_id": self.other_project.id,
                    "key": "feasibility_hours",
                }
            )
        with self.assertRefused(AccessError, "stays with its project"):
            self.finding.with_user(self.manager).project_id = self.other_project

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_access")
    def test_client_reads_nothing_of_it(self):
        self.risk.is_published = True
        self.project.write(
            {"privacy_visibility": "portal", "message_partner_ids": self.spoc.ids}
        )
        for user in (self.spoc_user, self.stranger_user):
            for model in (
                "project.risk",
                "project.scope.line",
                "project.application",
                "project.approach",
            ):
                with self.assertRaises(AccessError):
                    self.env[model].with_user(user).search_read([])
            with self.assertRaises(AccessError):
                self.project.with_user(user).read(["scope_line_ids", "risk_ids"])

    def test_other_company(self):
        company = self.env["res.company"].create({"name": "Other firm"})
        self.project.company_id = self.env.company
        manager = new_test_user(
            self.env,
            "pl_other_manager",
            groups="project.group_project_manager",
            company_id=company.id,
        )
        for model in ("project.risk", "project.scope.line"):
            found = (
                self.env[model]
                .with_user(manager)
                .search([("project_id", "=", self.project.id)])
            )
            self.assertFalse(found)

    # Raising
    def test_raising_twice_makes_one_risk(self):
        vals = {
            "project_id": self.other_project.id,
            "key": "too_many_cycles",
            "name": "More than two cycles",
            "origin": "manual",
            "type": "scope",
            "severity": "high",
        }
        Risk = self.env["project.risk"].with_user(self.consultant)
        risk = Risk._raise_risks([vals, vals])
        self.assertEqual(len(risk), 1)
        risk.write({"answer": "Known", "state": "accepted"})
        self.assertEqual(Risk._raise_risks([vals | {"name": "Other"}]), risk)
        self.assertEqual((risk.name, risk.state), ("More than two cycles", "accepted"))

    # Change of the SPOC
    def test_change_of_the_spoc_after_the_kickoff(self):
        director = new_test_user(
            self.env, "pl_director", groups="project.group_project_manager"
        )
        self.env.company.project_director_id = director
        new_spoc = self.env["res.partner"].create(
            {"name": "Carlos Vega", "parent_id": self.client.id}
        )
        project = self._create_project(name="Changing", spoc_id=self.spoc.id)
        project.spoc_id = new_spoc
        self.assertFalse(project.risk_ids, "nothing was explained to the first one yet")
        self._create_meeting(project, "kickoff")
        project.with_user(self.consultant).spoc_id = self.spoc
        risk = project.risk_ids
        self.assertEqual(risk.origin, "spoc_change")
        self.assertIn("Carlos Vega handed over to Beatriz Soler", risk.description)
        self.assertEqual(risk.owner_id, self.consultant)
        self.assertEqual(risk.activity_ids.user_id, self.consultant | director)
        project.spoc_id = self.spoc
        self.assertEqual(project.risk_ids, risk)

    def test_change_of_the_spoc_tells_the_managers_without_a_director(self):
        project = self._create_project(name="Changing", spoc_id=self.spoc.id)
        self._create_meeting(project, "kickoff")
        project.spoc_id = False
        risk = project.risk_ids
        self.assertIn("nobody yet", risk.description)
        self.assertIn(self.manager, risk.activity_ids.user_id)

    def test_project_from_the_template_has_approach_and_scope(self):
        template = self.env.ref("project_lifecycle.project_template_implementation")
        self.assertEqual(template.approach_id, self.quick_start)
        self._add_scope(self.crm, template)
        project = template.action_create_from_template({"name": "From template"})
        self.assertEqual(project.scope_line_ids.application_id, self.crm)
        self.assertEqual(project.approach_id, self.quick_start)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestFeasibilityQueries(ScopeCommon):
    """As many queries for many projects as for one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.projects = cls.env["project.project"].create(
            [
                {
                    "name": f"Project {number}",
                    "is_lifecycle": True,
                    "partner_id": cls.client.id,
                    "user_id": (cls.consultant | cls.colleague)[number % 2].id,
                    "salesperson_id": cls.salesperson.id,
                }
                for number in range(41)
            ]
        )
        cls.env["project.consultancy.pack"].create(
            [
                {"name": "Pack", "project_id": project.id, "purchased_hours": 40}
                for project in cls.projects
            ]
        )
        cls.env.flush_all()

    def _count(self, function):
        self.cr.flush()  # with what is tracked
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        function()
        self.cr.flush()  # with what is tracked
        return self.cr.sql_log_count - before

    def _fill(self, projects):
        """Give projects all four kinds of findings, without looking for them yet."""
        Project = self.registry["project.project"]
        with patch.object(Project, "_update_findings", lambda projects: None):
            projects.write({"date_start": "2026-03-01", "date": "2026-03-03"})
            self.env["project.scope.line"].create(
                [
                    {
                        "project_id": project.id,
                        "application_id": application.id,
                        "customisation_wanted": True,
                    }
                    for project in projects
                    for application in self.main - self.inventory
                ]
            )

    def test_queries(self):
        self._fill(self.projects)
        self.projects = self.projects.with_context(tracking_disable=False)
        one, few, rest = self.projects[0], self.projects[1:6], self.projects[6:]
        self._count(one._update_findings)  # warms the caches of the registry up
        # All of it is found for the first time: rows are inserted a hundred at a time
        first_few = self._count(few._update_findings)
        first_rest = self._count(rest._update_findings)
        self.assertLessEqual(first_rest, first_few + 8)
        self.assertEqual(len(self.projects.risk_ids), 4 * 41)
        # Nothing changed
        again_few = self._count(few._update_findings)
        again_all = self._count(self.projects._update_findings)
        self.assertEqual(again_all, again_few)
        self.assertLess(self._count(one._update_findings), 50)
        # All figures change
        Pack = self.registry["project.consultancy.pack"]
        for hours in (50, 60):
            with patch.object(Pack, "write", models.Model.write):
                self.projects.pack_ids.purchased_hours = hours
            projects = few if hours == 50 else self.projects
            count = self._count(projects._update_findings)
            if hours == 50:
                changed_few = count
        self.assertLessEqual(count, changed_few + 5)
        self.assertIn("60 are sold", one.risk_ids[-1].description)
        # A cause is gone, and comes back: the history is written, too
        for hours in (400, 30):
            with patch.object(Pack, "write", models.Model.write):
                self.projects.pack_ids.purchased_hours = hours
            few_count = self._count(few._update_findings)
            rest_count = self._count(rest._update_findings)
            self.assertLessEqual(rest_count, few_count + 8)

    def test_changing_many_projects_at_once(self):
        self._fill(self.projects)
        self.projects._update_findings()
        few, rest = self.projects[:5], self.projects[5:]
        self._count(lambda: few.write({"weekly_hours": 10}))
        few_count = self._count(lambda: few.write({"weekly_hours": 11}))
        rest_count = self._count(lambda: rest.write({"weekly_hours": 12}))
        self.assertLessEqual(rest_count, few_count + 5)
