from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged, users

from .pack_common import PackCommon


@tagged("post_install", "-at_install")
class TestTimesheetHook(PackCommon):
    """Every minute spent on the project is logged and deducted."""

    def test_every_way_of_logging_time_is_deducted(self):
        loose_task = self.env["project.task"].create(
            {
                "name": "Not billable in stock Odoo",
                "project_id": self.project.id,
                "sale_line_id": False,
                "partner_id": self.other_client.id,
            }
        )
        loose_task.sale_line_id = False
        sub_task = self.env["project.task"].create(
            {"name": "Sub", "parent_id": self.task.id, "project_id": self.project.id}
        )
        lines = (
            self._log(0.1)
            | self._log(0.1, task_id=self.task.id)
            | self._log(0.1, task_id=loose_task.id)
            | self._log(0.1, task_id=sub_task.id)
            | self._log(0.1, so_line=False, is_so_line_edited=True)
            | self._log(0.1, pack_id=False)
            | self.env["account.analytic.line"]
            .with_user(self.consultant)
            .with_context(default_so_line=False, default_pack_write_off=False)
            .create([{"project_id": self.project.id, "unit_amount": 0.1}] * 2)
        )
        self.assertEqual(lines.pack_id, self.pack)
        self.assertEqual(len(lines.filtered("pack_id")), 8)
        self.assertEqual(lines.so_line, self.pack.sale_line_id)
        self.assertAlmostEqual(self.pack.consumed_hours, 0.8)
        self.assertBalance()

    def test_employee_rates_do_not_keep_time_off_the_pack(self):
        order = self._sell_pack(5, confirm=False)
        order.order_line.product_id = self.env["product.product"].create(
            {
                "name": "Senior",
                "type": "service",
                "service_policy": "ordered_prepaid",
                "uom_id": self.env.ref("uom.product_uom_hour").id,
            }
        )
        order.action_confirm()
        self.project.sale_line_employee_ids = [
            Command.create(
                {
                    "employee_id": self.consultant.employee_id.id,
                    "sale_line_id": order.order_line.id,
                }
            )
        ]
        self.assertEqual(self.project.pricing_type, "employee_rate")
        self.assertEqual(self._log(1).so_line, self.pack.sale_line_id)
        self.assertEqual(
            self._log(1, task_id=self.task.id).so_line, self.pack.sale_line_id
        )
        self.assertBalance()

    def test_form(self):
        Line = self.env["account.analytic.line"].with_user(self.consultant)
        with Form(Line, view="hr_timesheet.hr_timesheet_line_form") as form:
            form.project_id = self.project.with_user(self.consultant)
            form.name = "Planning"
            form.unit_amount = 2
            self.assertEqual(form.pack_id, self.pack)
            self.assertEqual(form.work_type_id.code, "analysis")
        line = form.save()
        self.assertEqual(line.pack_id, self.pack)

    def test_tab_of_the_task(self):
        with Form(self.task.with_user(self.consultant)) as form:
            with form.timesheet_ids.new() as line:
                line.name = "Work"
                line.unit_amount = 1
                self.assertEqual(line.work_type_id.code, "analysis")
                line.work_type_id = self.training
        self.assertEqual(self.task.timesheet_ids.pack_id, self.pack)
        self.assertEqual(self.task.timesheet_ids.work_type_id, self.training)

    def test_import(self):
        Line = self.env["account.analytic.line"].with_user(self.consultant)
        result = Line.load(
            ["project_id/.id", "name", "unit_amount", "so_line/.id"],
            [
                [str(self.project.id), "One", "1", ""],
                [str(self.project.id), "Two", "2", ""],
            ],
        )
        self.assertFalse(result["messages"])
        self.assertEqual(Line.browse(result["ids"]).pack_id, self.pack)
        self.assertEqual(self.pack.consumed_hours, 3)

    def test_copy(self):
        self._log(1).copy()
        self.assertEqual(self.pack.consumed_hours, 2)
        self.assertBalance()

    def test_copy_of_a_line_written_off_is_deducted(self):
        line = self._log(1)
        line.sudo().write({"pack_write_off": True, "write_off_reason": "Our mistake"})
        copy = line.copy()
        self.assertFalse(copy.pack_write_off)
        self.assertFalse(copy.write_off_reason)
        self.assertEqual(self.pack.consumed_hours, 1)

    def test_edit_and_delete(self):
        line = self._log(1)
        line.unit_amount = 3
        self.assertEqual(self.pack.consumed_hours, 3)
        self.assertBalance()
        line.unlink()
        self.assertEqual(self.pack.consumed_hours, 0)
        self.assertBalance()

    def test_move_to_another_project_and_back(self):
        other = self._create_project(name="Other")
        other_pack = self._create_pack(other)
        line = self._log(1)
        line.project_id = other
        self.assertEqual(line.pack_id, other_pack)
        self.assertFalse(line.so_line)
        self.assertBalance(self.pack, other_pack)
        line.project_id = self.project
        self.assertEqual(line.pack_id, self.pack)
        self.assertEqual(line.so_line, self.pack.sale_line_id)
        self.assertBalance(self.pack, other_pack)

    def test_move_with_its_task(self):
        other = self._create_project(name="Other")
        other_pack = self._create_pack(other)
        line = self._log(1, task_id=self.task.id)
        self.task.project_id = other
        self.assertEqual(line.project_id, other)
        self.assertEqual(line.pack_id, other_pack)
        self.assertBalance(self.pack, other_pack)

    def test_move_to_a_stock_project(self):
        stock = self.env["project.project"].create({"name": "Stock"})
        line = self._log(1)
        line.project_id = stock
        self.assertFalse(line.pack_id)
        self.assertFalse(line.so_line)
        self.assertBalance()

    def test_sale_line_cannot_be_emptied(self):
        line = self._log(1, task_id=self.task.id)
        other = self._sell_pack(5).order_line
        for values in (
            {"so_line": False},
            {"so_line": False, "is_so_line_edited": True},
            {"so_line": other.id, "is_so_line_edited": True},
            {"is_so_line_edited": True},
        ):
            with self.subTest(values=values):
                line.with_user(self.manager).write(values)
                self.assertEqual(line.so_line, self.pack.sale_line_id)
                self.assertBalance()
        self.task.sale_line_id = False
        self.project.sale_line_id = other
        with self.assertRefused(ValidationError, "a project of no client"):
            self.project.allow_billable = False
        self.assertEqual(line.so_line, self.pack.sale_line_id)
        self.assertBalance()

    @users("pl_consultant")
    def test_pack_is_not_chosen_by_hand(self):
        line = self._log(1)
        other = self._sell_pack(5).order_line.pack_ids
        foreign = self._create_pack(self._create_project())
        with self.assertRefused(AccessError, "not chosen by hand"):
            line.pack_id = other.id
        with self.assertRefused(AccessError, "not chosen by hand"):
            self._log(1, pack_id=other.id)
        for pack in (foreign, foreign.browse()):
            with self.assertRaises(UserError):
                line.pack_id = pack.id
            self.assertEqual(line.pack_id, self.pack)
        with self.assertRefused(AccessError, "not chosen by hand"):
            self._log(1, pack_id=foreign.id)
        with self.assertRefused(ValidationError, "is not for"):
            self._log(1, self.manager, pack_id=foreign.id)
        with self.assertRefused(ValidationError, "is not for"):
            line.with_user(self.manager).pack_id = foreign

    def test_manager_moves_time_between_packs_of_the_project(self):
        line = self._log(1)
        other = self._sell_pack(5).order_line.pack_ids
        line.with_user(self.manager).pack_id = other
        self.assertEqual(line.so_line, other.sale_line_id)
        self.assertBalance(self.pack, other)

    def test_negative_hours_are_refused(self):
        line = self._log(1)
        for hours in (-1, float("nan"), float("inf")):
            with self.subTest(hours=hours):
                message = "cannot be logged|as a number"
                with self.assertRefused(ValidationError, message):
                    self._log(hours)
                with self.assertRefused(ValidationError, message):
                    line.unit_amount = hours
        self.assertBalance()

    def test_unit_of_measure_of_time(self):
        day = self.env.ref("uom.product_uom_day")
        line = self._log(1, product_uom_id=day.id)
        self.env.flush_all()
        self.assertEqual(self.pack.consumed_hours, 8)
        self.assertEqual(self.pack.sale_line_id.remaining_hours, 2)
        with self.assertRefused(UserError, "cannot be converted into hours"):
            line.product_uom_id = self.env.ref("uom.product_uom_kgm")

    def test_warns_about_long_days_and_overrun(self):
        with Form(
            self.env["account.analytic.line"].with_user(self.consultant),
            view="hr_timesheet.hr_timesheet_line_form",
        ) as form:
            form.project_id = self.project.with_user(self.consultant)
            with self.assertLogs("odoo.tests.form.onchange", "WARNING") as logs:
                form.unit_amount = 11
            self.assertIn("overrun", str(logs.output))
            with self.assertLogs("odoo.tests.form.onchange", "WARNING") as logs:
                form.unit_amount = 25
            self.assertIn("Long day", str(logs.output))
        self.assertEqual(form.save().unit_amount, 25, "it is only a warning")

    def test_exempt_time(self):
        template = self.env.ref("project_lifecycle.project_template_implementation")
        internal = self.env.company.internal_project_id
        self.assertFalse(internal.is_lifecycle)
        line = self._log(1, project_id=internal.id)
        self.assertFalse(line.pack_id)
        self.assertFalse(line.work_type_id)
        self.assertFalse(template.timesheet_ids)

    def test_stock_projects_behave_as_before(self):
        stock = self.env["project.project"].create(
            {"name": "Stock", "partner_id": self.client.id, "allow_billable": True}
        )
        order = self._sell_pack(5, stock)
        sale_line = order.order_line
        stock.sale_line_id = sale_line
        line = self._log(-1, project_id=stock.id)
        self.assertEqual(line.so_line, sale_line)
        self.assertFalse(line.pack_id or line.work_type_id)
        line.write({"so_line": False, "is_so_line_edited": True})
        self.assertFalse(line.so_line)

    def test_other_companys_employee_is_deducted(self):
        company = self.env["res.company"].create({"name": "Filial"})
        user = new_test_user(
            self.env,
            "pl_guest",
            groups="hr_timesheet.group_hr_timesheet_user,project.group_project_user",
            company_id=company.id,
            company_ids=[Command.set((company | self.env.company).ids)],
        )
        employee = self.env["hr.employee"].create(
            {"name": "Guest", "user_id": user.id, "company_id": company.id}
        )
        self.project.message_subscribe(user.partner_id.ids)
        line = (
            self.env["account.analytic.line"]
            .with_user(user)
            .with_context(allowed_company_ids=(self.env.company | company).ids)
            .create(
                {
                    "project_id": self.project.id,
                    "employee_id": employee.id,
                    "unit_amount": 1,
                }
            )
        )
        self.assertEqual(line.pack_id, self.pack)
        self.assertBalance()


