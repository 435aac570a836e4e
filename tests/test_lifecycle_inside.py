from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestInside(LifecycleCommon):
    """What is internal stays inside."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls._create_project(spoc_id=cls.spoc.id)
        cls.project.message_subscribe(cls.spoc.ids)

    def test_messages_by_id(self):
        self.project.with_user(self.manager)._override_gate(
            self.stage_kickoff, "Secret reason"
        )
        activity = self.project.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.consultant.id
        )
        activity.with_user(self.consultant).action_feedback("Secret feedback")
        self.project.with_user(self.consultant).message_post(
            body="Secret note", subtype_xmlid="mail.mt_note"
        )
        told = self.project.with_user(self.consultant).message_post(
            body="Hello", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        messages = self.env["mail.message"].search(
            [("model", "=", "project.project"), ("res_id", "=", self.project.id)]
        )
        secrets = messages.filtered(lambda message: "Secret" in message.body)
        self.assertEqual(len(secrets), 3)
        for message in secrets:
            with self.subTest(body=message.body), self.assertRaises(AccessError):
                message.with_user(self.spoc_user).read(["body"])
        self.assertTrue(told.with_user(self.spoc_user).body)

    def test_messages_are_not_found_from_outside(self):
        self.project.privacy_visibility = "portal"
        task = self.env["project.task"].create(
            {"name": "Task", "project_id": self.project.id}
        )
        for record in (self.project, task):
            record.message_post(body="Secret note", subtype_xmlid="mail.mt_note")
        for model, path in (
            ("project.project", "message_ids.body"),
            ("project.project", "message_ids"),
            ("project.project", "website_message_ids.body"),
            ("project.project", "task_ids.message_ids.body"),
            ("project.task", "message_ids.body"),
            ("project.task", "project_id.message_ids.body"),
        ):
            domain = [(path, "like", "Secret")]
            Model = self.env[model]
            with self.subTest(model=model, path=path):
                Model.with_user(self.consultant).search(domain)
                with self.assertRefused(AccessError, "Messages cannot be searched"):
                    Model.with_user(self.spoc_user).search(domain)

    def test_meetings_are_seen_as_the_project(self):
        meeting = self._create_meeting(self.project, "internal_kickoff", minutes="x")
        employee = new_test_user(self.env, "employee", groups="base.group_user")
        company = self.env["res.company"].create({"name": "B"})
        self.project.company_id = self.env.company
        foreign = new_test_user(
            self.env,
            "foreign",
            groups="project.group_project_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        for user in (employee, foreign):
            self.assertFalse(meeting.with_user(user).has_access("read"))
        for user in (self.consultant, self.salesperson, self.manager):
            self.assertEqual(meeting.with_user(user).minutes, "<p>x</p>")

    def test_portal_reads_no_field_of_ours(self):
        meeting = self._create_meeting(self.project, "kickoff").with_user(
            self.spoc_user
        )
        self.assertTrue(meeting.name)
        own = ("project_id", "lifecycle_meeting", "held", "minutes", "recording_url")
        for name in own:
            with self.subTest(name=name), self.assertRaises(AccessError):
                meeting.search([(name, "!=", False)])
        Project = self.env["project.project"].with_user(self.spoc_user)
        for name in (
            *("has_client_spoc", "has_consultant"),
            *("gate_progress", "gate_summary"),
        ):
            with self.subTest(name=name), self.assertRaises(AccessError):
                Project.search([(name, "=", True)])
        company = self.env.company.with_user(self.spoc_user)
        for name, field in company._fields.items():
            if field._modules[:1] == ("project_lifecycle",):
                with self.subTest(name=name), self.assertRaises(AccessError):
                    company.read([name])
