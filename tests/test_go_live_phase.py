from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common.implementation import ImplementationCommon


@tagged("post_install", "-at_install")
class TestGoLivePhase(ImplementationCommon):
    """The buttons with which a phase goes live and is agreed complete."""

    def test_buttons_until_complete(self):
        phase = self.mvp.with_user(self.consultant)
        phase.action_start()
        with self.assertRefused(UserError, "no business flows"):
            phase.action_set_ready()
        self._finish(self._create_flow())
        phase.action_set_ready()
        phase.action_back_to_work()
        with self.assertRefused(UserError, "cannot become"):
            phase.action_go_live()
        phase.action_set_ready()
        phase.action_go_live()
        action = phase.action_complete()
        wizard = Form(
            self.env[action["res_model"]]
            .with_user(self.consultant)
            .with_context(**action["context"])
        )
        self.assertEqual(wizard.spoc_id, self.spoc)
        wizard.statement = "We can go on"
        wizard.evidence = "E-mail of Monday"
        wizard.save().action_confirm()
        self.assertRecordValues(
            phase,
            [
                {
                    "state": "complete",
                    "completion_statement": "We can go on",
                    "completion_evidence": "E-mail of Monday",
                    "completion_recorded_by_id": self.consultant.id,
                }
            ],
        )
