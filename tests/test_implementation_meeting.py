from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common.implementation import ImplementationCommon


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
        with self.assertRefused(UserError, "mark it as held"):
            move()
        meeting.held = True
        with self.assertRefused(UserError, "link to the recording"):
            move()
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
                with self.assertRefused(
                    ValidationError, "not the address of a recording"
                ):
                    self._show(self.flow, recording_url=text)
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
                with self.assertRefused(
                    UserError, "went on with this|was held and counts|its kind stays"
                ):
                    meeting.write(change)
        with self.assertRefused(UserError, "went on with this"):
            meeting.unlink()
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
            with self.assertRefused(UserError, "went on after this training"):
                way()
        other = self._train(self.flow, "spoc_training")
        training.unlink()  # another one is there
        with self.assertRefused(UserError, "went on after this training"):
            other.unlink()

    def test_each_cycle_has_its_own_proof_of_concept(self):
        meeting = self._show(self.flow)
        self.flow.step = "realisation"
        self._train(self.flow, "spoc_training")
        self.flow.step = "validation"
        self._reject(self.flow)
        self.assertFalse(self.flow.poc_meeting_id)
        with self.assertRefused(ValidationError, "A new cycle has a new one"):
            self.flow.write({"poc_meeting_id": meeting.id})
        meeting.name = "Renamed"  # does not come back by itself
        meeting.recording_url = "https://meet.example.com/again"
        self.assertFalse(self.flow.poc_meeting_id)

    def test_meeting_that_is_no_proof_of_concept(self):
        other = self._create_project(name="Other", spoc_id=self.spoc.id)
        for meeting in (
            self._create_meeting(self.project, "follow_up"),
            self._create_meeting(other, "poc"),
        ):
            with self.assertRefused(ValidationError, "Choose a proof of concept"):
                self.flow.write({"poc_meeting_id": meeting.id})
        with self.assertRefused(ValidationError, "another project"):
            self._create_meeting(other, "poc", flow_ids=[Command.set(self.flow.ids)])

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
        with self.assertRefused(UserError, "Train the SPOC"):
            self.flow.action_next_step()
        self._train(self.flow, "spoc_training", held=False)
        with self.assertRefused(UserError, "Train the SPOC"):
            self.flow.action_next_step()
        self._train(self.flow, "spoc_training")
        self.flow.action_next_step()
        self.assertEqual(self.flow.step, "validation")

    def test_end_users_are_trained_after_the_validation(self):
        with self.assertRefused(UserError, "after the validation only"):
            self._train(self.flow, "user_training")
        training = self._train(self.flow, "user_training", held=False)
        with self.assertRefused(UserError, "after the validation only"):
            training.write({"held": True})
        follow_up = self._train(self.flow, "follow_up")
        with self.assertRefused(UserError, "its kind stays"):
            follow_up.write({"lifecycle_meeting": "user_training"})
        self._bring_to_validation(self.flow)
        with self.assertRefused(UserError, "after the validation only"):
            training.write({"held": True})
        self._validate(self.flow)
        other = self._create_flow("Other")
        training.held = True
        with self.assertRefused(UserError, "not validated yet: Other"):
            training.write({"flow_ids": [Command.link(other.id)]})
        self.flow.step = "done"

    def test_training_says_of_what(self):
        with self.assertRefused(UserError, "Say on which business flows"):
            self._create_meeting(self.project, "user_training")

    def test_done_needs_the_training(self):
        self._bring_to_validation(self.flow)
        self._validate(self.flow)
        with self.assertRefused(UserError, "Train the end users"):
            self.flow.action_next_step()
