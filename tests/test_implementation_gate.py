from datetime import date

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .implementation_common import ImplementationCommon


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
        )
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
        self.assertUnmet(self.stage_go_live, "go_live_phase")
        self.mvp.action_start()
        self.assertUnmet(self.stage_go_live, "go_live_phase")
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
