from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common.implementation import ImplementationCommon


@tagged("post_install", "-at_install")
class TestTour(HttpCase, ImplementationCommon):
    """A consultant takes a flow through its first cycle."""

    def test_flow_tour(self):
        self.mvp.action_start()
        flow = self._create_flow()
        self._show(flow)
        self._train(flow, "spoc_training")
        self.start_tour(
            f"/odoo/project.flow/{flow.id}",
            "project_lifecycle_flow",
            login="pl_consultant",
        )
        self.assertEqual(flow.cycle_count, 2)
        self.assertEqual(
            flow.cycle_ids.sorted("number")[0].feedback, "The discount is missing"
        )

    @mute_logger("odoo.http")  # it logs the refusal that the tour provokes
    def test_kanban_tour(self):
        self.mvp.action_start()
        flow = self._create_flow()
        self._show(flow)
        self.start_tour(
            "/odoo/business-flows",
            "project_lifecycle_flow_kanban",
            login="pl_consultant",
        )
        self.assertEqual(flow.step, "realisation")

    @mute_logger("odoo.http")  # it logs the refusal that the tour provokes
    def test_phase_tour(self):
        self.env["project.scope.line"].create(
            {
                "project_id": self.project.id,
                "application_id": self.crm.id,
                "wave": "mvp",
            }
        )
        self.start_tour(
            f"/odoo/client-projects/{self.project.id}",
            "project_lifecycle_phase",
            login="pl_consultant",
        )
        self.assertEqual(self.mvp.state, "in_progress")
        self.assertEqual(self.mvp.flow_ids.template_id, self.crm.flow_template_ids)