@tagged("post_install", "-at_install")
class TestWhichPack(PackCommon):
    """The oldest active pack with hours left; when none has, the newest."""

    def test_oldest_first_and_overrun_on_the_newest(self):
        second = self._sell_pack(5).order_line.pack_ids
        lines = self.env["account.analytic.line"]
        for hours in (6, 6, 3, 3, 3):
            lines += self._log(hours)
        self.assertEqual(
            [line.pack_id for line in lines],
            [self.pack, self.pack, second, second, second],
        )
        self.assertEqual(self.pack.remaining_hours, -2)
        self.assertEqual(second.remaining_hours, -4)
        self.assertEqual(self.project.pack_remaining_hours, -6)

    def test_batch_fills_the_packs_one_after_the_other(self):
        second = self._sell_pack(5).order_line.pack_ids
        lines = (
            self.env["account.analytic.line"]
            .with_user(self.consultant)
            .create([{"project_id": self.project.id, "unit_amount": 4}] * 4)
        )
        self.assertEqual(
            [line.pack_id for line in lines], [self.pack, self.pack, self.pack, second]
        )

    def test_validity_counts(self):
        today = fields.Date.today()
        self.pack.write({"date_end": today - timedelta(days=1)})
        second = self._sell_pack(5).order_line.pack_ids
        self.assertEqual(self.pack.state, "expired")
        self.assertEqual(self._log(1).pack_id, second)
        late = self._log(1, date=today - timedelta(days=2))
        self.assertEqual(late.pack_id, self.pack)

    def test_validity_must_include_the_time(self):
        self._log(1)
        today = fields.Date.today()
        with self.assertRefused(ValidationError, "must include these dates"):
            self.pack.date_end = today - timedelta(days=1)
        with self.assertRefused(ValidationError, "must include these dates"):
            self.pack.date_start = today + timedelta(days=1)
        with self.assertRefused(ValidationError, "cannot end before it starts"):
            self.pack.write(
                {"date_start": today, "date_end": today - timedelta(days=3)}
            )

    def test_time_without_a_pack_is_taken_by_the_next_one(self):
        project = self._create_project(name="New")
        lines = self.env["account.analytic.line"]
        for days in (1, 3, 2):
            lines += self._log(
                2,
                project_id=project.id,
                date=fields.Date.today() - timedelta(days=days),
            )
        self.assertFalse(lines.pack_id)
        self.assertEqual(project.uncovered_hours, 6)
        self.assertIn(
            project, self.env["project.project"].search([("uncovered_hours", ">", 0)])
        )
        packs = self.env["project.consultancy.pack"].create(
            [
                {"project_id": project.id, "purchased_hours": 3},
                {"project_id": project.id, "purchased_hours": 10},
            ]
        )
        self.assertEqual(project.uncovered_hours, 0)
        self.assertEqual(
            [line.pack_id for line in lines],
            [packs[1], packs[0], packs[0]],
            "the oldest time comes first",
        )
        self.assertBalance(*packs)

    def test_block_policy(self):
        self.env.company.pack_overrun_policy = "block"
        line = self._log(9)
        with self.assertRefused(ValidationError, "renew the pack"):
            self._log(2)
        with self.assertRefused(ValidationError, "renew the pack"):
            line.unit_amount = 11
        self.assertEqual(self.pack.consumed_hours, 9)
        self._log(1)
        line.unit_amount = 8
        line.name = "Shorter"
        self.assertBalance()

    def test_block_policy_and_an_overrun_from_before(self):
        line = self._log(12)
        self.env.company.pack_overrun_policy = "block"
        line.unit_amount = 11
        line.name = "Still over, but less"
        with self.assertRefused(ValidationError, "renew the pack"):
            line.unit_amount = 11.5
        self.pack.sudo().flush_recordset()
        self.assertEqual(self.pack.consumed_hours, 11)

    def test_block_policy_and_validity(self):
        self.pack.date_end = fields.Date.today() - timedelta(days=1)
        self._log(1)
        self.env.company.pack_overrun_policy = "block"
        with self.assertRefused(ValidationError, "is not valid on"):
            self._log(1)


