from odoo.exceptions import AccessError, ValidationError
from odoo.tests import freeze_time, tagged

from .kickoff_scope_common import TODAY, ScopeCommon


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestFeasibility(ScopeCommon):
    """What was sold is challenged by the system (methodology, section 1)."""

    # 1. Full scope in quick-start with 40 hours
    def test_full_scope_in_quick_start_with_40_hours(self):
        self.assertEqual(self.project.approach_id, self.quick_start)
        self._add_scope(self.main)
        standard = sum(self.main.mapped("standard_hours"))
        finding = self.assertFound(
            "hours",
            "full scope",
            "40 are sold",
            f"{standard:.0f} h",
            f"{standard / 0.9:.2f} hours",
            "Quick start",
            "10 % of the whole",
            "CRM 6",
        )
        self.assertRecordValues(
            finding,
            [
                {
                    "origin": "feasibility",
                    "type": "commercial",
                    "severity": "high",
                    "owner_id": self.salesperson.id,
                }
            ],
        )

    def test_small_scope_with_40_hours_is_fine(self):
        self._add_scope(self.crm | self.sales)
        self.assertFalse(self.project.risk_ids)

    def test_full_scope_with_enough_hours_in_the_extensive_approach_is_fine(self):
        self._create_pack(self.project, 200)
        self.project.approach_id = self.extensive
        self._add_scope(self.main)
        self.assertFalse(self.project.risk_ids)

    def test_exactly_the_hours_needed_are_enough(self):
        self.crm.standard_hours = 36
        self._add_scope(self.crm)
        self.assertAlmostEqual(self.project.scope_hours, 40)
        self.assertNotFound("hours")

    def test_nothing_sold_yet_does_not_shut_the_gate(self):
        project = self._create_project(name="Not sold")
        self._add_scope(self.crm, project)
        finding = self.assertFound("hours", "0 are sold", project=project)
        self.assertEqual((finding.type, finding.severity), ("scope", "medium"))
        project.stage_id = self.stage_kickoff

    def test_effort_model_is_data(self):
        self._add_scope(self.crm)
        self.assertNotFound("hours")
        for record, name, value, words in (
            (self.quick_start, "factor", 10, "× 10 for"),
            (self.quick_start, "factor", 1, None),
            (self.crm, "standard_hours", 50, "CRM 50"),
            (self.crm, "standard_hours", 20, None),
            (self.env.company, "kickoff_share_target", 60, "60 % of the whole"),
            # no measure, and no crash
            (self.env.company, "kickoff_share_target", 100, None),
        ):
            record[name] = value
            self._run_cron("stale_findings")
            if words:
                self.assertFound("hours", words)
            else:
                self.assertNotFound("hours")

    def test_scope_without_hours_model(self):
        self.crm.standard_hours = 0
        self._add_scope(self.crm | self.sales)
        finding = self.assertFound("effort", "No standard hours are known for CRM")
        self.assertEqual(finding.owner_id, self.consultant)
        self.crm.standard_hours = 6
        self._run_cron("stale_findings")
        self.assertEqual(finding.state, "resolved")

    # 2. Customisations and no application that allows them
    def test_customisations_without_studio(self):
        lines = self._add_scope(self.crm | self.sales, customisation_wanted=True)
        finding = self.assertFound("customisation", "2 lines", "CRM, Sales", "Studio")
        self.assertEqual(finding.type, "commercial")
        lines.customisation_wanted = False
        self.assertEqual(finding.state, "resolved")

    def test_studio_in_the_scope_is_not_sold_yet(self):
        self._add_scope(self.crm, customisation_wanted=True)
        line = self._add_scope(self.studio)
        self.assertFound("customisation", "not in a confirmed order: Studio")
        self.assertFalse(line.is_sold)
        order = self._sell(self.studio)
        self.assertNotFound("customisation")
        line.invalidate_recordset()
        self.assertTrue(line.is_sold)
        order.order_line.product_uom_qty = 0
        self.assertFound("customisation")
        order.order_line.product_uom_qty = 1
        self.assertNotFound("customisation")
        order.action_cancel()
        self.assertFound("customisation")

    def test_a_quotation_sells_nothing(self):
        self._add_scope(self.crm | self.studio, customisation_wanted=True)
        order = self._sell(self.studio)
        order.action_cancel()
        order.action_draft()
        self.assertFound("customisation")
        order.order_line.product_uom_qty = 0
        order.action_confirm()
        self.assertFound("customisation")

    def test_salesperson_says_what_was_sold_without_an_order(self):
        self._add_scope(self.crm, customisation_wanted=True)
        line = self._add_scope(self.studio)
        with self.assertRefused(AccessError, "said by the salesperson"):
            line.with_user(self.consultant).sold_otherwise = True
        with self.assertRefused(AccessError, "said by the salesperson"):
            self.env["project.scope.line"].with_user(self.consultant).create(
                {
                    "project_id": self.project.id,
                    "application_id": self.hr.id,
                    "sold_otherwise": True,
                }
            )
        self.assertFound("customisation")
        line.with_user(self.salesperson).sold_otherwise = True
        self.assertNotFound("customisation")
        self.assertTrue(line.is_sold)
        line.with_user(self.consultant).application_id = self.hr
        self.assertFalse(line.is_sold, "this was said about another application")
        self.assertFound("customisation")
        line.application_id = self.studio
        line.with_user(self.salesperson).sold_otherwise = True
        Line = self.env["project.scope.line"]
        mine = [("project_id", "=", self.project.id)]
        for operator, value, found in (
            ("=", True, line),
            ("!=", True, self.project.scope_line_ids - line),
            ("=", False, self.project.scope_line_ids - line),
            ("in", [True, False], self.project.scope_line_ids),
        ):
            self.assertEqual(Line.search(mine + [("is_sold", operator, value)]), found)

    def test_customisations_with_studio_in_the_order_are_fine(self):
        self._add_scope(self.crm, customisation_wanted=True)
        self._sell(self.studio)
        self.project.scope_line_ids.filtered(
            lambda line: line.application_id == self.studio
        ).unlink()
        self.assertNotFound("customisation")

    def test_no_customisation_is_fine(self):
        self._add_scope(self.crm | self.sales)
        self.assertNotFound("customisation")

    # 4. A missing application
    def test_application_that_another_needs_is_missing(self):
        self._create_pack(self.project, 100)
        self._add_scope(self.manufacturing)
        finding = self.assertFound("application", "Manufacturing needs Inventory")
        self.assertEqual(finding.type, "commercial")
        line = self._add_scope(self.inventory)
        self.assertFound("application", "not in a confirmed order: Inventory")
        line.with_user(self.salesperson).sold_otherwise = True
        self.assertEqual(finding.state, "resolved")

    def test_application_for_the_need_of_a_scope_line_is_missing(self):
        line = self._add_scope(self.crm)
        self.assertNotFound("application")
        line.required_application_ids = self.payroll
        self.assertFound("application", "CRM needs Payroll")
        line.required_application_ids = False
        self.assertNotFound("application")

    def test_application_in_the_scope_is_not_sold_yet(self):
        self._create_pack(self.project, 100)
        self._sell(self.manufacturing)
        self._add_scope(self.inventory)
        self.assertFound("application", "not in a confirmed order: Inventory")
        self._sell(self.inventory)
        self.assertNotFound("application")

    def test_application_in_the_order_is_not_missing(self):
        self._create_pack(self.project, 100)
        self._sell(self.inventory)
        self.project.scope_line_ids.unlink()
        self._add_scope(self.manufacturing)
        self.assertNotFound("application")

    def test_catalogue_says_what_is_needed(self):
        self._add_scope(self.crm)
        self.crm.required_application_ids = self.sales
        self._run_cron("stale_findings")
        self.assertFound("application", "CRM needs Sales")
        with self.assertRefused(ValidationError, "cannot need itself"):
            self.crm.required_application_ids = self.crm

    # 5. Nothing in the scope
    def test_an_empty_scope_is_found(self):
        project = self._create_project(name="Empty")
        self.assertFalse(project.risk_ids, "its order or template fills the scope in")
        self._run_cron("stale_findings")
        finding = self.assertFound("scope", "No application", project=project)
        self.assertEqual(finding.owner_id, self.consultant)
        self._add_scope(self.crm, project)
        self.assertFalse(finding.exists())
        project.scope_line_ids.unlink()
        self.assertFound("scope", project=project)

    def test_expired_packs_are_not_sold(self):
        self._add_scope(self.main)
        self._create_pack(self.project, 400, date_end="2026-03-01")
        self.assertFound("hours", "40 are sold")
        pack = self._create_pack(self.project, 400, date_end="2026-03-02")
        self.assertNotFound("hours")
        with freeze_time("2026-03-04"):
            self._run_cron()
            self.assertFound("hours", "40 are sold")
        self.assertEqual(pack.purchased_hours, 400)
