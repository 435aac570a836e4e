from contextlib import suppress
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, new_test_user, tagged

from .pack_common import PackCommon


@tagged("post_install", "-at_install")
class TestNeighbours(PackCommon):
    """Stock projects beside client projects, and time that moves between them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stock = cls.env["project.project"].create(
            {"name": "Stock", "partner_id": cls.client.id, "allow_billable": True}
        )
        cls.stock_task = cls.env["project.task"].create(
            {"name": "Stock task", "project_id": cls.stock.id}
        )
        cls.other = cls._create_project(name="Other", allow_billable=True)
        cls.other_pack = cls._create_pack(cls.other)
        cls.sale_line = cls.pack.sale_line_id

    def test_batches_of_mixed_lines(self):
        values = [
            {"project_id": self.other.id, "task_id": False},
            {"date": fields.Date.today() - timedelta(days=3)},
            {"amount": -5.0},
            {"product_uom_id": self.env.ref("uom.product_uom_day").id},
            {"unit_amount": 1.5},
            {"pack_write_off": True, "write_off_reason": "Ours"},
            {"pack_write_off": False},
            {"task_id": self.task.id},
            {"project_id": self.stock.id, "task_id": False},
            {"project_id": self.project.id},
        ]
        lines = (
            self._log(1)
            | self._log(2, project_id=self.other.id)
            | self._log(3, project_id=self.stock.id)
            | self._log(0.5, task_id=self.task.id)
        )
        packs = self.pack | self.other_pack
        for vals in values:
            with self.subTest(vals=vals):
                # Whatever was read before may not be told after
                packs.mapped("remaining_hours")
                (self.project | self.other).mapped("pack_remaining_hours")
                self.sale_line.read(["qty_delivered", "remaining_hours"])
                lines.with_user(self.manager).sudo().write(vals)
                for pack in packs:
                    deducted = lines.filtered(
                        lambda line, pack=pack: line.pack_id == pack
                        and line.is_deducted
                    )
                    self.assertAlmostEqual(
                        pack.consumed_hours,
                        sum(
                            line.unit_amount
                            * (8 if "Day" in line.product_uom_id.name else 1)
                            for line in deducted
                        ),
                    )
                    self.assertEqual(
                        pack.project_id.pack_remaining_hours, pack.remaining_hours
                    )
                self.assertAlmostEqual(
                    self.sale_line.qty_delivered, self.pack.consumed_hours
                )
                self.assertAlmostEqual(
                    self.sale_line.remaining_hours, self.pack.remaining_hours
                )

    def test_pack_of_a_stock_line(self):
        Line = self.env["account.analytic.line"]
        line = self._log(1, project_id=self.stock.id)
        for user in (self.consultant, self.manager):
            with self.assertRaises(UserError), self.cr.savepoint():
                line.with_user(user).pack_id = self.pack
            with self.assertRaises(UserError), self.cr.savepoint():
                self._log(1, user, project_id=self.stock.id, pack_id=self.pack.id)
            with self.assertRaises(UserError), self.cr.savepoint():
                Line.with_user(user).with_context(default_pack_id=self.pack.id).create(
                    {"project_id": self.stock.id, "unit_amount": 1}
                )
            result = Line.with_user(user).load(
                ["project_id/.id", "name", "unit_amount", "pack_id/.id"],
                [[str(self.stock.id), "One", "1", str(self.pack.id)]],
            )
            self.assertFalse(result["ids"])
        self.assertFalse(self._log(1).copy({"project_id": self.stock.id}).pack_id)
        self.assertBalance()

    def test_sale_line_of_a_pack_serves_only_the_pack(self):
        line = self._log(1, project_id=self.stock.id)
        moved = self._log(2)
        with suppress(UserError):
            line.write({"so_line": self.sale_line.id, "is_so_line_edited": True})
        moved.write({"is_so_line_edited": True})
        moved.project_id = self.stock
        self.stock_task.sale_line_id = self.sale_line
        self.stock.sale_line_id = self.sale_line
        lines = (
            line
            | moved
            | self._log(4, project_id=self.stock.id)
            | self._log(8, task_id=self.stock_task.id)
            | self._log(
                16,
                project_id=self.stock.id,
                so_line=self.sale_line.id,
                is_so_line_edited=True,
            )
            | self._log(32, project_id=self.other.id, so_line=self.sale_line.id)
        )
        self.env.flush_all()
        self.assertFalse(lines.so_line)
        self.assertEqual(self.sale_line.qty_delivered, 0)
        self.assertEqual(self.sale_line.remaining_hours, 10)
        self._log(1)
        self.assertEqual(self.sale_line.qty_delivered, 1)
        self.assertBalance(self.pack, self.other_pack)

    def test_figures_of_the_order_are_those_of_the_pack(self):
        SaleLine = self.env["sale.order.line"]
        for hours in (0.1, 0.25, 1 / 3):
            self._log(hours)
            self.assertAlmostEqual(
                self.sale_line.qty_delivered, self.pack.consumed_hours
            )
            self.assertAlmostEqual(
                self.sale_line.remaining_hours, self.pack.remaining_hours
            )
        mine = [("id", "=", self.sale_line.id)]
        self.assertTrue(SaleLine.search([*mine, ("remaining_hours", "<", 9.5)]))
        self.assertFalse(SaleLine.search([*mine, ("qty_delivered", ">", 0.7)]))
        [[total]] = SaleLine._read_group(mine, aggregates=["qty_delivered:sum"])
        self.assertAlmostEqual(total, self.pack.consumed_hours, places=5)
        SaleLine._store_delivered()
        self.env.cr.execute(
            "SELECT qty_delivered FROM sale_order_line WHERE id = %s",
            [self.sale_line.id],
        )
        self.assertAlmostEqual(float(self.env.cr.fetchone()[0]), 0.683333)
        self.sale_line.qty_delivered = 5
        self.assertAlmostEqual(self.sale_line.qty_delivered, self.pack.consumed_hours)

    def test_logging_writes_neither_pack_nor_order(self):
        self._log(1)
        self.env.flush_all()
        self.cr.execute(
            "SELECT pack.xmin, line.xmin FROM project_consultancy_pack pack"
            " JOIN sale_order_line line ON line.id = pack.sale_line_id"
            " WHERE pack.id = %s",
            [self.pack.id],
        )
        before = self.cr.fetchone()
        with self.cr.savepoint(flush=True):
            self._log(2)
            self.env.flush_all()
        self.cr.execute(
            "SELECT pack.xmin, line.xmin FROM project_consultancy_pack pack"
            " JOIN sale_order_line line ON line.id = pack.sale_line_id"
            " WHERE pack.id = %s",
            [self.pack.id],
        )
        self.assertEqual(self.cr.fetchone(), before)
        self.assertEqual(self.pack.consumed_hours, 3)

    def test_units_of_time(self):
        minute = self.env.ref("uom.product_uom_minute")
        day = self.env.ref("uom.product_uom_day")
        pack = self._sell_pack(600, self.other, product_uom_id=minute.id)
        pack = pack.order_line.pack_ids
        self.assertEqual(pack.purchased_hours, 10)
        self.other_pack.action_cancel()
        line = self._log(90, project_id=self.other.id, product_uom_id=minute.id)
        self.assertEqual(pack.consumed_hours, 1.5)
        self.assertEqual(pack.sale_line_id.qty_delivered, 90)
        self.assertEqual(pack.sale_line_id.remaining_hours, 8.5)
        line.product_uom_id = False
        self.assertEqual(pack.consumed_hours, 90)
        self.assertEqual(pack.remaining_hours, -80)
        line.write({"product_uom_id": day.id, "unit_amount": 1})
        self.assertEqual(pack.consumed_hours, 8)
        self.assertEqual(pack.sale_line_id.qty_delivered, 480)
        for uom in (self.env.ref("uom.product_uom_kgm"), self.env["uom.uom"]):
            with self.assertRaises(UserError), self.cr.savepoint():
                pack.sale_line_id.product_uom_id = uom
        with self.assertRaises(UserError), self.cr.savepoint():
            pack.sale_line_id.write({"product_uom_qty": 7, "product_uom_id": 1})
        self.assertEqual(pack.purchased_hours, 10)

    def test_junk(self):
        line = self._log(1)
        for junk in (-1, "abc", "nan", float("inf"), 1e308, -1e308, "1e400", [1]):
            for change in (
                lambda junk=junk: self._log(junk),
                lambda junk=junk: line.write({"unit_amount": junk}),
                lambda junk=junk: self.pack.copy({"purchased_hours": junk}),
            ):
                with self.subTest(junk=junk), self.assertRaises(UserError):
                    with self.cr.savepoint():
                        change()
        with self.assertRefused(ValidationError, "cannot be stored"):
            line.sudo().write({"pack_write_off": True, "write_off_reason": "a\0b"})
        self.assertBalance()

    def test_invoiced_time_of_a_project_that_becomes_a_client_project(self):
        product = self.env["product.product"].create(
            {
                "name": "By the hour",
                "type": "service",
                "service_policy": "delivered_timesheet",
                "uom_id": self.env.ref("uom.product_uom_hour").id,
                "invoice_policy": "delivery",
            }
        )
        order = self._sell_pack(10, self.stock, product_id=product.id)
        self.stock.sale_line_id = order.order_line
        invoiced = self._log(3, project_id=self.stock.id)
        self.env.flush_all()
        order._create_invoices().action_post()
        later = self._log(2, project_id=self.stock.id)
        self.assertTrue(invoiced.timesheet_invoice_id)
        self.assertEqual(order.order_line.qty_delivered, 5)
        self.stock.write({"is_lifecycle": True, "user_id": self.consultant.id})
        pack = self._create_pack(self.stock, 10)
        self.assertFalse(invoiced.is_deducted or invoiced.pack_id)
        self.assertEqual(invoiced.so_line, order.order_line)
        self.assertEqual(later.pack_id, pack)
        self.assertEqual(pack.consumed_hours, 2)
        self.assertEqual(order.order_line.qty_delivered, 3)
        self.assertEqual(order.order_line.qty_to_invoice, 0)
        self.assertEqual(self.stock.uncovered_hours, 0)
        with self.assertRaises(AccessError):
            later.with_user(self.manager).is_invoiced_before = True
        invoice = invoiced.timesheet_invoice_id
        typed = self._log(1, project_id=self.stock.id, timesheet_invoice_id=invoice.id)
        self.assertEqual(typed.pack_id, pack)
        self.assertTrue(typed.is_deducted)


@tagged("post_install", "-at_install")
class TestPacksThatEnd(PackCommon):
    """Hours typed on a pack that was cancelled or deleted are not lost."""

    def test_lines_left_on_a_cancelled_pack(self):
        empty = self._log(0)
        written_off = self._log(2)
        written_off.sudo().write({"pack_write_off": True, "write_off_reason": "Ours"})
        order = self.pack.sale_line_id.order_id
        order._action_cancel()
        self.assertFalse((empty | written_off).pack_id)
        empty.unit_amount = 5
        written_off.sudo().pack_write_off = False
        self.assertEqual(self.project.uncovered_hours, 7)
        pack = self._create_pack(self.project)
        self.assertEqual(pack.consumed_hours, 7)
        order.unlink()
        self.assertFalse(self.pack.exists())
        self.assertEqual(self.project.pack_remaining_hours, 33)

    def test_lines_of_a_pack_by_hand(self):
        project = self._create_project()
        pack = self._create_pack(project)
        second = self._create_pack(project, 5)
        line = self._log(0, project_id=project.id)
        pack.with_user(self.manager).action_cancel()
        self.assertEqual(line.pack_id, second)
        line.unit_amount = 2
        self.assertEqual(second.remaining_hours, 3)
        line.unit_amount = 0
        second.with_user(self.manager).unlink()
        self.assertFalse(line.pack_id)
        line.unit_amount = 4
        self.assertEqual(project.uncovered_hours, 4)
        pack.with_user(self.manager).action_reactivate()
        self.assertEqual(pack.consumed_hours, 4)

    def test_deleting_a_used_order_is_refused_in_plain_words(self):
        order = self.pack.sale_line_id.order_id
        self._log(1)
        with self.assertRefused(UserError, "cancel"):
            order.unlink()
        self.assertTrue(self.pack.exists())

    def test_time_without_a_pack_heals(self):
        """Confirmed while somebody logged time: neither transaction saw the other."""
        line = self._log(2)
        cancelled = self._create_pack(self._create_project(name="Second"))
        late = self._log(1, project_id=cancelled.project_id.id)
        self.env.flush_all()
        self.cr.execute(
            "UPDATE account_analytic_line SET pack_id = NULL WHERE id = %s", [line.id]
        )
        self.cr.execute(
            "UPDATE project_consultancy_pack SET cancelled = TRUE WHERE id = %s",
            [cancelled.id],
        )
        self.env.invalidate_all()
        self.assertEqual(self.project.uncovered_hours, 2)
        self.env["project.consultancy.pack"]._cron_keep_in_step()
        self.assertEqual(line.pack_id, self.pack)
        self.assertFalse(late.pack_id)
        self.assertEqual(cancelled.project_id.uncovered_hours, 1)
        self.cr.execute(
            "UPDATE account_analytic_line SET pack_id = NULL WHERE id = %s", [line.id]
        )
        self.env.invalidate_all()
        line.unit_amount = 3
        self.assertEqual(line.pack_id, self.pack, "touched")
        self.assertBalance()


@tagged("post_install", "-at_install")
class TestBlock(PackCommon):
    """Nobody gets hours onto a pack that has none left, however they try."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.pack_overrun_policy = "block"
        cls.other = cls._create_project(name="Other")
        cls.other_pack = cls._create_pack(cls.other, 40)
        cls.other_task = cls.env["project.task"].create(
            {"name": "Big", "project_id": cls.other.id}
        )
        cls.big = cls._log(20, task_id=cls.other_task.id)

    def assertBlocked(self, change):
        with self.assertRefused(ValidationError, "renew the pack"):
            change()
            self.env.flush_all()
        self.env.invalidate_all()
        self.assertLessEqual(self.pack.consumed_hours, 10)

    def test_ways_in(self):
        line = self._log(9)
        stock = self.env["project.project"].create({"name": "Stock"})
        stock_line = self._log(3, project_id=stock.id)
        written_off = self._log(0)
        written_off.sudo().write(
            {"pack_write_off": True, "write_off_reason": "Ours", "unit_amount": 8}
        )
        day = self.env.ref("uom.product_uom_day")
        for change in (
            lambda: self._log(2),
            lambda: self._log(1, product_uom_id=day.id),
            lambda: self._log(2, self.manager, pack_id=self.pack.id),
            lambda: self._log(2, task_id=self.task.id),
            lambda: self.other_task.write({"project_id": self.project.id}),
            lambda: self.big.write({"task_id": self.task.id}),
            lambda: self.big.write({"project_id": self.project.id, "task_id": False}),
            lambda: stock_line.write({"project_id": self.project.id}),
            lambda: line.write({"unit_amount": 11}),
            lambda: line.write({"product_uom_id": day.id}),
            lambda: written_off.sudo().write({"pack_write_off": False}),
            lambda: line.copy(),
            lambda: (line | stock_line).write({"project_id": self.project.id}),
        ):
            self.assertBlocked(change)
        self._log(1)
        self.assertEqual(self.pack.remaining_hours, 0)
        self.assertBalance()

    def test_date_outside_the_validity(self):
        line = self._log(1)
        self.pack.date_end = fields.Date.today() + timedelta(days=2)
        self.assertBlocked(
            lambda: line.write({"date": fields.Date.today() + timedelta(days=9)})
        )

    def test_renewal_with_uncovered_time(self):
        project = self._create_project(name="New")
        self._log(30, project_id=project.id)
        order = self._sell_pack(5, project)
        self.assertEqual(order.order_line.pack_ids.remaining_hours, -25)
        self.assertEqual(project.uncovered_hours, 0)
        with self.assertRefused(ValidationError, "renew the pack"):
            self._log(1, project_id=project.id)
        self._sell_pack(10, project)
        self._log(1, project_id=project.id)


