import threading
from contextlib import suppress
from datetime import timedelta
from unittest import skipIf

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.sql_db import db_connect
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger

from .pack_common import PackCommon

try:
    import hypothesis
    from hypothesis import strategies
except ImportError:  # a development package: see dev/pins/odoo.in
    hypothesis = None

HOURS = [0.0, 0.1, 0.25, 1 / 3, 0.7, 1.0, 2.5, 7.75, 12.0]


@tagged("post_install", "-at_install")
@skipIf(hypothesis is None, "hypothesis is not installed")
class TestExactness(PackCommon):
    """Purchased = consumed + remaining, whatever people do and in whatever order."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stock = cls.env["project.project"].create(
            {"name": "Stock", "partner_id": cls.client.id}
        )
        cls.second = cls._create_project(name="Second", allow_billable=True)
        cls._create_pack(cls.second, 3)
        cls._sell_pack(
            1, cls.second, product_uom_id=cls.env.ref("uom.product_uom_day").id
        )
        cls.tasks = cls.task | cls.env["project.task"].create(
            {"name": "Loose", "project_id": cls.project.id, "sale_line_id": False}
        )
        cls.projects = cls.project | cls.second
        for number, hours in enumerate(HOURS[1:6]):
            cls._log(hours, project_id=cls.projects[number % 2].id)

    def test_random_sequences(self):
        steps = strategies.tuples(
            strategies.sampled_from(
                ["log", "log", "batch", "edit", "move", "move_task", "delete", "copy"]
                + ["mixed", "mixed", "mixed", "unit", "time_off", "stock_line"]
                + ["renew", "quantity", "cancel", "confirm", "delete_order"]
                + ["write_off", "take_back", "tamper", "tamper"]
            ),
            strategies.integers(0, 7),
            strategies.sampled_from(HOURS),
        )

        @hypothesis.settings(
            max_examples=30,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(strategies.lists(steps, min_size=5, max_size=20))
        def check(sequence):
            savepoint = self.cr.savepoint()
            try:
                for step, index, amount in sequence:
                    # What is refused may not have changed anything
                    with suppress(UserError), self.cr.savepoint():
                        getattr(self, f"_step_{step}")(index, amount)
                    self.assertExact()
            finally:
                savepoint.rollback()
                savepoint.close(rollback=False)
                self.env.invalidate_all()

        check()

    def assertExact(self):
        projects = self.projects
        self.assertBalance(*projects.pack_ids)
        lines = self.env["account.analytic.line"].search(
            [("project_id", "in", (projects | self.stock).ids)]
        )
        for line in lines:
            self.assertEqual(
                line.is_deducted,
                line.project_id != self.stock and not line.pack_write_off,
            )
            if line.project_id == self.stock:
                self.assertFalse(line.pack_id)
                self.assertFalse(line.so_line)
            elif line.pack_id:
                self.assertFalse(line.pack_id.cancelled)
            elif line.project_id.pack_ids.filtered(lambda pack: not pack.cancelled):
                self.assertEqual(line.pack_id.project_id, line.project_id)
        for project in projects:
            packs = project.pack_ids.filtered(lambda pack: not pack.cancelled)
            logged = self._sum_hours(
                project.timesheet_ids.filtered(lambda line: not line.pack_write_off)
            )
            self.assertAlmostEqual(
                project.pack_consumed_hours + project.uncovered_hours,
                logged,
                places=4,
            )
            self.assertAlmostEqual(
                sum(packs.mapped("purchased_hours")),
                project.pack_consumed_hours + project.pack_remaining_hours,
                places=4,
            )

    def _pick(self, records, index):
        return records[index % len(records)] if records else records

    def _pick_line(self, index):
        projects = self.projects | self.stock
        return self._pick(projects.timesheet_ids.sorted("id"), index)

    def _pick_order(self, index):
        return self._pick(self.projects.pack_ids.sale_line_id.order_id, index)

    def _step_log(self, index, hours):
        if index < 3:
            self._log(hours, project_id=self.projects[index % 2].id)
        else:
            self._log(hours, task_id=self.tasks[index % 2].id)

    def _step_batch(self, index, hours):
        project = self.projects[index % 2]
        self.env["account.analytic.line"].with_user(self.consultant).create(
            [{"project_id": project.id, "unit_amount": hours}] * (index + 1)
        )

    def _step_edit(self, index, hours):
        self._pick_line(index).unit_amount = hours

    def _step_move(self, index, hours):
        projects = self.projects | self.stock
        self._pick_line(index).write(
            {"project_id": projects[int(hours * 4) % 3].id, "task_id": False}
        )

    def _step_move_task(self, index, hours):
        self.tasks[index % 2].project_id = self.projects[int(hours * 4) % 2]

    def _step_delete(self, index, hours):
        self._pick_line(index).unlink()

    def _step_copy(self, index, hours):
        self._pick_line(index).copy()

    def _step_renew(self, index, hours):
        project = self.projects[index % 2]
        order = self.env["sale.order"].browse(project.action_renew_pack()["res_id"])
        order.order_line.product_uom_qty = hours
        order.action_confirm()

    def _step_quantity(self, index, hours):
        self._pick_order(index).order_line.product_uom_qty = hours * 2

    def _step_cancel(self, index, hours):
        self._pick_order(index)._action_cancel()

    def _step_confirm(self, index, hours):
        order = self._pick_order(index)
        if order.state == "cancel":
            order.action_draft()
        order.action_confirm()

    def _step_mixed(self, index, hours):
        """Edit lines of several projects in one call, as lists do."""
        projects = self.projects | self.stock
        lines = projects.timesheet_ids.sorted("id")[index % 3 :: 1 + index % 2]
        values = [
            {"project_id": projects[int(hours * 4) % 3].id, "task_id": False},
            {"task_id": self.tasks[int(hours * 4) % 2].id},
            {"unit_amount": hours},
            {"pack_write_off": True, "write_off_reason": "Our mistake"},
            {"pack_write_off": False},
            {"is_so_line_edited": True},
            {"date": fields.Date.today() - timedelta(days=index)},
            {"project_id": projects[index % 3].id},
        ][index]
        lines.write(values)

    def _step_unit(self, index, hours):
        units = ["uom.product_uom_minute", "uom.product_uom_day"]
        units += ["uom.product_uom_hour", "uom.product_uom_kgm"]
        self._pick_line(index).product_uom_id = self.env.ref(units[index % 4])

    def _step_time_off(self, index, hours):
        line = self._pick_line(index)
        for name in {"holiday_id", "global_leave_id"} & line._fields.keys():
            record = line[name].search([], limit=1)
            line.write({name: record.id, "unit_amount": hours})

    def _step_stock_line(self, index, hours):
        values = [
            {"so_line": self.pack.sale_line_id.id, "is_so_line_edited": True},
            {"pack_id": self.pack.id},
            {},
        ][index % 3]
        self._log(hours, self.manager, project_id=self.stock.id, **values)

    def _step_delete_order(self, index, hours):
        order = self._pick_order(index)
        if order.order_line.pack_ids != self.pack:
            order.unlink()

    def _step_write_off(self, index, hours):
        self._pick_line(index).write(
            {"pack_write_off": True, "write_off_reason": "Our mistake"}
        )

    def _step_take_back(self, index, hours):
        self._pick_line(index).pack_write_off = False

    def _step_tamper(self, index, hours):
        line = self._pick_line(index)
        values = [
            {"so_line": False, "is_so_line_edited": True},
            {"pack_id": False},
            {"so_line": self.pack.sale_line_id.id},
            {"unit_amount": -hours},
        ][index % 4]
        line.with_user(self.manager).write(values)


@tagged("post_install", "-at_install")
class TestConcurrency(BaseCase):
    """Eight people log time on one pack at once, each by a connection of its own."""

    CONNECTIONS = 8
    LINES = 3

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        self.created = []
        self.addCleanup(self._delete_data)
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            client = self._create(env, "res.partner", name="Concurrent Client")
            self.project = self._create(
                env,
                "project.project",
                name="Concurrent",
                is_lifecycle=True,
                partner_id=client.id,
                allow_billable=True,
            )
            product = env.ref("project_lifecycle.product_template_consultancy_pack")
            order = self._create(
                env,
                "sale.order",
                partner_id=client.id,
                project_id=self.project.id,
                order_line=[
                    Command.create(
                        {
                            "product_id": product.product_variant_id.id,
                            "product_uom_qty": 10,
                        }
                    )
                ],
            )
            order.action_confirm()
            self.pack = order.order_line.pack_ids
            self.employees = [
                self._create(env, "hr.employee", name=f"Employee {number}").id
                for number in range(self.CONNECTIONS)
            ]

    def _connect(self):
        """Return a cursor of its own, which commits at the end."""
        return db_connect(get_db_name()).cursor()

    def _create(self, env, model, **values):
        record = env[model].create(values)
        self.created.append(record)
        return record

    def _delete_data(self):
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            project = self.project.with_env(env)
            project.timesheet_ids.unlink()
            account = project.account_id
            orders = self.pack.with_env(env).sale_line_id.order_id
            orders._action_cancel()
            orders.unlink()
            for record in reversed(self.created):
                record.with_env(env).exists().unlink()
            account.unlink()

    def _log_time(self, employee_id, errors):
        """Log time as a request does it: Odoo tries again what came at once."""
        try:
            for number in range(self.LINES):
                with self._connect() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    values = {
                        "project_id": self.project.id,
                        "employee_id": employee_id,
                        "unit_amount": 0.1,
                        "name": f"Line {number}",
                    }
                    retrying(
                        lambda env=env, values=values: env[
                            "account.analytic.line"
                        ].create(dict(values)),
                        env,
                    )
        except Exception as error:  # a thread's exception reaches nobody otherwise
            errors.append(error)

    def test_nothing_lost_and_nothing_twice(self):
        errors = []
        threads = [
            threading.Thread(target=self._log_time, args=(employee_id, errors))
            for employee_id in self.employees
        ]
        with mute_logger("odoo.sql_db"):  # PostgreSQL's refusals, which are tried again
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertFalse(errors)
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            pack = self.pack.with_env(env)
            count = self.CONNECTIONS * self.LINES
            self.assertEqual(len(pack.line_ids), count)
            self.assertEqual(len(set(pack.line_ids.employee_id.ids)), self.CONNECTIONS)
            self.assertAlmostEqual(pack.consumed_hours, 0.1 * count)
            self.assertAlmostEqual(pack.remaining_hours, 10 - 0.1 * count)
            self.assertAlmostEqual(pack.sale_line_id.qty_delivered, 0.1 * count)
            self.assertAlmostEqual(
                pack.sale_line_id.remaining_hours, pack.remaining_hours
            )