@tagged("post_install", "-at_install")
class TestWorkType(PackCommon):
    """What time was spent on; nothing of it can be left out."""

    def test_proposed_from_stage_and_task(self):
        self.assertEqual(self._log(1).work_type_id.code, "analysis")
        self.task.work_type_id = self.training
        self.assertEqual(self._log(1, task_id=self.task.id).work_type_id, self.training)
        self._keep_criteria()
        self.project.stage_id = self.stage_kickoff
        self.project.stage_id = self.stage_implementation
        self.assertEqual(self._log(1).work_type_id.code, "configuration")
        self.stage_implementation.work_type_id = False
        self.assertEqual(self._log(1).work_type_id.code, "project_management")

    def test_required_on_client_projects(self):
        line = self._log(1)
        with self.assertRefused(ValidationError, "needs a work type"):
            line.work_type_id = False
        self.assertTrue(self._log(1, work_type_id=False).work_type_id)

    def test_chosen_work_type_stays(self):
        line = self._log(1, work_type_id=self.training.id)
        line.task_id = self.task
        self.assertEqual(line.work_type_id, self.training)

    def test_all_work_types_are_deducted(self):
        types = self.env["project.work.type"].search([("id", "!=", 0)])
        self.assertEqual(len(types), 8)
        for work_type in types:
            self._log(0.5, work_type_id=work_type.id)
        self.assertEqual(self.pack.consumed_hours, 4)

    def test_project_users_cannot_edit_work_types(self):
        with self.assertRaises(AccessError):
            self.training.with_user(self.consultant).name = "Other"
        self.training.with_user(self.manager).name = "Trainings"


