import psycopg2

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .kickoff_scope_common import TODAY, ScopeCommon


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestScope(ScopeCommon):
    """The scope comes from the orders, and says why each application is in it."""

    def test_scope_comes_from_the_products_of_the_order(self):
        self._add_scope(self.crm, reason="Leads get lost")
        order = self._sell(self.crm, self.sales)
        lines = self.project.scope_line_ids
        self.assertEqual(lines.application_id, self.crm | self.sales)
        self.assertEqual(len(lines), 2)
        self.assertEqual(lines.mapped("reason"), ["Leads get lost", False])
        product = order.order_line[0].product_id.copy({"name": "Payroll"})
        product.application_id = self.payroll
        order.order_line = [Command.create({"product_id": product.id})]
        self.assertIn(self.payroll, self.project.scope_line_ids.application_id)
        self.assertFound("application", "Payroll needs Employees")
        order.order_line._update_scope()
        self.assertEqual(len(self.project.scope_line_ids), 3)

    @mute_logger("odoo.sql_db")
    def test_bad_input(self):
        self._add_scope(self.crm)
        for values, error in (
            ({"application_id": self.crm.id}, psycopg2.IntegrityError),
            ({"application_id": False}, psycopg2.IntegrityError),
        ):
            with self.assertRaises(error), self.cr.savepoint():
                self.env["project.scope.line"].create(
                    {"project_id": self.project.id} | values
                )
        for record, values in (
            (self.crm, {"standard_hours": -1}),
            (self.quick_start, {"factor": 0}),
            (self.project, {"weekly_hours": -1}),
        ):
            with self.assertRaises(psycopg2.IntegrityError), self.cr.savepoint():
                record.write(values)
                self.env.flush_all()

    def test_junk_is_refused_in_a_sentence(self):
        line = self._add_scope(self.crm)
        for record, name, values in (
            (self.crm, "standard_hours", ("many", float("nan"), float("inf"), 1e308)),
            (self.quick_start, "factor", ("many", float("nan"), 1e308, [1])),
            (self.project, "weekly_hours", ("many", float("nan"), 1e308)),
            (line, "wave", ("later", 3)),
        ):
            for value in values:
                with (
                    self.subTest(field=name, value=value),
                    self.assertRaises(UserError),
                    self.cr.savepoint(),
                ):
                    record.with_user(self.manager).write({name: value})