@tagged("post_install", "-at_install")
class TestFigures(PackCommon):
    """One formula for each figure, whoever asks, and however it is asked for."""

    def test_search_and_sort(self):
        Pack = self.env["project.consultancy.pack"]
        projects = self.env["project.project"]
        for number, hours in enumerate((0, 3, 10, 12)):
            project = self._create_project(name=f"P{number}")
            self._create_pack(project, 10)
            self._log(hours, project_id=project.id)
            projects |= project
        packs = projects.pack_ids.sorted("id")
        mine = [("id", "in", packs.ids)]
        for name, value in (
            ("consumed_hours", 3),
            ("remaining_hours", 7),
            ("usage", 30),
        ):
            for operator, kept in (
                ("=", lambda figure, value=value: figure == value),
                ("!=", lambda figure, value=value: figure != value),
                ("<", lambda figure, value=value: figure < value),
                (">=", lambda figure, value=value: figure >= value),
                ("in", lambda figure, value=value: figure == value),
                ("not in", lambda figure, value=value: figure != value),
            ):
                with self.subTest(name=name, operator=operator):
                    operand = [value] if "in" in operator else value
                    domain = [*mine, (name, operator, operand)]
                    expected = packs.filtered(lambda p, k=kept, n=name: k(p[n]))
                    self.assertEqual(Pack.search(domain, order="id"), expected)
                    self.assertEqual(packs.filtered_domain(domain), expected)
        self.assertEqual(Pack.search(mine, order="remaining_hours"), packs[::-1])
        self.assertEqual(
            Pack._read_group(mine, aggregates=["consumed_hours:sum", "usage:avg"]),
            [(25, 62.5)],
        )
        definition = Pack.fields_get(["remaining_hours"])["remaining_hours"]
        self.assertTrue(definition["sortable"] and definition["searchable"])
        self.assertEqual(definition["aggregator"], "sum")
        Project = self.env["project.project"]
        mine = [("id", "in", projects.ids)]
        self.assertEqual(
            Project.search([*mine, ("pack_remaining_hours", "<", 0)]), projects[3]
        )
        self.assertEqual(
            Project.search([*mine, ("pack_usage", ">=", 100)], order="id"), projects[2:]
        )
        self.assertEqual(
            Project.search(mine, order="pack_remaining_hours, id"), projects[::-1]
        )

    def test_search_uncovered_hours(self):
        Project = self.env["project.project"]
        project = self._create_project()
        self._log(2, project_id=project.id)
        mine = [("id", "in", (project | self.project).ids)]
        for operator, value, expected in (
            (">", 0, project),
            ("=", 2, project),
            ("!=", 0, project),
            ("=", 0, self.project),
            ("=", False, self.project),
            ("!=", False, project),
            ("<=", 1.5, self.project),
            ("in", [0, 2], project | self.project),
            ("not in", [2], self.project),
        ):
            with self.subTest(operator=operator, value=value):
                domain = [*mine, ("uncovered_hours", operator, value)]
                self.assertEqual(set(Project.search(domain)), set(expected))

    def test_run_out_date_of_pack_and_project(self):
        self._log(3.3, date=fields.Date.today() - timedelta(days=5))
        self.assertEqual(self.pack.forecast_date, self.project.pack_forecast_date)
        self.assertTrue(self.pack.forecast_date)
        project = self._create_project()
        pack = self._create_pack(project)
        self._log(0.25, project_id=project.id)
        self.assertFalse(pack.forecast_date, "too little to tell")
        self.assertFalse(project.pack_forecast_date)

    def test_kickoff_share_is_the_same_for_all_viewers(self):
        self._keep_criteria()
        self.consultant.tz = "Europe/Madrid"
        with freeze_time("2026-03-10 12:00:00"):
            project = self._create_project()
            self._create_pack(project, 40)
        with freeze_time("2026-03-12 03:30:00"):
            project.stage_id = self.stage_kickoff
            project.stage_id = self.stage_implementation
            self.env.flush_all()
        self._log(4, project_id=project.id, date="2026-03-12")
        self._log(2, project_id=project.id, date="2026-03-13")
        for zone in ("Europe/Madrid", "America/Mexico_City", "Asia/Tokyo", False):
            user = new_test_user(
                self.env,
                f"pl_viewer_{zone}",
                groups="project.group_project_manager",
                tz=zone,
            )
            self.env.invalidate_all()
            seen = project.with_user(user).with_context(tz=zone)
            self.assertEqual(seen.kickoff_hours, 4)
            self.assertEqual(seen.kickoff_share, 10)

    def test_only_internal_users_read_the_settings(self):
        for name in (
            "pack_alert_thresholds",
            "pack_overrun_policy",
            "kickoff_share_target",
            "kickoff_share_tolerance",
        ):
            with self.assertRaises(AccessError):
                self.env.company.with_user(self.spoc_user).read([name])
        self.assertTrue(
            self.env.company.with_user(self.consultant).pack_alert_thresholds
        )


