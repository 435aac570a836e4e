from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .common.implementation import ImplementationCommon


@tagged("post_install", "-at_install")
class TestPlanAndTime(ImplementationCommon):
    """A phase is planned from its scope, and time rolls up to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["hr.employee"].create(
            {"name": "Consultant", "user_id": cls.consultant.id}
        )
        cls._create_pack(cls.project)

    def _create_scope(self, application, **values):
        return self.env["project.scope.line"].create(
            {
                "project_id": self.project.id,
                "application_id": application.id,
                "wave": "mvp",
            }
            | values
        )

    def _plan(self, phase):
        action = phase.action_plan()
        return Form(
            self.env[action["res_model"]]
            .with_user(self.consultant)
            .with_context(**action["context"])
        )

    def test_phase_from_its_scope(self):
        self._create_scope(self.crm)
        self._create_scope(self.sales, to_be="<p>As agreed</p>")
        self._create_scope(self.inventory, wave="improvement")
        wizard = self._plan(self.mvp)
        proposed = (self.crm | self.sales).flow_template_ids
        self.assertEqual(len(wizard.line_ids), len(proposed))
        wizard.line_ids.remove(0)
        record = wizard.save()
        kept = record.line_ids
        record.action_plan()
        flows = self.mvp.flow_ids
        self.assertEqual(set(flows.mapped("name")), set(kept.mapped("name")))
        self.assertEqual(flows.application_ids, kept.application_id)
        sales_flows = flows.filtered(lambda f: self.sales in f.application_ids)
        self.assertIn("As agreed", sales_flows[0].to_be)
        tasks = self.mvp.task_ids
        self.assertEqual(len(tasks), sum(len(line.task_ids) for line in kept))
        self.assertEqual(tasks.flow_id, flows)
        clients = tasks.filtered("is_client_task")
        self.assertTrue(clients)
        self.assertFalse(clients.user_ids)
        self.assertEqual((tasks - clients).user_ids, self.consultant)
        self.assertEqual(self.mvp.scope_line_ids.application_id, self.crm | self.sales)
        self.assertEqual(
            self.mvp.planned_hours,
            sum((self.crm | self.sales).mapped("standard_hours")),
        )
        again = self._plan(self.mvp)
        self.assertEqual(len(again.line_ids), len(proposed) - len(flows))

    def test_application_without_template(self):
        application = self.env["project.application"].create({"name": "Fleet"})
        self._create_scope(application)
        self._plan(self.mvp).save().action_plan()
        self.assertEqual(self.mvp.flow_ids.name, "Fleet")

    def test_task_gets_phase_and_flow(self):
        Task = self.env["project.task"]
        before = Task.create({"name": "Early", "project_id": self.project.id})
        self.assertFalse(before.phase_id)
        self.mvp.action_start()
        with Form(Task.with_context(default_project_id=self.project.id)) as form:
            form.name = "Configure"
        task = form.record
        self.assertEqual(task.phase_id, self.mvp)
        self.assertEqual(task.milestone_id, self.mvp.milestone_id)
        flow = self._create_flow(phase_id=self._create_phase("Later").id)
        task.flow_id = flow
        self.assertEqual(task.phase_id, flow.phase_id)
        self.assertEqual(task.milestone_id, flow.phase_id.milestone_id)
        child = Task.create({"name": "Part", "parent_id": task.id})
        self.assertEqual(child.phase_id, task.phase_id)
        self.assertEqual(child.flow_id, flow)
        task.write({"flow_id": False, "phase_id": self.mvp.id})
        self.assertEqual(child.phase_id, self.mvp, "sub-tasks go along")
        task.flow_id = flow
        other = self._create_project(name="Other")
        task.project_id = other
        self.assertFalse(task.phase_id)
        self.assertFalse(task.flow_id)

    def test_task_of_another_projects_phase(self):
        other = self._create_project(name="Other")
        task = self.env["project.task"].create({"name": "T", "project_id": other.id})
        flow = self._create_flow()
        for vals in ({"phase_id": self.mvp.id}, {"flow_id": flow.id}):
            with self.assertRaises(ValidationError):
                self.env["project.task"].create(
                    {"name": "X", "project_id": other.id} | vals
                )
        with self.assertRaises(ValidationError):
            task.phase_id = self.mvp

    def test_plain_projects_have_no_phases(self):
        plain = self.env["project.project"].create({"name": "Internal"})
        task = self.env["project.task"].create({"name": "T", "project_id": plain.id})
        self.assertFalse(task.phase_id)
        self.assertFalse(task.milestone_id)

    def _log(self, hours=1, **values):
        return (
            self.env["account.analytic.line"]
            .with_user(self.consultant)
            .create(
                {"name": "/", "project_id": self.project.id, "unit_amount": hours}
                | values
            )
        )

    def test_time_gets_phase_and_flow(self):
        early = self._log()
        self.assertFalse(early.phase_id)
        self.mvp.action_start()
        yesterday = fields.Date.today() - timedelta(days=1)
        self.assertFalse(self._log(date=yesterday).phase_id, "before its start")
        flow = self._create_flow()
        self.assertEqual(self._log().phase_id, self.mvp)
        task = self.env["project.task"].create(
            {"name": "Configure", "project_id": self.project.id, "flow_id": flow.id}
        )
        line = self._log(2, task_id=task.id)
        self.assertEqual(line.phase_id, self.mvp)
        self.assertEqual(line.flow_id, flow)
        self.assertFalse(early.phase_id, "time of the kick-off stays where it is")
        self.assertEqual(flow.spent_hours, 2)
        self.assertEqual(self.mvp.spent_hours, 3)

    def test_time_of_a_complete_phase_stays(self):
        self.mvp.action_start()
        flow = self._create_flow()
        task = self.env["project.task"].create(
            {
                "name": "Configure",
                "project_id": self.project.id,
                "phase_id": self.mvp.id,
            }
        )
        line = self._log(2, task_id=task.id)
        self.env.flush_all()  # as at the end of the request
        self._finish(flow)
        self._go_live(self.mvp)
        self._agree_complete(self.mvp)
        with self.assertRefused(UserError, "time that it took stays"):
            line.write({"phase_id": False})
        later = self._create_phase("Later")
        task.phase_id = later
        self.assertEqual(line.phase_id, self.mvp)
        self.assertEqual(self.mvp.spent_hours, 2)

    def test_hours_by_work_type(self):
        self.mvp.planned_hours = 10
        self.mvp.action_start()
        training = self.env.ref("project_lifecycle.work_type_training")
        meeting = self.env.ref("project_lifecycle.work_type_meeting")
        self._log(2, work_type_id=training.id)
        self._log(1.5, work_type_id=training.id)
        self._log(1, work_type_id=meeting.id)
        self.assertEqual(
            [(p["name"], p["hours"]) for p in self.mvp.hours_by_work_type],
            [(training.name, 3.5), (meeting.name, 1)],
        )
        self.assertEqual(self.mvp.spent_hours, 4.5)
        self.assertEqual(self.mvp.remaining_hours, 5.5)
        self.assertEqual(self.mvp.hours_progress, 45)

    def test_deducted_hours(self):
        self._create_pack(self.project)
        self.mvp.action_start()
        self._log(3)
        line = self._log(2)
        line.with_user(self.manager).write(
            {"pack_write_off": True, "write_off_reason": "Our mistake"}
        )
        self.env.flush_all()
        self.assertEqual(self.mvp.spent_hours, 5)
        self.assertEqual(self.mvp.deducted_hours, 3)

    def test_hours_in_other_units(self):
        self.mvp.action_start()
        day = self.env.ref("uom.product_uom_day")
        minute = self.env["uom.uom"].create(
            {
                "name": "Minutes",
                "relative_factor": 1 / 60,
                "relative_uom_id": self.env.ref("uom.product_uom_hour").id,
            }
        )
        flow = self._create_flow()
        self._log(1, product_uom_id=day.id, flow_id=flow.id)
        self._log(90, product_uom_id=minute.id, flow_id=flow.id)
        self._log(2)
        self.env.flush_all()
        self.assertAlmostEqual(self.mvp.spent_hours, 11.5)
        self.assertAlmostEqual(flow.spent_hours, 9.5)
        self.assertAlmostEqual(self.mvp.hours_by_work_type[0]["hours"], 11.5)

    def test_phase_with_time_stays(self):
        line = self._log(1, phase_id=self.mvp.id)
        with self.assertRefused(UserError, "move that time to another phase"):
            self.mvp.unlink()
        self.assertEqual(line.phase_id, self.mvp)
        line.phase_id = False
        self.mvp.unlink()

    def test_time_of_somebody_who_sees_no_phases(self):
        self.mvp.action_start()
        user = new_test_user(
            self.env, "pl_time", groups="hr_timesheet.group_hr_timesheet_user"
        )
        self.env["hr.employee"].create({"name": "Helper", "user_id": user.id})
        line = (
            self.env["account.analytic.line"]
            .with_user(user)
            .create({"name": "/", "project_id": self.project.id, "unit_amount": 1})
        )
        self.env.flush_all()
        self.assertEqual(line.sudo().phase_id, self.mvp)

    def test_time_of_another_projects_phase(self):
        other = self._create_project(name="Other")
        with self.assertRaisesRegex(ValidationError, "another project"):
            self._log(1, project_id=other.id, phase_id=self.mvp.id)
