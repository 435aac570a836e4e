from datetime import datetime
from unittest.mock import patch

from odoo import models
from odoo.exceptions import ValidationError
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from .kickoff_scope_common import TODAY, ScopeCommon


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestFindings(ScopeCommon):
    """Findings are raised once, answered for their causes, and follow them."""

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

    def test_leaving_the_checked_stages_resolves_nothing_by_itself(self):
        self.project.date = "2026-03-03"
        finding = self.assertFound("deadline")
        self.env["project.stage.criterion"].search([]).active = False
        for name in ("kickoff", "implementation", "go_live", "support"):
            self.project.stage_id = getattr(self, f"stage_{name}")
        self._run_cron("stale_findings")
        self._run_cron()
        self.assertEqual(finding.state, "open")
        # Nothing new is found there, and what is gone is gone
        self._add_scope(self.main)
        self.assertFalse(self._get_finding("hours"))
        self.project.date = "2026-04-30"
        self.assertEqual(finding.state, "resolved")
        self.project.date = "2026-03-03"
        self.assertEqual(finding.state, "resolved")

    def test_an_answer_holds_for_its_causes(self):
        lines = self._add_scope(self.crm | self.sales)
        lines[0].customisation_wanted = True
        finding = self.assertFound("customisation")
        finding.write({"answer": "A workaround is agreed", "state": "accepted"})
        # As many as before, but others
        lines[1].customisation_wanted = True
        self.assertEqual(finding.state, "open")
        self.assertFalse(finding.answer)
        finding.write({"answer": "For both of them", "state": "accepted"})
        lines[0].customisation_wanted = False
        self.assertEqual(finding.state, "accepted")
        lines[0].customisation_wanted = True
        self.assertEqual(finding.state, "open", "it came back")

    def test_an_answer_does_not_hold_for_another_cause_of_the_same_weight(self):
        self._create_pack(self.project, 200)
        line = self._add_scope(self.crm)
        line.required_application_ids = self.payroll | self.hr
        finding = self.assertFound("application")
        finding.write({"answer": "They pay by hand", "state": "resolved"})
        line.required_application_ids = self.payroll | self.inventory
        self.assertEqual(finding.state, "open")

    def test_the_hours_of_another_application_are_another_cause(self):
        self.crm.standard_hours = self.sales.standard_hours = 60
        line = self._add_scope(self.crm)
        finding = self.assertFound("hours")
        finding.write({"answer": "The client does it", "state": "accepted"})
        gravity = finding.gravity
        line.application_id = self.sales
        self.assertFound("hours", "Sales 60")
        self.assertEqual(finding.gravity, gravity)

    def test_an_answer_about_one_deadline_is_none_about_another(self):
        self.project.date = "2026-03-05"
        finding = self._get_finding("deadline")
        finding.write({"answer": "The client knows", "state": "accepted"})
        self.project.date = "2026-03-04"
        self.assertEqual(finding.state, "open")

    def test_what_nobody_had_sold_is_answered_anew_once_it_is(self):
        project = self._create_project(name="Not sold")
        self._add_scope(self.main, project)
        finding = self.assertFound("hours", project=project)
        finding.with_user(self.consultant).write(
            {"answer": "Nothing is sold yet", "state": "accepted"}
        )
        self._create_pack(project, 40)
        self.assertFound("hours", "40 are sold", project=project)
        self.assertEqual(finding.type, "commercial")
        self.assertEqual(finding.owner_id, self.salesperson)

    def test_accepted_and_published_findings_close_with_their_cause(self):
        lines = self._add_scope(self.crm, customisation_wanted=True)
        finding = self.assertFound("customisation")
        finding.write({"answer": "By hand", "state": "accepted", "is_published": True})
        lines.customisation_wanted = False
        self.assertEqual(finding.state, "resolved")
        self.assertIn("cause is gone", finding.message_ids[0].body)
        lines.customisation_wanted = True
        self.assertEqual(finding.state, "open")
        self.assertFalse(finding.answer)

    def test_an_answer_given_while_the_cause_was_there_ends_with_it(self):
        lines = self._add_scope(self.crm, customisation_wanted=True)
        finding = self.assertFound("customisation")
        finding.write({"answer": "Studio is being signed", "state": "resolved"})
        lines.customisation_wanted = False
        self.assertEqual(finding.state, "resolved")
        lines.customisation_wanted = True
        self.assertEqual(finding.state, "open")

    def test_the_client_reads_another_text_in_the_own_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.spoc.lang = "fr_FR"
        self.project.write({"spoc_id": self.spoc.id, "date": "2026-03-05"})
        finding = self.assertFound("deadline", "03/05/2026")
        self.assertIn("05/03/2026", finding.published_text)
        for text in (finding.published_name, finding.published_text):
            self.assertNotIn("salesperson", text)
        self._add_scope(self.main, customisation_wanted=True)
        self.payroll.standard_hours = 0
        self._add_scope(self.payroll)
        self.project.risk_ids.is_published = True
        self.assertGreaterEqual(len(self.project.risk_ids), 4)
        self.env["project.stage.criterion"].search([]).active = False
        self.project.stage_id = self.stage_kickoff
        self._settle(self.project.checklist_ids)
        content = self._conclude_kickoff(self.project).content
        for risk in self.project.risk_ids:
            self.assertTrue(risk.published_text, risk.key)
            self.assertIn(risk.published_name, content)
            self.assertNotIn(risk.description.split(chr(10))[-1], content)

    def test_finding_without_salesperson_or_consultant(self):
        director = new_test_user(
            self.env, "pl_director", groups="project.group_project_manager"
        )
        self.env.company.project_director_id = director
        self.salesperson.active = False
        project = self._create_project(user_id=False)
        self._create_pack(project, 40)
        self._add_scope(self.main, project)
        finding = self.assertFound("hours", project=project)
        self.assertEqual(finding.owner_id, director)
        self.assertEqual(finding.activity_ids.user_id, director)
        project.user_id = self.consultant
        self.assertEqual(finding.owner_id, self.consultant)

    # Changes of other apps

    def test_a_fault_of_ours_does_not_break_a_leave(self):
        self.project.date = "2026-03-06"
        Project = self.registry["project.project"]
        Change = self.registry["project.feasibility.change"]
        vals = {
            "name": "Day off",
            "resource_id": self.employee.resource_id.id,
            "date_from": datetime(2026, 3, 4),
            "date_to": datetime(2026, 3, 4, 23),
        }

        def fail(*args, **kwargs):
            self.env.cr.execute("SELECT broken")

        for model, name in (
            (Project, "_update_findings"),
            (Project, "_get_findings"),
            (Change, "_insert"),
        ):
            with (
                self.subTest(name=name),
                patch.object(model, name, fail),
                mute_logger(
                    "odoo.sql_db",
                    "odoo.addons.project_lifecycle.models.kickoff"
                    ".project_feasibility_change",
                ),
            ):
                leave = self.env["resource.calendar.leaves"].create(vals)
                leave.date_to = datetime(2026, 3, 4, 20)
                leave.unlink()
                self.calendar.attendance_ids[0].hour_from = 9
                self.calendar.attendance_ids[0].hour_from = 8
                self.employee.resource_id.tz = "Europe/Paris"
                self.env.company.kickoff_share_target = 11
                self.quick_start.factor = 1.1
                self.crm.standard_hours = 7
        self.env.flush_all()

    def test_changes_of_other_apps_cost_little(self):
        self.project.date = "2026-03-06"
        Leave = self.env["resource.calendar.leaves"]
        vals = {
            "name": "Day off",
            "resource_id": self.employee.resource_id.id,
            "date_from": datetime(2026, 3, 4),
            "date_to": datetime(2026, 3, 4, 23),
        }
        Leave.create(vals).unlink()
        with patch.object(
            self.registry["project.project"], "_update_findings", side_effect=ValueError
        ):
            Change = self.env["project.feasibility.change"]
            with self.assertQueryCount(6):  # two rows, a savepoint and the trigger
                Change._note(self.consultant, self.calendar)
        self.assertTrue(Change.search([]))
        self._run_cron("stale_findings")
        self.assertFalse(Change.search([]))

    def test_one_broken_project_does_not_keep_the_others_waiting(self):
        other = self._create_project(name="Other")
        (self.project | other).date = "2026-03-06"
        Project = self.registry["project.project"]
        get_findings = Project._get_findings

        def fail(projects):
            if self.project in projects:
                raise ValueError("Broken")
            return get_findings(projects)

        self.pack.purchased_hours = 40
        self._create_pack(other, 400)
        self.consultant.tz = "Europe/Madrid"
        self.env["project.risk"].search([]).write(
            {"answer": "Yes", "state": "accepted"}
        )
        self.quick_start.factor = 20
        self._add_scope_quietly(other)
        with (
            patch.object(Project, "_get_findings", fail),
            mute_logger(
                "odoo.addons.project_lifecycle.models.kickoff.project_project_feasibility"
            ),
        ):
            self._run_cron("stale_findings")
        self.assertFound("hours", project=other)

    def _add_scope_quietly(self, project):
        with patch.object(
            self.registry["project.project"], "_update_findings", lambda projects: None
        ):
            self._add_scope(self.accounting, project)
        project._mark_findings_stale()

    def test_two_people_raise_the_same_finding(self):
        self.project.date = "2026-03-05"
        finding = self.assertFound("deadline")
        with (
            patch.object(
                self.registry["project.risk"], "_get_by_key", lambda *args: {}
            ),
            mute_logger("odoo.sql_db"),
        ):
            self.project._update_findings()
        self.assertEqual(self._get_finding("deadline"), finding)

    def test_other_projects_have_no_findings(self):
        stock = self.env["project.project"].create(
            {"name": "Stock", "date_start": "2026-01-01", "date": "2026-01-31"}
        )
        self.assertFalse(stock.risk_ids)
        self.assertFalse(stock.approach_id)
        with self.assertRefused(ValidationError, "not a client project"):
            self._add_scope(self.crm, stock)
        with self.assertRefused(ValidationError, "not a client project"):
            self.env["project.risk"].create({"name": "X", "project_id": stock.id})

    def test_texts_are_in_the_language_of_the_salesperson(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.salesperson.lang = "fr_FR"
        self.project.date = "2026-03-05"
        self.assertIn("05/03/2026", self._get_finding("deadline").description)


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
        self._count_queries(one._update_findings)  # warms the caches of the registry up
        # All of it is found for the first time: rows are inserted a hundred at a time
        first_few = self._count_queries(few._update_findings)
        first_rest = self._count_queries(rest._update_findings)
        self.assertLessEqual(first_rest, first_few + 8)
        self.assertEqual(len(self.projects.risk_ids), 4 * 41)
        # Nothing changed
        again_few = self._count_queries(few._update_findings)
        again_all = self._count_queries(self.projects._update_findings)
        self.assertEqual(again_all, again_few)
        self.assertLess(self._count_queries(one._update_findings), 50)
        # All figures change
        Pack = self.registry["project.consultancy.pack"]
        for hours in (50, 60):
            with patch.object(Pack, "write", models.Model.write):
                self.projects.pack_ids.purchased_hours = hours
            projects = few if hours == 50 else self.projects
            count = self._count_queries(projects._update_findings)
            if hours == 50:
                changed_few = count
        self.assertLessEqual(count, changed_few + 5)
        self.assertIn("60 are sold", one.risk_ids[-1].description)
        # A cause is gone, and comes back: the history is written, too
        for hours in (400, 30):
            with patch.object(Pack, "write", models.Model.write):
                self.projects.pack_ids.purchased_hours = hours
            few_count = self._count_queries(few._update_findings)
            rest_count = self._count_queries(rest._update_findings)
            self.assertLessEqual(rest_count, few_count + 8)

    def test_changing_many_projects_at_once(self):
        self._fill(self.projects)
        self.projects._update_findings()
        few, rest = self.projects[:5], self.projects[5:]
        self._count_queries(lambda: few.write({"weekly_hours": 10}))
        few_count = self._count_queries(lambda: few.write({"weekly_hours": 11}))
        rest_count = self._count_queries(lambda: rest.write({"weekly_hours": 12}))
        self.assertLessEqual(rest_count, few_count + 5)