@tagged("post_install", "-at_install")
class TestWriteOff(PackCommon):
    """Only a manager keeps time off the pack, with a reason that the client sees."""

    def test_manager_writes_off(self):
        line = self._log(2)
        line.with_user(self.manager).write(
            {"pack_write_off": True, "write_off_reason": "Training of our consultant"}
        )
        self.assertEqual(line.pack_id, self.pack, "it stays visible")
        self.assertEqual(self.pack.consumed_hours, 0)
        self.assertEqual(self.pack.written_off_hours, 2)
        self.assertFalse(line.so_line)
        self.assertBalance()
        line.with_user(self.manager).pack_write_off = False
        self.assertEqual(self.pack.consumed_hours, 2)
        self.assertBalance()

    def test_reason_is_needed(self):
        line = self._log(2).with_user(self.manager)
        for reason in (False, "", "   ", "\u00a0"):
            with self.assertRefused(ValidationError, "Say why"):
                line.write({"pack_write_off": True, "write_off_reason": reason})
        self.assertBalance()

    @users("pl_consultant")
    def test_consultant_cannot_write_off(self):
        line = self._log(2)
        values = {"pack_write_off": True, "write_off_reason": "I say so"}
        with self.assertRefused(AccessError, "Only project managers"):
            line.write(values)
        with self.assertRefused(AccessError, "Only project managers"):
            self._log(1, **values)
        with self.assertRefused(AccessError, "Only project managers"):
            self.env["account.analytic.line"].with_context(
                default_pack_write_off=True, default_write_off_reason="By context"
            ).create({"project_id": self.project.id, "unit_amount": 1})
        line.sudo().write(values)
        for change in (
            {"unit_amount": 8},
            {"write_off_reason": "Other"},
            {"project_id": self._create_project().id},
            {"pack_write_off": False},
        ):
            with self.assertRefused(AccessError, "Only project managers"):
                line.write(change)
        with self.assertRefused(AccessError, "Only project managers"):
            line.unlink()
        self.assertEqual(self.pack.consumed_hours, 0)
