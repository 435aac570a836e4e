from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged, users

from ..hooks import uninstall_hook
from .pack_common import PackCommon


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
