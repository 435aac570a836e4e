from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time, new_test_user, tagged, users
from odoo.tools import mute_logger

from .kickoff_scope_common import TODAY, ScopeCommon


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
        for name, value in (("gravity", 1000), ("causes", []), ("origin", "manual")):
            with self.assertRaises(AccessError), self.cr.savepoint():
                finding.write({name: value})
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

    @users("pl_consultant")
    def test_consultant_does_not_answer_for_the_salesperson(self):
        finding = self.finding.with_env(self.env)
        finding.action_challenge()
        for values in (
            {"answer": "Yes", "state": "accepted"},
            {"answer": "Yes", "state": "resolved"},
            {"answer": "Yes"},
        ):
            with self.assertRefused(AccessError, "answered by pl_salesperson"):
                finding.write(values)
        with self.assertRefused(AccessError, "answered by pl_salesperson"):
            self.finding.activity_ids.with_env(self.env).action_feedback("Yes")
        with self.assertRefused(AccessError, "answers for what was sold"):
            self.project.with_env(self.env).salesperson_id = self.consultant
        with self.assertRefused(AccessError, "answers for what was sold"):
            self.project.with_env(self.env).salesperson_id = False
        self.assertEqual(finding.state, "challenged")

    @users("pl_consultant")
    def test_nobody_makes_less_of_a_risk(self):
        risk = self.env["project.risk"].create(
            {
                "name": "Expects automatic salaries",
                "project_id": self.project.id,
                "type": "commercial",
                "severity": "high",
            }
        )
        for values in (
            {"type": "technical"},
            {"severity": "low"},
            {"owner_id": self.consultant.id},
            {"owner_id": False},
        ):
            with self.assertRefused(AccessError, "keeps the project from going on"):
                risk.write(values)
            with self.assertRaises(AccessError), self.cr.savepoint():
                self.finding.with_env(self.env).write(values)
        for values in (
            {"name": "Harmless"},
            {"description": "All is fine"},
            {"published_text": "All is fine"},
        ):
            with self.assertRefused(AccessError, "found by the system"):
                self.finding.with_env(self.env).write(values)
        risk.with_user(self.manager).write({"type": "scope", "severity": "low"})
        risk.write({"severity": "high"})

    def test_answers_say_something_and_who_gave_them(self):
        finding = self.finding.with_user(self.salesperson)
        for answer in (False, "", "   ", "\u00a0", "\u200b", "...", "-", "!?", "\n\t"):
            for state in ("accepted", "resolved"):
                with (
                    self.subTest(answer=answer, state=state),
                    self.assertRaises(ValidationError),
                    self.cr.savepoint(),
                ):
                    finding.write({"answer": answer, "state": state})
            with self.assertRefused(UserError, "in the feedback"):
                self.finding.activity_ids.with_user(self.salesperson).action_feedback(
                    answer
                )
        with self.assertRaises(AccessError), self.cr.savepoint():
            finding.write(
                {
                    "answer": "Yes",
                    "state": "accepted",
                    "answered_on": "2020-01-01 00:00:00",
                    "answered_by_id": self.manager.id,
                }
            )
        with self.assertRefused(UserError, "in the feedback"):
            self.finding.activity_ids.with_user(self.salesperson).action_feedback(
                '<p><img src="/web/image/1-ab/whiteboard.png"></p>'
            )
        finding.write({"answer": "Sí", "state": "accepted"})
        self.assertEqual(self.finding.answered_by_id, self.salesperson)
        self.assertTrue(self.finding.answered_on)
        with self.assertRefused(ValidationError, "Write the answer"):
            finding.answer = " "
        self.finding.action_reopen()
        self.assertFalse(self.finding.answered_by_id)

    def test_colleague_without_rights_on_risks_answers_by_the_activity(self):
        developer = new_test_user(
            self.env, "pl_developer", groups="project.group_project_user"
        )
        risk = self.env["project.risk"].create(
            {
                "name": "Old printer",
                "project_id": self.project.id,
                "type": "technical",
                "severity": "high",
                "owner_id": developer.id,
            }
        )
        with self.assertRaises(AccessError), self.cr.savepoint():
            risk.with_user(developer).write({"answer": "Mine", "state": "accepted"})
        risk.activity_ids.with_user(developer).action_feedback("It prints")
        self.assertEqual((risk.state, risk.answer), ("accepted", "It prints"))
        self.assertEqual(risk.answered_by_id, developer)

    def test_feedback_about_risks_stays_inside(self):
        self.finding.message_subscribe((self.spoc | self.salesperson.partner_id).ids)
        self.assertNotIn(self.spoc, self.finding.message_partner_ids)
        self.finding.activity_ids.with_user(self.salesperson).action_feedback(
            "They never pay"
        )
        note = self.env.ref("mail.mt_note")
        self.assertEqual(self.finding.message_ids.subtype_id, note)
        self.assertFalse(self.finding.message_ids.notified_partner_ids & self.spoc)

    def test_only_colleagues_own_risks(self):
        with self.assertRefused(ValidationError, "not a colleague"):
            self.risk.owner_id = self.spoc_user

    def test_an_empty_scope_does_not_go_into_the_implementation(self):
        project = self._create_project(name="Empty")
        project.stage_id = self.stage_kickoff
        with self.assertRefused(UserError, "has its reason"):
            project.stage_id = self.stage_implementation
        line = self._add_scope(self.crm, project, reason="\u200b - ")
        self.assertFalse(line.reason)
        with self.assertRefused(UserError, "has its reason"):
            project.stage_id = self.stage_implementation
        line.reason = "Leads get lost"
        project.stage_id = self.stage_implementation

    def test_the_gate_looks_anew_before_it_asks(self):
        self._create_pack(self.project, 200)
        self.project.date = "2026-04-15"
        self.assertNotFound("deadline")
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Sick",
                "resource_id": self.employee.resource_id.id,
                "date_from": datetime(2026, 3, 2),
                "date_to": datetime(2026, 3, 30),
            }
        )
        self.assertNotFound("deadline")
        with self.assertRefused(UserError, "risk is answered"):
            self.project.stage_id = self.stage_kickoff

    def test_a_move_looks_at_nothing_that_its_gate_does_not_ask(self):
        self.finding.write({"answer": "Yes", "state": "accepted"})
        self.project.stage_id = self.stage_kickoff
        self.project.scope_line_ids.reason = "Yes"
        Project = self.registry["project.project"]
        with patch.object(Project, "_get_findings", side_effect=ValueError):
            self.project.stage_id = self.stage_implementation

    def test_applications_and_approaches_in_use_stay(self):
        with self.assertRefused(UserError, "Archive it instead"):
            self.crm.unlink()
        with self.assertRefused(UserError, "Archive it instead"):
            self.quick_start.unlink()

    def test_findings_are_not_deleted_nor_forged(self):
        with self.assertRefused(UserError, "stays in the history"):
            self.finding.with_user(self.manager).unlink()
        with self.assertRefused(UserError, "instead of deleting it"):
            self.risk.with_user(self.manager).unlink()
        self.risk.copy({"type": "people", "severity": "low"}).with_user(
            self.manager
        ).unlink()
        with self.assertRefused(AccessError, "written by the system"):
            self.env["project.risk"].with_user(self.manager).create(
                {
                    "name": "X",
                    "project_id": self.other_project.id,
                    "key": "feasibility_hours",
                }
            )
        with self.assertRefused(UserError, "stays in"):
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
