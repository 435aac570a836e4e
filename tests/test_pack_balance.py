from datetime import timedelta
from functools import partial

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import MailCase

from .pack_common import PackCommon


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
        self.assertIn("Horas contratadas", mail.body_html)
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

    def _count_lines(self, task, number):
        values = {"task_id": task.id, "project_id": task.project_id.id}
        Line = self.env["account.analytic.line"].with_user(self.consultant)
        return self._count_queries(
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
                self._count_queries(partial(some.read, names))
                for some in (records[:1], records[1:3], records[3:])
            ]
            self.assertLessEqual(counts[2], counts[1])

    def test_alerts_are_searched_in_constant_queries(self):
        Pack = self.env["project.consultancy.pack"]
        few = self._count_queries(Pack._search_to_alert)
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
        self._count_queries(Pack._search_to_alert)
        self.assertEqual(len(Pack._search_to_alert()), 20)
        # one query more reads what was found
        self.assertLessEqual(self._count_queries(Pack._search_to_alert), few + 2)


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
