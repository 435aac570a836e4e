from datetime import timedelta
from functools import partial

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, HttpCase, freeze_time, new_test_user, tagged, users
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import MailCase

from ..hooks import uninstall_hook
from .common import LifecycleCommon


class PackCommon(LifecycleCommon):
    """A client project with a pack of 10 hours, and people who log time."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        users = cls.consultant | cls.colleague | cls.manager
        cls.employees = cls.env["hr.employee"].create(
            [{"name": user.name, "user_id": user.id} for user in users]
        )
        cls.product = cls.env.ref(
            "project_lifecycle.product_template_consultancy_pack"
        ).product_variant_id
        cls.project = cls._create_project(spoc_id=cls.spoc.id, allow_billable=True)
        cls.pack = cls._sell_pack(10).order_line.pack_ids
        cls.task = cls.env["project.task"].create(
            {"name": "Sales flow", "project_id": cls.project.id}
        )
        cls.training = cls.env.ref("project_lifecycle.work_type_training")

    @classmethod
    def _sell_pack(cls, quantity, project=None, confirm=True, **line_values):
        """Sell a consultancy pack for the project, which is the common one by default.

        :return: the order
        """
        project = cls.project if project is None else project
        order = cls.env["sale.order"].create(
            {
                "partner_id": project.partner_id.id or cls.client.id,
                "project_id": project.id,
                "user_id": cls.salesperson.id,
                "order_line": [
                    Command.create(
                        {"product_id": cls.product.id, "product_uom_qty": quantity}
                        | line_values
                    )
                ],
            }
        )
        if confirm:
            order.action_confirm()
        return order

    @classmethod
    def _log(cls, hours, user=None, **values):
        """Log time of the consultant on the project, in the way of a program."""
        if "task_id" not in values:
            values.setdefault("project_id", cls.project.id)
        return (
            cls.env["account.analytic.line"]
            .with_user(user or cls.consultant)
            .create({"name": "Work", "unit_amount": hours} | values)
        )

    def assertBalance(self, *packs):
        """Check that every pack agrees with its lines and with its order."""
        self.env.flush_all()
        self.env.invalidate_all()
        for pack in packs or self.pack:
            deducted = pack.line_ids.filtered(lambda line: not line.pack_write_off)
            used = sum(deducted.mapped("unit_amount"))
            self.assertAlmostEqual(pack.consumed_hours, used, places=5)
            self.assertAlmostEqual(
                pack.purchased_hours,
                pack.consumed_hours + pack.remaining_hours,
                places=5,
            )
            self.assertLessEqual(pack.line_ids.project_id, pack.project_id)
            sale_line = pack.sale_line_id
            if sale_line and not pack.cancelled:
                self.assertEqual(deducted.so_line, sale_line & deducted.so_line)
                self.assertEqual(sale_line.timesheet_ids, deducted)
                self.assertAlmostEqual(
                    sale_line.remaining_hours, pack.remaining_hours, places=5
                )
                delivered = sale_line.product_uom_id._compute_quantity(
                    sale_line.qty_delivered,
                    self.env.ref("uom.product_uom_hour"),
                    round=False,
                )
                # Odoo keeps delivered quantities in hundredths of their unit
                self.assertAlmostEqual(
                    delivered,
                    pack.consumed_hours,
                    delta=0.005
                    * sale_line.product_uom_id._compute_quantity(
                        1, self.env.ref("uom.product_uom_hour"), round=False
                    )
                    + 1e-6,
                )
            self.assertFalse((pack.line_ids - deducted).so_line)


@tagged("post_install", "-at_install")
class TestPackFromOrder(PackCommon):
    """Confirming an order of hours gives the client project a pack."""

    def test_hours_of_the_order_become_the_pack(self):
        self.assertRecordValues(
            self.pack,
            [
                {
                    "project_id": self.project.id,
                    "partner_id": self.client.id,
                    "purchased_hours": 10,
                    "consumed_hours": 0,
                    "remaining_hours": 10,
                    "state": "active",
                    "company_id": self.env.company.id,
                }
            ],
        )
        self.assertEqual(self.pack.sale_line_id.project_id, self.project)

    def test_days_are_converted_by_the_unit_of_measure(self):
        half_day = self.env["uom.uom"].create(
            {
                "name": "Half day",
                "relative_factor": 4,
                "relative_uom_id": self.env.ref("uom.product_uom_hour").id,
            }
        )
        for uom, quantity, hours in (
            (self.env.ref("uom.product_uom_day"), 5, 40),
            (self.env.ref("uom.product_uom_day"), 0.3, 2.4),
            (half_day, 3, 12),
        ):
            with self.subTest(uom=uom.name, quantity=quantity):
                order = self._sell_pack(quantity, product_uom_id=uom.id)
                pack = order.order_line.pack_ids
                self.assertAlmostEqual(pack.purchased_hours, hours)
                self._log(0.25)
                self.assertBalance(pack)

    def test_product_with_template_makes_the_project_where_there_is_none(self):
        template = self.env.ref("project_lifecycle.product_template_implementation")
        order = self.env["sale.order"].create(
            {
                "partner_id": self.client.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": template.product_variant_id.id,
                            "product_uom_qty": 80,
                        }
                    ),
                    Command.create(
                        {"product_id": self.product.id, "product_uom_qty": 20}
                    ),
                ],
            }
        )
        order.action_confirm()
        project = order.project_id
        self.assertTrue(project.is_lifecycle)
        self.assertEqual(project, order.order_line.project_id)
        self.assertEqual(project.pack_count, 2)
        self.assertEqual(project.pack_purchased_hours, 100)

    def test_pack_without_a_project_waits_for_it(self):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.client.id,
                "order_line": [
                    Command.create(
                        {"product_id": self.product.id, "product_uom_qty": 20}
                    )
                ],
            }
        )
        order.action_confirm()
        pack = order.order_line.pack_ids
        self.assertFalse(pack.project_id)
        order.project_id = self.project
        self.assertEqual(pack.project_id, self.project)

    def test_other_projects_get_no_pack(self):
        stock = self.env["project.project"].create(
            {"name": "Stock", "partner_id": self.client.id, "allow_billable": True}
        )
        order = self._sell_pack(5, stock)
        self.assertFalse(order.order_line.pack_ids.project_id)

    def test_confirmed_twice_makes_one_pack(self):
        order = self.pack.sale_line_id.order_id
        order._action_confirm()
        order.order_line._update_packs()
        self.assertEqual(order.order_line.pack_ids, self.pack)

    def test_line_added_to_a_confirmed_order(self):
        order = self.pack.sale_line_id.order_id
        order.order_line = [
            Command.create({"product_id": self.product.id, "product_uom_qty": 4})
        ]
        self.assertEqual(self.project.pack_purchased_hours, 14)

    def test_pack_follows_the_ordered_quantity(self):
        self._log(6)
        self.pack.sale_line_id.product_uom_qty = 30
        self.assertEqual(self.pack.purchased_hours, 30)
        self.pack.sale_line_id.product_uom_qty = 6
        self.assertEqual(self.pack.state, "exhausted")
        with self.assertRefused(UserError, "6.0 were used already"):
            self.pack.sale_line_id.product_uom_qty = 5
        self.assertEqual(self.pack.purchased_hours, 6)
        self.assertBalance()

    def test_overrun_pack_may_get_some_hours(self):
        self._log(15)
        self.pack.sale_line_id.product_uom_qty = 12
        self.assertEqual(self.pack.remaining_hours, -3)

    def test_cancelling_an_unused_order_cancels_the_pack(self):
        order = self.pack.sale_line_id.order_id
        order._action_cancel()
        self.assertEqual(self.pack.state, "cancelled")
        self.assertEqual(self.project.pack_purchased_hours, 0)
        line = self._log(1)
        self.assertFalse(line.pack_id)
        order.action_draft()
        self.assertEqual(self.pack.state, "cancelled")
        order.action_confirm()
        self.assertEqual(order.order_line.pack_ids, self.pack)
        self.assertEqual(self.pack.state, "active")
        self.assertEqual(line.pack_id, self.pack, "time without a pack is taken")
        self.assertBalance()

    def test_cancelling_a_used_order_is_refused(self):
        self._log(2.5)
        order = self.pack.sale_line_id.order_id
        with self.assertRefused(UserError, "2.5 hours .* are used already"):
            order._action_cancel()
        self.assertEqual(order.state, "sale")
        self.assertBalance()

    def test_cancelled_and_deleted_order_takes_its_pack_along(self):
        order = self.pack.sale_line_id.order_id
        order._action_cancel()
        order.unlink()
        self.assertFalse(self.pack.exists())

    def test_product_of_a_pack_cannot_be_exchanged(self):
        other = self.env["product.product"].create(
            {"name": "Server", "type": "service"}
        )
        with self.assertRefused(UserError, "cannot be exchanged"):
            self.pack.sale_line_id.product_id = other

    def test_only_time_is_sold(self):
        Product = self.env["product.template"]
        kilogram = self.env.ref("uom.product_uom_kgm")
        with self.assertRefused(ValidationError, "cannot be sold in kg"):
            Product.create(
                {
                    "name": "Pack",
                    "is_consultancy_pack": True,
                    "uom_id": kilogram.id,
                }
            )
        with self.assertRefused(ValidationError, "cannot be sold in"):
            self.product.uom_id = self.env.ref("uom.product_uom_unit")
        with self.assertRefused(ValidationError, "cannot be sold in kg"):
            self._sell_pack(5, product_uom_id=kilogram.id)
        with self.assertRefused(ValidationError, "it must be a service"):
            self.product.service_policy = "delivered_timesheet"

    def test_marking_a_product_makes_it_prepaid_time(self):
        product = self.env["product.product"].create(
            {"name": "Hours", "is_consultancy_pack": True}
        )
        self.assertEqual(product.service_policy, "ordered_prepaid")
        self.assertEqual(product.uom_id, self.env.ref("uom.product_uom_hour"))
        with Form(self.env["product.template"]) as form:
            form.name = "Days"
            form.is_consultancy_pack = True
            self.assertEqual(form.service_policy, "ordered_prepaid")
            form.uom_id = self.env.ref("uom.product_uom_day")

    def test_negative_quantity_is_refused(self):
        with self.assertRefused(ValidationError, "cannot be negative"):
            self._sell_pack(-5)

    def test_order_of_another_client_is_refused(self):
        order = self._sell_pack(5, confirm=False)
        order.partner_id = self.other_client
        order.project_id = self.project
        with self.assertRefused(ValidationError, "was sold to Harbour Bicycles"):
            order.action_confirm()

    def test_project_with_packs_keeps_client_and_kind(self):
        for values in (
            {"partner_id": self.other_client.id, "spoc_id": False},
            {"is_lifecycle": False},
            {"is_template": True},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                self.project.write(values)
        with self.assertRefused(UserError, "cannot be deleted"):
            self.project.unlink()

    @users("pl_salesperson")
    def test_salesperson_renews_on_the_same_project(self):
        projects = self.env["project.project"].search_count([])
        pack = self.pack.with_env(self.env)
        self.assertTrue(pack.has_access("read"))
        order = self.env["sale.order"].browse(pack.action_renew()["res_id"])
        self.assertEqual(order.state, "draft")
        self.assertEqual(order.partner_id, self.client)
        self.assertEqual(order.order_line.product_uom_qty, 10)
        order.action_confirm()
        renewed = order.sudo().order_line.pack_ids
        self.assertEqual(renewed.project_id, self.project)
        self.assertEqual(self.env["project.project"].search_count([]), projects)

    def test_renewing_the_implementation_makes_no_other_project(self):
        template = self.env.ref("project_lifecycle.product_template_implementation")
        order = self._sell_pack(
            5,
            self.env["project.project"],
            False,
            product_id=template.product_variant_id.id,
        )
        order.action_confirm()
        project = order.project_id
        action = project.action_renew_pack()
        renewal = self.env["sale.order"].browse(action["res_id"])
        self.assertEqual(renewal.order_line.product_id, template.product_variant_id)
        renewal.action_confirm()
        self.assertEqual(project.pack_count, 2)
        self.assertEqual(renewal.project_ids, project)

    @users("pl_consultant")
    def test_consultant_asks_the_salesperson_to_renew(self):
        action = self.project.with_env(self.env).action_renew_pack()
        self.assertEqual(action["tag"], "display_notification")
        activity = self.project.activity_ids.filtered(
            lambda activity: activity.summary == "Renew the consultancy pack"
        )
        self.assertEqual(activity.user_id, self.salesperson)

    def test_renewing_moves_no_old_time(self):
        former = self._log(8)
        later = self._sell_pack(20).order_line.pack_ids
        self.project.sale_line_id = later.sale_line_id
        self.assertEqual(former.pack_id, self.pack)
        line = self._log(4)
        self.assertEqual(line.pack_id, self.pack, "two hours were left")
        self.assertEqual(self._log(1).pack_id, later)
        self.assertBalance(self.pack, later)

    def test_pack_by_hand(self):
        project = self._create_project()
        with Form(self.env["project.consultancy.pack"].with_user(self.manager)) as form:
            form.name = "Goodwill"
            form.project_id = project
            form.purchased_hours = 3
        pack = form.save()
        line = self._log(1, project_id=project.id)
        self.assertEqual(line.pack_id, pack)
        self.assertFalse(line.so_line)
        self.assertBalance(pack)
        for change in (
            lambda: pack.action_cancel(),
            lambda: pack.write({"project_id": self.project.id}),
            lambda: pack.write({"purchased_hours": 0.5}),
            lambda: pack.write({"purchased_hours": -1}),
            lambda: pack.write({"purchased_hours": float("nan")}),
            lambda: pack.unlink(),
        ):
            with self.assertRaises(UserError):
                change()
            self.assertEqual(pack.purchased_hours, 3)
        line.unlink()
        pack.action_cancel()
        self.assertEqual(pack.state, "cancelled")
        pack.action_reactivate()
        self.assertEqual(pack.state, "active")

    def test_pack_by_hand_for_the_wrong_project(self):
        stock = self.env["project.project"].create({"name": "Stock"})
        with self.assertRefused(ValidationError, "is not a client project"):
            self._create_pack(stock)
        with self.assertRefused(ValidationError, "hours above zero"):
            self._create_pack(self.project, 0)

    def test_pack_of_an_order_follows_only_the_order(self):
        for values in (
            {"purchased_hours": 100},
            {"cancelled": True},
            {"sale_line_id": False},
        ):
            with self.assertRefused(UserError, "follows that order"):
                self.pack.write(values)
        with self.assertRefused(UserError, "Cancel the order instead"):
            self.pack.unlink()
        with self.assertRaises(AccessError):
            self.pack.with_user(self.manager).write({"consumed_hours": 1})

    def test_other_company(self):
        company = self.env["res.company"].create({"name": "Filial"})
        with self.assertRaises(UserError):
            self._create_pack(
                self._create_project(company_id=self.env.company.id),
                company_id=company.id,
            )
        user = new_test_user(
            self.env,
            "pl_filial",
            groups="project.group_project_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.assertFalse(
            self.env["project.consultancy.pack"].with_user(user).search_count([])
        )


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


@tagged("post_install", "-at_install")
class TestBalance(PackCommon):
    """Everybody can see the hours."""

    def test_states_can_be_searched(self):
        Pack = self.env["project.consultancy.pack"]
        exhausted = self._create_pack(self._create_project(), 1)
        self._log(1, project_id=exhausted.project_id.id)
        expired = self._create_pack(
            self._create_project(), date_end=fields.Date.today() - timedelta(days=1)
        )
        cancelled = self._create_pack(self._create_project())
        cancelled.action_cancel()
        packs = self.pack | exhausted | expired | cancelled
        for pack, state in zip(
            packs, ("active", "exhausted", "expired", "cancelled"), strict=True
        ):
            self.assertEqual(pack.state, state)
            self.assertEqual(
                Pack.search([("id", "in", packs.ids), ("state", "=", state)]), pack
            )
            self.assertEqual(
                Pack.search([("id", "in", packs.ids), ("state", "!=", state)]),
                (packs - pack).sorted("id", reverse=True),
            )

    def test_kickoff_share_against_the_target(self):
        self._keep_criteria()
        self._log(1)
        self.assertEqual(self.project.kickoff_hours, 1)
        self.assertEqual(self.project.kickoff_share, 10)
        self.assertFalse(self.project.is_kickoff_share_off)
        self._log(1)
        self.project.invalidate_recordset()
        self.assertTrue(self.project.is_kickoff_share_off)
        with freeze_time(fields.Datetime.now() + timedelta(days=5)):
            self.project.stage_id = self.stage_kickoff
            self.project.stage_id = self.stage_implementation
        self._log(3, date=fields.Date.today() + timedelta(days=6))
        self._log(0.5, date=fields.Date.today() + timedelta(days=2))
        self.project.invalidate_recordset()
        self.assertEqual(self.project.kickoff_hours, 2.5)

    def test_forecast(self):
        self.assertFalse(self.pack.forecast_date)
        self._log(4, date=fields.Date.today() - timedelta(days=10))
        self._log(3, date=fields.Date.today() - timedelta(days=60))
        self.pack.invalidate_recordset()
        self.project.invalidate_recordset()
        # 3 hours are left at 4 hours in four weeks
        date = fields.Date.today() + timedelta(days=21)
        self.assertEqual(self.pack.forecast_date, date)
        self.assertEqual(self.project.pack_forecast_date, date)
        second = self._sell_pack(4).order_line.pack_ids
        self.assertEqual(second.forecast_date, date + timedelta(days=28))

    def test_burn_down(self):
        self._log(4)
        self.pack.invalidate_recordset()
        self.assertIn('"y": 10.0', self.pack.burn_down)
        self.assertIn('"y": 6.0', self.pack.burn_down)

    def test_roles(self):
        for user, read in (
            (self.manager, True),
            (self.consultant, True),
            (self.salesperson, True),
            (self.spoc_user, False),
            (self.stranger_user, False),
        ):
            with self.subTest(user=user.login):
                self.env.invalidate_all()
                pack = self.pack.with_user(user)
                self.assertEqual(pack.has_access("read"), read)
                self.assertEqual(pack.has_access("write"), user == self.manager)
                with mute_logger("odoo.models"):
                    if read:
                        self.assertEqual(pack.project_id.pack_remaining_hours, 10)
                    else:
                        with self.assertRaises(AccessError):
                            pack.project_id.read(["pack_remaining_hours"])
        other = new_test_user(
            self.env, "pl_other_sales", groups="sales_team.group_sale_salesman"
        )
        self.assertFalse(self.pack.with_user(other).has_access("read"))

    def test_user_with_nothing_but_timesheets(self):
        user = new_test_user(
            self.env, "pl_clerk", groups="hr_timesheet.group_hr_timesheet_user"
        )
        self.env["hr.employee"].create({"name": "Clerk", "user_id": user.id})
        with Form(
            self.env["account.analytic.line"].with_user(user),
            view="hr_timesheet.hr_timesheet_line_form",
        ) as form:
            form.project_id = self.project.with_user(user)
            form.unit_amount = 1
            self.assertEqual(form.pack_remaining_hours, 10)
        self.assertEqual(form.save().pack_id.id, self.pack.id)


@tagged("post_install", "-at_install")
class TestAlerts(PackCommon, MailCase):
    """Consultant, salesperson and SPOC are told before the hours run out."""

    def _run_cron(self):
        cron = self.env.ref("project_lifecycle.ir_cron_pack_alert")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()

    def _get_mails(self):
        return self.env["mail.mail"].search(
            [("recipient_ids", "in", self.spoc.ids), ("subject", "ilike", "pack")]
        ) | self.env["mail.mail"].search(
            [("recipient_ids", "in", self.spoc.ids), ("subject", "ilike", "paquete")]
        )

    def test_each_threshold_once(self):
        told = 0
        for hours, tells in ((7, 0), (0.5, 1), (0.5, 0), (1, 1), (1, 1), (3, 0)):
            self._log(hours)
            self._run_cron()
            self._run_cron()
            told += tells
            self.assertEqual(len(self.pack.activity_ids), 2 * told)
            self.assertEqual(
                self.pack.activity_ids.user_id,
                (self.consultant | self.salesperson)
                if told
                else self.env.user.browse(),
            )
            self.assertEqual(len(self._get_mails()), told)

    def test_one_jump_over_all_tells_once(self):
        self._log(12)
        self._run_cron()
        self.assertEqual(len(self.pack.activity_ids), 2)
        self.assertEqual(self.pack.alerted_usage, 100)
        self.assertEqual(len(self._get_mails()), 1)

    def test_thresholds_of_the_company(self):
        self.env.company.pack_alert_thresholds = "50"
        self._log(6)
        self._run_cron()
        self.assertEqual(self.pack.alerted_usage, 50)
        for wrong in ("", "many", "50, x", "0", "-5", "7.5", "5000"):
            with self.subTest(wrong=wrong), self.assertRaises(UserError):
                self.env.company.pack_alert_thresholds = wrong

    def test_mail_in_the_language_of_the_spoc(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.env["ir.module.module"]._load_module_terms(
            ["project_lifecycle"], ["es_ES"]
        )
        self.spoc.lang = "es_ES"
        self._log(8)
        self._run_cron()
        mail = self._get_mails()
        self.assertIn("paquete de consultoría", mail.subject)
        self.assertIn("Horas compradas", mail.body_html)
        self.assertIn("02:00", mail.body_html)

    def test_no_mail_without_a_spoc(self):
        self.project.spoc_id = False
        self._log(8)
        self._run_cron()
        self.assertEqual(len(self.pack.activity_ids), 2)

    def test_time_logged_asks_for_the_cron(self):
        Trigger = self.env["ir.cron.trigger"]
        cron = self.env.ref("project_lifecycle.ir_cron_pack_alert")
        self._log(1)
        self.assertFalse(Trigger.search_count([("cron_id", "=", cron.id)]))
        self._log(7)
        self.assertTrue(Trigger.search_count([("cron_id", "=", cron.id)]))

    def test_a_run_that_dies_half_way_tells_nobody_twice(self):
        second = self._create_pack(self._create_project(spoc_id=self.spoc.id), 10)
        self._log(8)
        self._log(8, project_id=second.project_id.id)
        Pack = self.registry["project.consultancy.pack"]
        alert = Pack._alert
        calls = []

        def dies_at_the_second(pack):
            calls.append(pack)
            alert(pack)
            if len(calls) == 2:
                raise ValueError("The template is broken")

        self.patch(Pack, "_alert", dies_at_the_second)
        with mute_logger(
            "odoo.addons.project_lifecycle.models.pack.project_consultancy_pack_alert"
        ):
            self._run_cron()
        self.patch(Pack, "_alert", alert)
        self._run_cron()
        for pack in (self.pack, second):
            self.assertEqual(len(pack.activity_ids), 2)
        self.assertEqual(len(self._get_mails()), 2)

    def test_time_without_a_pack(self):
        project = self._create_project(name="New")
        self._log(2, project_id=project.id)
        for _run in range(2):
            self._run_cron()
            activities = project.activity_ids.filtered(
                lambda activity: activity.activity_type_id
                == self.env.ref("project_lifecycle.mail_activity_type_pack")
            )
            self.assertEqual(activities.user_id, self.consultant | self.salesperson)
            self.assertEqual(len(activities), 2)
        self._create_pack(project)
        self.assertFalse(project.is_uncovered_alerted)

    def test_no_upsell_activity_of_stock_odoo(self):
        self._log(12)
        self.env.flush_all()
        order = self.pack.sale_line_id.order_id
        self.assertFalse(order.activity_ids)


@tagged("post_install", "-at_install")
class TestPackQueries(PackCommon):
    """What time costs, against stock Odoo, and that balances cost the same for all."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        product = cls.env["product.product"].create(
            {
                "name": "Prepaid",
                "type": "service",
                "service_policy": "ordered_prepaid",
                "uom_id": cls.env.ref("uom.product_uom_hour").id,
            }
        )
        cls.stock = cls.env["project.project"].create(
            {
                "name": "Stock",
                "partner_id": cls.client.id,
                "allow_billable": True,
                "user_id": cls.consultant.id,
            }
        )
        order = cls._sell_pack(5000, cls.stock, product_id=product.id)
        cls.stock.sale_line_id = order.order_line
        cls.pack.sale_line_id.product_uom_qty = 5000
        cls.stock_task = cls.env["project.task"].create(
            {"name": "Stock", "project_id": cls.stock.id}
        )

    def _count(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def _count_lines(self, task, number):
        values = {"task_id": task.id, "project_id": task.project_id.id}
        Line = self.env["account.analytic.line"].with_user(self.consultant)
        return self._count(
            lambda: Line.create(
                [values | {"name": "Work", "unit_amount": 0.1}] * number
            )
        )

    def test_time_costs_hardly_more_than_in_stock_odoo(self):
        for task in (self.stock_task, self.task):
            self._count_lines(task, 1)  # the caches of the registry
        one_stock, one = (
            self._count_lines(task, 1) for task in (self.stock_task, self.task)
        )
        many_stock, many = (
            self._count_lines(task, 1000) for task in (self.stock_task, self.task)
        )
        self.assertLessEqual(one, one_stock + 6)
        self.assertLessEqual(many - one, many_stock - one_stock)

    def test_balances_of_many_projects(self):
        projects = self.env["project.project"].create(
            [
                {
                    "name": f"Project {number}",
                    "is_lifecycle": True,
                    "partner_id": self.client.id,
                }
                for number in range(50)
            ]
        )
        self.env["project.consultancy.pack"].create(
            [
                {"project_id": project.id, "purchased_hours": 10}
                for project in projects
                for _pack in range(10)
            ]
        )
        self.env["account.analytic.line"].create(
            [
                {
                    "project_id": project.id,
                    "unit_amount": 3,
                    "employee_id": self.employees[0].id,
                }
                for project in projects
            ]
        )
        fields_ = [
            "pack_remaining_hours",
            "pack_usage",
            "uncovered_hours",
            "pack_forecast_date",
            "kickoff_share",
        ]
        for records, names in (
            (projects, fields_),
            (
                projects.pack_ids,
                ["state", "usage", "written_off_hours", "forecast_date", "burn_down"],
            ),
        ):
            counts = [
                self._count(partial(some.read, names))
                for some in (records[:1], records[1:3], records[3:])
            ]
            self.assertLessEqual(counts[2], counts[1])

    def test_alerts_are_searched_in_constant_queries(self):
        Pack = self.env["project.consultancy.pack"]
        few = self._count(Pack._search_to_alert)
        projects = self.env["project.project"].create(
            [
                {"name": str(n), "is_lifecycle": True, "partner_id": self.client.id}
                for n in range(20)
            ]
        )
        Pack.create([{"project_id": p.id, "purchased_hours": 1} for p in projects])
        self.env["account.analytic.line"].create(
            [
                {
                    "project_id": project.id,
                    "unit_amount": 1,
                    "employee_id": self.employees[0].id,
                }
                for project in projects
            ]
        )
        self._count(Pack._search_to_alert)
        self.assertEqual(len(Pack._search_to_alert()), 20)
        # one query more reads what was found
        self.assertLessEqual(self._count(Pack._search_to_alert), few + 2)


@tagged("post_install", "-at_install")
class TestPackPages(PackCommon, HttpCase):
    """Hours in the browser: the consultant's job, and what the client sees."""

    def test_log_time(self):
        self.project.name = "Almazara ERP"
        self.start_tour(
            "/odoo/consultancy-packs",
            "project_lifecycle_log_time",
            login="pl_consultant",
            timeout=120,
        )
        line = self.pack.line_ids
        self.assertEqual(line.unit_amount, 2.5)
        self.assertEqual(line.work_type_id.code, "project_management")
        self.assertEqual(line.user_id, self.consultant)

    def test_client_sees_what_is_not_deducted(self):
        line = self._log(2, name="Repeated import")
        line.sudo().write({"pack_write_off": True, "write_off_reason": "Internal note"})
        self.project.message_subscribe(self.spoc.ids)
        self.authenticate("pl_spoc", "pl_spoc")
        page = self.url_open("/my/timesheets").text
        self.assertIn("Repeated import", page)
        self.assertIn("Not deducted", page)
        self.assertIn("Analysis", page)
        self.authenticate("pl_stranger", "pl_stranger")
        self.assertNotIn("Repeated import", self.url_open("/my/timesheets").text)


@tagged("post_install", "-at_install")
class TestPackUninstall(PackCommon):
    """What was deducted from sold hours stays so without the addon."""

    def test_delivered_hours_stay(self):
        line = self._log(3)
        written_off = self._log(2)
        written_off.sudo().write(
            {"pack_write_off": True, "write_off_reason": "Our mistake"}
        )
        sale_line = self.pack.sale_line_id
        uninstall_hook(self.env)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(sale_line.qty_delivered, 3)
        self.assertEqual(line.so_line, sale_line)
        self.assertFalse(written_off.so_line)
        self.assertFalse(self.pack.exists())
