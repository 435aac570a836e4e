from odoo.fields import Command
from odoo.tests import freeze_time

from .common import LifecycleCommon

# A Monday
TODAY = "2026-03-02"


@freeze_time(TODAY)
class ScopeCommon(LifecycleCommon):
    """A client project with 40 hours sold, in the quick-start approach."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._keep_criteria("kickoff_risks", "implementation_scope")
        for name in (
            "accounting",
            "crm",
            "sales",
            "inventory",
            "manufacturing",
            "studio",
            "hr",
            "payroll",
        ):
            application = cls.env.ref(f"project_lifecycle.application_{name}")
            setattr(cls, name, application)
        cls.main = cls.env["project.application"].search([("is_main", "=", True)])
        cls.quick_start = cls.env.ref("project_lifecycle.approach_quick_start")
        cls.extensive = cls.env.ref("project_lifecycle.approach_extensive")
        # Full working days of eight hours, in a time zone like that of the users
        cls.calendar = cls.env["resource.calendar"].create(
            {
                "name": "Eight hours a day",
                "tz": "Europe/Madrid",
                "company_id": cls.env.company.id,
                "attendance_ids": [Command.clear()]
                + [
                    Command.create(
                        {
                            "name": "Day",
                            "dayofweek": str(day),
                            "hour_from": 8,
                            "hour_to": 16,
                            "day_period": "morning",
                        }
                    )
                    for day in range(5)
                ],
            }
        )
        cls.employee = cls.env["hr.employee"].create(
            {
                "name": cls.consultant.name,
                "user_id": cls.consultant.id,
                "resource_calendar_id": cls.calendar.id,
                "tz": "Europe/Madrid",
            }
        )
        cls.project = cls._create_project()
        cls.pack = cls._create_pack(cls.project, 40)

    @classmethod
    def _add_scope(cls, applications, project=None, **values):
        project = cls.project if project is None else project
        return cls.env["project.scope.line"].create(
            [
                {
                    "project_id": project.id,
                    "application_id": application.id,
                    "reason": "The client works by hand",
                }
                | values
                for application in applications
            ]
        )

    def _get_finding(self, kind, project=None):
        """Return the finding of that kind, open or not."""
        project = self.project if project is None else project
        return project.risk_ids.filtered(lambda risk: risk.key == f"feasibility_{kind}")

    def _run_cron(self, name="feasibility"):
        """Look at all projects, or with ``stale_findings`` where something changed."""
        cron = self.env.ref(f"project_lifecycle.ir_cron_{name}")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()

    def assertFound(self, kind, *words, project=None):
        """Check that the finding is open and tells these words."""
        finding = self._get_finding(kind, project)
        self.assertEqual(finding.state, "open", kind)
        for word in words:
            self.assertIn(word, finding.description)
        return finding

    def assertNotFound(self, kind, project=None):
        self.assertFalse(
            self._get_finding(kind, project).filtered(lambda r: r.state == "open")
        )

    def _sell(self, *applications):
        products = self.env["product.product"].create(
            [
                {
                    "name": application.name,
                    "type": "service",
                    "application_id": application.id,
                }
                for application in applications
            ]
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.client.id,
                "project_id": self.project.id,
                "order_line": [
                    Command.create({"product_id": product.id}) for product in products
                ],
            }
        )
        order.with_user(self.env.ref("base.user_admin")).action_confirm()
        return order
