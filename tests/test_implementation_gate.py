from datetime import date

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common.implementation import ImplementationCommon


@tagged("post_install", "-at_install")
class TestGate(ImplementationCommon):
    """The gates that the phases open."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._keep_criteria(
            "implementation_phase",
            "go_live_phase",
            "go_live_flows",
            "go_live_imports",
            "go_live_developments",
            "done_phases",
        )
        cls.project = cls._create_project(name="Gated", spoc_id=cls.spoc.id)
        cls.mvp = cls._create_phase("Sales", date(2030, 1, 7), date(2030, 3, 4))
        cls.project.stage_id = cls.stage_kickoff

    def assertUnmet(self, stage, *names):
        """Check which criteria keep the gate shut."""
        criteria = self.env["project.stage.criterion"].union(
            *(self.env.ref(f"project_lifecycle.criterion_{name}") for name in names)
        )
        if not criteria:
            self.project.stage_id = stage
            return
        with (
            self.assertRaises(UserError) as caught,
            self.env.cr.savepoint(),
        ):
            self.project.stage_id = stage
        self.project.invalidate_recordset()
        for criterion in stage.criterion_ids:
            check = self.assertIn if criterion in criteria else self.assertNotIn
            check(criterion.name, str(caught.exception))

    def test_phase_with_dates_before_the_implementation(self):
        self.mvp.unlink()
        self.assertUnmet(self.stage_implementation, "implementation_phase")
        phase = self._create_phase("Sales")
        self.assertUnmet(self.stage_implementation, "implementation_phase")
        phase.date_start = date(2030, 1, 7)
        self.assertUnmet(self.stage_implementation, "implementation_phase")
        phase.date_go_live = date(2030, 3, 4)
        self.assertUnmet(self.stage_implementation)

    def test_go_live(self):
        self.project.stage_id = self.stage_implementation
        self.assertUnmet(self.stage_go_live, "go_live_phase", "go_live_flows")
        self.mvp.action_start()
        self.assertUnmet(self.stage_go_live, "go_live_phase", "go_live_flows")
        flow = self._create_flow()
        data = self.env["project.data.import"].create(
            {"name": "Customers", "flow_id": flow.id, "needed_to_start": True}
        )
        later = self.env["project.data.import"].create(
            {"name": "Old orders", "flow_id": flow.id}
        )
        other_phase = self._create_phase("Later")
        self._create_flow("Not now", phase_id=other_phase.id)
        self.assertUnmet(self.stage_go_live, "go_live_flows", "go_live_imports")
        self._bring_to_validation(flow)
        self._validate(flow)
        self.assertUnmet(self.stage_go_live, "go_live_flows", "go_live_imports")
        self._train(flow, "user_training")
        flow.step = "done"
        self.assertUnmet(self.stage_go_live, "go_live_imports")
        today = fields.Date.today()
        data.write({"cleaned_on": today, "imported_on": today, "row_count": 3})
        self.assertUnmet(self.stage_go_live)
        self.assertFalse(later.imported_on)

    def test_go_live_without_what_belongs_to_no_phase(self):
        self.project.stage_id = self.stage_implementation
        self.mvp.action_start()
        self._finish(self._create_flow())
        data = self.env["project.data.import"].create(
            {
                "name": "Customers",
                "project_id": self.project.id,
                "needed_to_start": True,
            }
        )
        request = self.env["project.development.request"].create(
            {
                "name": "Labels",
                "project_id": self.project.id,
                "need": "Print labels",
                "value": "Two hours a day",
                "workaround": "Write them by hand",
                "wave": "mvp",
                "mvp_reason": "No bottle leaves without one",
                "specification": "Print them",
                "developer_id": self.colleague.id,
            }
        )
        both = ("go_live_imports", "go_live_developments")
        self.assertUnmet(self.stage_go_live, *both)
        data.phase_id = self._create_phase("Later")
        request.action_approve()
        self.assertUnmet(self.stage_go_live, "go_live_developments")
        request.task_id.state = "1_canceled"
        self.assertUnmet(self.stage_go_live, "go_live_developments")
        request.task_id.state = "1_done"
        self.assertUnmet(self.stage_go_live)

    def test_done_without_a_phase_under_way(self):
        self.project.stage_id = self.stage_implementation
        self.mvp.action_start()
        self.project.stage_id = self.stage_support
        self.assertUnmet(self.stage_done, "done_phases")
        self.mvp.action_take_back_start()
        self.assertUnmet(self.stage_done)
