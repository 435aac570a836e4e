from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import new_test_user, tagged

from .implementation_common import ImplementationCommon


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
            self.assertRefused(
                lambda reason=reason: self._create_request(
                    wave="mvp", mvp_reason=reason
                ),
                "cannot do without",
                error=ValidationError,
            )
        request = self._create_request(wave="mvp", mvp_reason="No delivery without")
        self.assertEqual(request.phase_id, self.mvp)
        self.assertRefused(
            lambda: request.write({"mvp_reason": False}),
            "cannot do without",
            error=ValidationError,
        )

    def test_rejected_with_its_workaround(self):
        request = self._create_request()
        self.assertRefused(
            request.action_reject, "Workaround", request, ValidationError
        )
        request.workaround = "<p><br></p>"
        self.assertRefused(
            request.action_reject, "Workaround", request, ValidationError
        )
        request.workaround = "<p>Standard label</p>"
        request.with_user(self.consultant).action_reject()
        self.assertEqual(request.decision, "rejected")
        self.assertEqual(request.decided_by_id, self.consultant)
        self.assertFalse(request.task_id)
        self.assertRefused(
            lambda: request.write({"workaround": False}),
            "Workaround",
            error=ValidationError,
        )

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
            self.assertRefused(request.action_approve, label, request, ValidationError)
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
        self.assertRefused(request.action_reopen, "already worked", request)
        self.assertRefused(request.unlink, "stays", request)

    def test_developer_without_a_user(self):
        request = self._create_request()
        archived = new_test_user(self.env, "pl_gone", groups="base.group_user")
        archived.active = False
        for user in (self.spoc_user, archived):
            self.assertRefused(
                lambda user=user: request.write({"developer_id": user.id}),
                "active internal user",
                error=ValidationError,
            )

    def test_new_request_is_to_decide(self):
        self.assertRefused(
            lambda: self._create_request(decision="approved"), "written by the system"
        )
        request = self._create_request()
        self.assertRefused(
            lambda: request.write({"decided_on": fields.Datetime.now()}),
            "written by the system",
        )
        request.workaround = "Type them"
        request.action_reject()
        copy = request.copy()
        self.assertEqual(copy.decision, "to_decide")
        self.assertFalse(copy.decided_by_id)

    def test_request_belongs_to_one_project(self):
        other = self._create_project(name="Other")
        self.assertRefused(
            lambda: self._create_request(project_id=other.id),
            "Choose one of the same project",
            error=ValidationError,
        )
        self.assertRefused(
            lambda: self._create_request(phase_id=self.mvp.id),
            "same wave",
            error=ValidationError,
        )
