from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .common.implementation import ImplementationCommon


@tagged("post_install", "-at_install")
class TestDevelopment(ImplementationCommon):
    """Developments are challenged before they are approved."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls._create_flow()
        cls.developer = new_test_user(
            cls.env, "pl_developer", groups="project.group_project_user"
        )

    def _create_request(self, **values):
        return self.env["project.development.request"].create(
            {"name": "Labels", "flow_id": self.flow.id, "need": "Print labels"} | values
        )

    def test_default_wave_is_improvements(self):
        request = self._create_request()
        self.assertEqual(request.wave, "improvement")
        self.assertFalse(request.phase_id, "not the phase of the MVP")
        self.assertEqual(request.project_id, self.project)

    def test_mvp_needs_the_reason(self):
        for reason in (False, "  "):
            with self.assertRefused(ValidationError, "cannot do without"):
                self._create_request(wave="mvp", mvp_reason=reason)
        request = self._create_request(wave="mvp", mvp_reason="No delivery without")
        self.assertEqual(request.phase_id, self.mvp)
        with self.assertRefused(ValidationError, "cannot do without"):
            request.write({"mvp_reason": False})

    def test_rejected_with_its_workaround(self):
        request = self._create_request()
        with self.assertRefused(ValidationError, "Workaround"):
            request.action_reject()
        request.workaround = "<p><br></p>"
        with self.assertRefused(ValidationError, "Workaround"):
            request.action_reject()
        request.workaround = "<p>Standard label</p>"
        request.with_user(self.consultant).action_reject()
        self.assertEqual(request.decision, "rejected")
        self.assertEqual(request.decided_by_id, self.consultant)
        self.assertFalse(request.task_id)
        with self.assertRefused(ValidationError, "Workaround"):
            request.write({"workaround": False})

    def test_approved_with_specification_and_developer(self):
        request = self._create_request().with_user(self.consultant)
        needed = {
            "value": "<p>Two hours a day</p>",
            "workaround": "<p>Type them</p>",
            "specification": "<p>A label of 50 mm</p>",
            "developer_id": self.developer.id,
        }
        for name, value in needed.items():
            label = request._fields[name].string
            with self.assertRefused(ValidationError, label):
                request.action_approve()
            request.write({name: value})
        request.action_approve()
        self.assertRecordValues(
            request.task_id,
            [
                {
                    "user_ids": self.developer.ids,
                    "project_id": self.project.id,
                    "flow_id": self.flow.id,
                    "work_type_id": self.env.ref(
                        "project_lifecycle.work_type_development"
                    ).id,
                }
            ],
        )
        self.assertIn("50 mm", request.task_id.description)
        task = request.task_id
        request.action_reopen()
        self.assertEqual(task.state, "1_canceled")
        request.action_approve()
        self.assertEqual(request.task_id, task)
        task.state = "1_done"
        with self.assertRefused(UserError, "already worked"):
            request.action_reopen()
        with self.assertRefused(UserError, "stays"):
            request.unlink()

    def test_developer_without_a_user(self):
        request = self._create_request()
        archived = new_test_user(self.env, "pl_gone", groups="base.group_user")
        archived.active = False
        for user in (self.spoc_user, archived):
            with self.assertRefused(ValidationError, "active internal user"):
                request.write({"developer_id": user.id})

    def test_new_request_is_to_decide(self):
        with self.assertRefused(UserError, "written by the system"):
            self._create_request(decision="approved")
        request = self._create_request()
        with self.assertRefused(UserError, "written by the system"):
            request.write({"decided_on": fields.Datetime.now()})
        request.workaround = "Type them"
        request.action_reject()
        copy = request.copy()
        self.assertEqual(copy.decision, "to_decide")
        self.assertFalse(copy.decided_by_id)

    def test_request_belongs_to_one_project(self):
        other = self._create_project(name="Other")
        with self.assertRefused(ValidationError, "Choose one of the same project"):
            self._create_request(project_id=other.id)
        with self.assertRefused(ValidationError, "same wave"):
            self._create_request(phase_id=self.mvp.id)


@tagged("post_install", "-at_install")
class TestDevelopmentDecision(ImplementationCommon):
    """Decisions on developments are made by their buttons, and stay."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls._create_flow()
        cls.developer = new_test_user(
            cls.env, "pl_developer", groups="project.group_project_user"
        )
        cls.request = (
            cls.env["project.development.request"]
            .create(
                {
                    "name": "Labels",
                    "flow_id": cls.flow.id,
                    "need": "<p>Print labels</p>",
                    "value": "<p>Two hours a day</p>",
                    "workaround": "<p>Type them</p>",
                    "specification": "<p>A label of 50 mm</p>",
                    "developer_id": cls.developer.id,
                }
            )
            .with_user(cls.consultant)
        )

    def test_only_by_the_buttons(self):
        request = self.request
        for values in (
            {"decision": "approved"},
            {"decided_by_id": self.manager.id},
            {"decided_on": "2020-01-01"},
            {"task_id": False},
            {"decision_sequence": 5},
        ):
            for user in (self.consultant, self.manager):
                with self.assertRaisesRegex(AccessError, "written by the system"):
                    request.with_user(user).write(values)
        Request = self.env["project.development.request"].with_user(self.consultant)
        values = {"name": "X", "flow_id": self.flow.id, "need": "Y"}
        for context in (
            {"default_decision": "approved"},
            {"default_decided_by_id": self.manager.id},
        ):
            with self.assertRaisesRegex(AccessError, "written by the system"):
                Request.with_context(**context).create(values)
        for user in (self.colleague, self.salesperson):
            with self.assertRaises(AccessError):
                request.with_user(user).action_approve()

    def test_what_was_decided_stays(self):
        request = self.request
        before = fields.Datetime.now()
        request.action_approve()
        self.assertEqual(request.decided_by_id, self.consultant)
        self.assertGreaterEqual(request.decided_on, before)
        with self.assertRefused(UserError, "decided already"):
            request.action_reject()
        for values in (
            {"need": "<p>Other</p>"},
            {"value": False},
            {"workaround": "<p>Other</p>"},
            {"specification": "<p>Other</p>"},
            {"wave": "mvp", "mvp_reason": "Other"},
        ):
            with self.assertRefused(UserError, "is decided|cannot be decided"):
                request.write(values)
        request.write({"specification": request.specification, "name": "All labels"})
        request.action_reopen()
        self.assertIn("Approved, by pl_consultant", request.message_ids[0].body)
        self.assertFalse(request.decided_by_id)
        with self.assertRefused(UserError, "stays"):
            request.unlink()
        request.specification = "<p>A label of 60 mm</p>"
        request.action_reject()
        self.assertEqual(request.task_id.state, "1_canceled")
        request.action_reopen()  # nobody has worked on it
        request.action_approve()
        self.assertEqual(request.task_id.state, "01_in_progress")
        self.assertIn("60 mm", request.task_id.description)

    def test_another_developer_gets_the_task(self):
        self.request.action_approve()
        self.request.developer_id = self.manager
        self.assertEqual(self.request.task_id.user_ids, self.manager)
        with self.assertRaises(ValidationError):
            self.request.developer_id = False

    def test_texts_that_say_nothing(self):
        for nothing in ("<p>&nbsp;</p>", "<p>\u200b</p>", "<p><br></p>", "<p>-</p>"):
            self.request.workaround = nothing
            with self.assertRefused(ValidationError, "Workaround"):
                self.request.action_reject()
            with self.assertRaises(ValidationError), self.cr.savepoint():
                self.request.write({"wave": "mvp", "mvp_reason": nothing})

    def test_batch_with_one_that_misses_something(self):
        other = self.request.copy({"workaround": False})
        requests = self.request | other
        with self.assertRaises(ValidationError), self.cr.savepoint():
            requests.action_reject()
        requests.invalidate_recordset()
        self.assertEqual(requests.mapped("decision"), ["to_decide"] * 2)
