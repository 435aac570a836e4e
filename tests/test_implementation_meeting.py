from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .implementation_common import ImplementationCommon


@tagged("post_install", "-at_install")
class TestFlowMeeting(ImplementationCommon):
    """Proofs of concept and trainings are the evidence of the steps of flows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mvp.action_start()
        cls.flow = cls._create_flow()

    def test_proof_of_concept_must_be_held_and_recorded(self):
        meeting = self._show(self.flow, recording_url=False, held=False)
        self.assertEqual(self.flow.poc_meeting_id, meeting)
        move = lambda: self.flow.write({"step": "realisation"})  # noqa: E731
        self.assertRefused(move, "mark it as held", self.flow)
        meeting.held = True
        self.assertRefused(move, "link to the recording", self.flow)
        meeting.recording_url = "https://meet.example.com/r/2"
        move()
        self.assertEqual(self.flow.step, "realisation")

    def test_recording_must_be_a_web_address(self):
        for text in (
            "recording",
            "www.example.com/r",
            "javascript:alert(1)",
            "ftp://example.com/r",
            "http://",
            "https://meet.example.com/a b",
            "http://[",
            "file:///etc/passwd",
        ):
            with self.subTest(text=text):
                self.assertRefused(
                    lambda text=text: self._show(self.flow, recording_url=text),
                    "not the address of a recording",
                    self.flow,
                    ValidationError,
                )
        self._show(self.flow, recording_url="HTTP://10.0.0.7:8080/r?x=1#t")

    def test_evidence_stays(self):
        meeting = self._show(self.flow)
        self.flow.step = "realisation"
        for change in (
            {"held": False},
            {"recording_url": False},
            {"lifecycle_meeting": "follow_up"},
            {"project_id": False, "flow_ids": [Command.clear()]},
            {"active": False},
        ):
            with self.subTest(change=change):
                self.assertRefused(
                    lambda change=change: meeting.write(change),
                    "went on with this|was held and counts|its kind stays",
                )
        self.assertRefused(meeting.unlink, "went on with this")
        meeting.recording_url = "https://meet.example.com/moved"

    def test_trainings_stay(self):
        self._show(self.flow)
        self.flow.step = "realisation"
        training = self._train(self.flow, "spoc_training")
        training.held = False  # nothing hangs on it yet
        training.held = True
        self.flow.step = "validation"
        for way in (
            lambda: training.write({"held": False}),
            lambda: training.write({"flow_ids": [Command.clear()]}),
            training.unlink,
        ):
            self.assertRefused(way, "went on after this training")
        other = self._train(self.flow, "spoc_training")
        training.unlink()  # another one is there
        self.assertRefused(other.unlink, "went on after this training")

    def test_each_cycle_has_its_own_proof_of_concept(self):
        meeting = self._show(self.flow)
        self.flow.step = "realisation"
        self._train(self.flow, "spoc_training")
        self.flow.step = "validation"
        self._reject(self.flow)
        self.assertFalse(self.flow.poc_meeting_id)
        self.assertRefused(
            lambda: self.flow.write({"poc_meeting_id": meeting.id}),
            "A new cycle has a new one",
            error=ValidationError,
        )
        meeting.name = "Renamed"  # does not come back by itself
        meeting.recording_url = "https://meet.example.com/again"
        self.assertFalse(self.flow.poc_meeting_id)

    def test_meeting_that_is_no_proof_of_concept(self):
        other = self._create_project(name="Other", spoc_id=self.spoc.id)
        for meeting in (
            self._create_meeting(self.project, "follow_up"),
            self._create_meeting(other, "poc"),
        ):
            self.assertRefused(
                lambda meeting=meeting: self.flow.write({"poc_meeting_id": meeting.id}),
                "Choose a proof of concept",
                error=ValidationError,
            )
        self.assertRefused(
            lambda: self._create_meeting(
                other, "poc", flow_ids=[Command.set(self.flow.ids)]
            ),
            "another project",
            error=ValidationError,
        )

    def test_private_meetings_count(self):
        meeting = self._show(self.flow, privacy="private")
        self.env.invalidate_all()
        manager = self.flow.with_user(self.manager)
        meeting.with_user(self.manager).mapped("name")  # masked for others
        manager.step = "realisation"
        self.assertEqual(self.flow.step, "realisation")

    # -- realisation ---------------------------------------------------
    def test_spoc_is_trained_before_the_validation(self):
        self._show(self.flow)
        self.flow.step = "realisation"
        self.assertRefused(self.flow.action_next_step, "Train the SPOC", self.flow)
        self._train(self.flow, "spoc_training", held=False)
        self.assertRefused(self.flow.action_next_step, "Train the SPOC", self.flow)
        self._train(self.flow, "spoc_training")
        self.flow.action_next_step()
        self.assertEqual(self.flow.step, "validation")

    def test_end_users_are_trained_after_the_validation(self):
        self.assertRefused(
            lambda: self._train(self.flow, "user_training"),
            "after the validation only",
        )
        training = self._train(self.flow, "user_training", held=False)
        self.assertRefused(
            lambda: training.write({"held": True}), "after the validation only"
        )
        follow_up = self._train(self.flow, "follow_up")
        self.assertRefused(
            lambda: follow_up.write({"lifecycle_meeting": "user_training"}),
            "its kind stays",
        )
        self._bring_to_validation(self.flow)
        self.assertRefused(
            lambda: training.write({"held": True}), "after the validation only"
        )
        self._validate(self.flow)
        other = self._create_flow("Other")
        training.held = True
        self.assertRefused(
            lambda: training.write({"flow_ids": [Command.link(other.id)]}),
            "not validated yet: Other",
        )
        self.flow.step = "done"

    def test_training_says_of_what(self):
        self.assertRefused(
            lambda: self._create_meeting(self.project, "user_training"),
            "Say on which business flows",
        )

    def test_done_needs_the_training(self):
        self._bring_to_validation(self.flow)
        self._validate(self.flow)
        self.assertRefused(self.flow.action_next_step, "Train the end users", self.flow)