@tagged("post_install", "-at_install")
class TestLocked(PackCommon):
    """What the system writes is written by nobody else."""

    def test_fields_of_packs_and_lines(self):
        line = self._log(1)
        for record, values in (
            (self.pack, {"alerted_usage": 100}),
            (self.pack, {"consumed_hours": 0}),
            (self.pack, {"remaining_hours": 5}),
            (self.pack, {"usage": 0}),
            (self.pack, {"partner_id": self.other_client.id}),
            (self.pack, {"line_ids": [Command.clear()]}),
            (line, {"is_deducted": False}),
            (line, {"is_invoiced_before": True}),
            (line, {"write_off_user_id": self.consultant.id}),
            (line, {"write_off_date": "2020-01-01"}),
        ):
            for user in (self.manager, self.consultant):
                with self.subTest(values=values), self.assertRaises(AccessError):
                    with self.cr.savepoint():
                        record.with_user(user).write(values)
        with self.assertRaises(AccessError), self.cr.savepoint():
            self._log(1, self.manager, is_deducted=True, pack_write_off=True)
        with self.assertRaises(AccessError), self.cr.savepoint():
            self.env["project.consultancy.pack"].with_user(self.manager).create(
                {
                    "name": "Forged",
                    "project_id": self.project.id,
                    "purchased_hours": 5,
                    "sale_line_id": self._sell_pack(3, confirm=False).order_line.id,
                }
            )
        self.assertBalance()

    def test_write_off_says_who_and_when(self):
        line = self._log(1)
        with freeze_time("2026-05-04 10:00:00"):
            line.with_user(self.manager).sudo(False).write(
                {"pack_write_off": True, "write_off_reason": "Ours"}
            )
        self.assertEqual(line.write_off_user_id, self.manager)
        self.assertEqual(str(line.write_off_date), "2026-05-04 10:00:00")
        self.assertFalse(line.is_deducted)
        line.with_user(self.manager).pack_write_off = False
        self.assertFalse(line.write_off_user_id or line.write_off_date)
        self.assertTrue(line.is_deducted)
