from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import HttpCase, freeze_time, new_test_user, tagged

from .pack_common import PackCommon


@tagged("post_install", "-at_install")
class TestBorders(PackCommon):
    """Where packs and their time meet projects, orders and companies of stock Odoo."""

    def test_sold_hours_of_a_project_that_becomes_a_client_project(self):
        stock = self.env["project.project"].create(
            {"name": "Stock", "partner_id": self.client.id, "allow_billable": True}
        )
        order = self._sell_pack(10, stock)
        beside = self._sell_pack(5, stock)
        beside.order_line.project_id = stock
        beside.project_id = False
        self._sell_pack(7, stock, confirm=False)
        line = self._log(3, project_id=stock.id)
        order._create_invoices().action_post()
        self.assertFalse(stock.pack_ids)
        stock.with_user(self.manager).write(
            {"is_lifecycle": True, "user_id": self.consultant.id}
        )
        self.assertEqual(stock.pack_ids.sale_line_id, (order | beside).order_line)
        self.assertEqual(line.pack_id.sale_line_id, order.order_line)
        self.assertEqual(stock.pack_purchased_hours, 15)
        self.assertEqual(stock.pack_remaining_hours, 12)
        self.assertEqual(stock.uncovered_hours, 0)
        self.assertEqual(order.order_line.qty_delivered, 3)
        self.assertEqual(order.order_line.qty_to_invoice, 0)
        stock.with_user(self.manager).write({"is_lifecycle": True})
        self.assertEqual(len(stock.pack_ids), 2)

    def test_internal_project_is_not_a_client_project(self):
        company = self.env.company
        for change in (
            lambda: company.write({"internal_project_id": self.project.id}),
            lambda: company.internal_project_id.write({"is_lifecycle": True}),
        ):
            with self.assertRefused(ValidationError, "internal project"):
                change()

    def test_state_of_the_order_line_written_by_hand(self):
        self._log(4)
        line = self.pack.sale_line_id.with_user(self.salesperson)
        line.write({"state": "cancel"})
        self.assertFalse(self.pack.cancelled)
        draft = self._sell_pack(1, confirm=False)
        with self.assertRefused(UserError, "cannot be cancelled"):
            line.write({"order_id": draft.id})
        self.assertEqual(self.pack.state, "active")
        self.assertBalance()

    def test_only_managers_give_reasons_for_a_write_off(self):
        Line = self.env["account.analytic.line"].with_user(self.consultant)
        line = self._log(1)
        values = {"name": "W", "unit_amount": 1, "write_off_reason": "Ours"}
        for change in (
            lambda: line.write({"write_off_reason": "Ours"}),
            lambda: self._log(1, write_off_reason="Ours"),
            lambda: Line.with_context(default_write_off_reason="Ours").create(
                {"project_id": self.project.id, "unit_amount": 1}
            ),
            lambda: self.project.with_user(self.consultant).write(
                {"timesheet_ids": [Command.create(values)]}
            ),
            lambda: self.task.with_user(self.consultant).write(
                {"timesheet_ids": [Command.create(values)]}
            ),
        ):
            with self.assertRefused(AccessError, "write time off"):
                change()
        manager_line = line.with_user(self.manager)
        manager_line.write({"pack_write_off": True, "write_off_reason": "Ours"})
        manager_line.write({"pack_write_off": False})
        self.assertFalse(line.write_off_reason, "would be said of the next write-off")
        line.with_user(self.consultant).write({"name": "W", "write_off_reason": ""})

    def test_figures_are_compared_with_numbers(self):
        Pack = self.env["project.consultancy.pack"].with_user(self.consultant)
        Project = self.env["project.project"].with_user(self.consultant)
        for model, names in (
            (Pack, ("consumed_hours", "remaining_hours", "usage")),
            (
                Project,
                ("uncovered_hours", "pack_purchased_hours", "pack_usage"),
            ),
        ):
            for name in names:
                for operator, value in (
                    ("=", "abc"),
                    ("!=", "a\0"),
                    (">", "abc"),
                    ("in", ["x", 1]),
                    ("not in", ["x"]),
                    ("=", float("nan")),
                ):
                    with self.subTest(name=name, operator=operator, value=value):
                        with self.assertRaises(UserError), self.cr.savepoint():
                            model.search([(name, operator, value)])
                self.assertIn(
                    self.project if model._name == Project._name else self.pack,
                    model.search([(name, ">=", 0), (name, "!=", 77)]),
                )

    def test_last_day_is_that_of_the_consultant(self):
        Pack = self.env["project.consultancy.pack"]
        self.pack.date_end = "2026-06-30"
        waiting = self._create_pack(self.env["project.project"], date_end="2026-06-30")
        self.env.company.resource_calendar_id.tz = "UTC"
        for zone, last in (
            ("America/Mexico_City", "2026-07-01 05:30:00"),
            ("Pacific/Auckland", "2026-06-30 11:30:00"),
            ("Pacific/Kiritimati", "2026-06-30 09:30:00"),
        ):
            self.consultant.tz = zone
            for hours, state in ((0, "active"), (1, "expired")):
                now = fields.Datetime.from_string(last) + timedelta(hours=hours)
                for seen_from in ("America/Mexico_City", "UTC", "Asia/Tokyo"):
                    with (
                        self.subTest(zone=zone, now=now, seen_from=seen_from),
                        freeze_time(now),
                    ):
                        self.env.invalidate_all()
                        seen = Pack.with_context(tz=seen_from)
                        pack = self.pack.with_context(tz=seen_from)
                        self.assertEqual(pack.state, state)
                        self.assertIn(pack, seen.search([("state", "=", state)]))
                        self.assertNotIn(pack, seen.search([("state", "!=", state)]))
                        self.assertEqual(
                            waiting.with_context(tz=seen_from).state,
                            "active" if now.day == 30 else "expired",
                        )

    def test_time_on_another_day_goes_to_the_pack_of_that_day(self):
        project = self._create_project(name="Two halves")
        first = self._create_pack(
            project, date_start="2026-01-01", date_end="2026-06-30"
        )
        second = self._create_pack(
            project, date_start="2026-07-01", date_end="2026-12-31"
        )
        line = self._log(2, project_id=project.id, date="2026-02-01")
        self.assertEqual(line.pack_id, first)
        line.with_user(self.consultant).date = "2026-08-01"
        self.assertEqual(line.pack_id, second)
        self.assertEqual((first.consumed_hours, second.consumed_hours), (0, 2))
        line.with_user(self.consultant).date = "2026-02-02"
        self.assertEqual(line.pack_id, first)
        first.date_end = "2026-05-31"
        self.assertBalance(first, second)

    def test_units_of_deducted_time_stay(self):
        hour = self.env.ref("uom.product_uom_hour")
        day = self.env.ref("uom.product_uom_day")
        quarter, unused = self.env["uom.uom"].create(
            [
                {"name": name, "relative_factor": 0.25, "relative_uom_id": hour.id}
                for name in ("Quarter", "Unused")
            ]
        )
        self._log(2, product_uom_id=quarter.id)
        self._sell_pack(1, product_uom_id=day.id)
        for change in (
            quarter.unlink,
            lambda: quarter.write({"relative_factor": 0.5}),
            lambda: day.write({"relative_factor": 7}),
            lambda: hour.write({"relative_factor": 2}),
        ):
            with self.assertRefused(UserError, "counted in"):
                change()
        quarter.write({"name": "15 min", "relative_factor": 0.25})
        unused.relative_factor = 0.2
        unused.unlink()
        self.assertEqual(self.pack.consumed_hours, 0.5)

    def test_broken_names(self):
        work_type = (
            self.env["project.work.type"]
            .with_user(self.manager)
            .create({"name": "A\0b", "code": "a\0b"})
        )
        self.assertEqual((work_type.name, work_type.code), ("Ab", "ab"))


@tagged("post_install", "-at_install")
class TestPortalHours(PackCommon, HttpCase):
    """The client sees what is not deducted, beside all that was worked."""

    def test_not_deducted_beside_the_total(self):
        user = new_test_user(
            self.env, "spoc_hours", "base.group_portal", partner_id=self.spoc.id
        )
        self.project.message_subscribe(self.spoc.ids)
        self.project.privacy_visibility = "portal"
        self._log(3, task_id=self.task.id)
        line = self._log(1.25, task_id=self.task.id)
        line.sudo().write({"pack_write_off": True, "write_off_reason": "Ours"})
        self.authenticate(user.login, user.login)
        page = self.url_open("/my/timesheets?groupby=project_id").text
        self.assertRegex(page, r"Total:\s*<span[^>]*>04:15</span>")
        self.assertRegex(page, r"Not deducted</span>:\s*<span[^>]*>01:15</span>")
        self.assertIn("badge", page)
        page = self.url_open(self.task.get_portal_url()).text
        self.assertRegex(page, r"Not deducted</td>\s*<td[^>]*>\s*<span[^>]*>01:15")
        line.sudo().pack_write_off = False
        page = self.url_open("/my/timesheets?groupby=project_id").text
        self.assertNotIn("Not deducted", page)
