from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from .common.implementation import ImplementationCommon


@tagged("post_install", "-at_install")
class TestRights(ImplementationCommon):
    """Whose project it is, and nobody else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls._create_flow()
        cls.request = cls.env["project.development.request"].create(
            {"name": "Labels", "flow_id": cls.flow.id, "need": "Print"}
        )
        cls.data = cls.env["project.data.import"].create(
            {"name": "Customers", "flow_id": cls.flow.id}
        )
        cls.records = (
            cls.mvp,
            cls.flow,
            cls.flow.current_cycle_id,
            cls.request,
            cls.data,
        )

    def _write(self, record):
        if record._name == "project.flow.cycle":
            return record.check_access("write")
        return record.write({"name": "Changed"})

    def test_nobody_writes_cycles(self):
        for user in (self.consultant, self.manager, self.salesperson, self.spoc_user):
            for operation in ("write", "create", "unlink"):
                with self.subTest(user=user.login, operation=operation):
                    cycle = self.flow.current_cycle_id.with_user(user)
                    self.assertFalse(cycle.has_access(operation))

    def test_consultant_of_the_project(self):
        for record in self.records:
            if record != self.flow.current_cycle_id:
                self._write(record.with_user(self.consultant))
        self.mvp.with_user(self.consultant).action_start()
        flow = (
            self.env["project.flow"]
            .with_user(self.consultant)
            .create({"name": "New", "phase_id": self.mvp.id})
        )
        self.assertEqual(flow.cycle_count, 1)

    def test_consultant_of_another_project(self):
        self._create_project(name="Own", user_id=self.colleague.id)
        for record in self.records:
            record = record.with_user(self.colleague)
            record.read(["project_id"])  # open projects may be read
            with self.assertRaises(AccessError):
                self._write(record)
            with self.assertRaises(AccessError):
                record.unlink()
        for model in ("project.phase", "project.flow"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.colleague).create(
                    {"name": "X", "project_id": self.project.id}
                )
        with self.assertRaises(AccessError):
            self.mvp.milestone_id.with_user(self.colleague).write({"name": "X"})

    def test_hidden_project_is_hidden(self):
        self.project.privacy_visibility = "followers"
        for record in self.records:
            found = record.with_user(self.colleague).search([("id", "=", record.id)])
            self.assertFalse(found)

    def test_invited_consultant(self):
        self.project.message_subscribe(partner_ids=self.colleague.partner_id.ids)
        for record in self.records:
            if record != self.flow.current_cycle_id:
                self._write(record.with_user(self.colleague))

    def test_salesperson_reads_the_own_ones_only(self):
        other = self._create_project(name="Other", salesperson_id=False)
        foreign = self._create_phase("Foreign", project_id=other.id)
        Phase = self.env["project.phase"].with_user(self.salesperson)
        self.assertIn(self.mvp, Phase.search([]))
        self.assertNotIn(foreign, Phase.search([]))
        for record in self.records:
            record.with_user(self.salesperson).read(["display_name"])
            with self.assertRaises(AccessError):
                self._write(record.with_user(self.salesperson))

    def test_portal_reads_nothing(self):
        self.project.message_subscribe(partner_ids=self.spoc.ids)
        for user in (self.spoc_user, self.stranger_user):
            for record in self.records:
                with self.assertRaises(AccessError):
                    record.with_user(user).read(["display_name"])
            for name in ("phase_ids", "flow_ids", "phase_timeline"):
                with self.assertRaises(AccessError):
                    self.project.with_user(user).read([name])

    def test_templates_are_the_managers(self):
        template = self.crm.flow_template_ids[0]
        with self.assertRaises(AccessError):
            template.with_user(self.consultant).write({"name": "X"})
        template.with_user(self.manager).write({"name": "X"})

    def test_other_company(self):
        company = self.env["res.company"].create({"name": "B"})
        self.project.company_id = self.env.company
        stranger = new_test_user(
            self.env,
            "pl_company_b",
            groups="project.group_project_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        for record in self.records:
            self.assertFalse(
                record.with_user(stranger).search([("id", "=", record.id)])
            )

    def test_recording_is_the_projects(self):
        meeting = self._show(self.flow)
        for vals in (
            {"recording_url": "https://example.com/x"},
            {"flow_ids": [Command.clear()]},
        ):
            with self.assertRaises(AccessError):
                meeting.with_user(self.colleague).write(vals)

    def test_calendar_opens_for_who_takes_part(self):
        meeting = self._show(self.flow)
        employee = new_test_user(self.env, "pl_employee", groups="base.group_user")
        with self.assertRaises(AccessError):
            meeting.with_user(employee).read(["name"])
        meeting.partner_ids |= employee.partner_id
        for user in (self.salesperson, employee, self.consultant):
            with self.subTest(user=user.login):
                self.assertEqual(Form(meeting.with_user(user)).name, meeting.name)
