from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common.implementation import ImplementationCommon


@tagged("post_install", "-at_install")
class TestCycleEvidence(ImplementationCommon):
    """What was shown and taught counts for its own cycle, and stays."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mvp.action_start()
        cls.flow = cls._create_flow()

    def test_trainings_of_another_cycle_do_not_count(self):
        flow = self.flow
        self._finish(flow)
        first = flow.current_cycle_id
        flow._refine("The label is too small")
        self._show(flow)
        flow.step = "realisation"
        with self.assertRefused(UserError, "Train the SPOC in this cycle"):
            flow.action_next_step()
        self._train(flow, "spoc_training")
        flow.step = "validation"
        self._validate(flow)
        with self.assertRefused(UserError, "Train the end users"):
            flow.action_next_step()
        self._train(flow, "user_training")
        flow.action_next_step()
        self.assertEqual(flow.step, "done")
        self.assertEqual(len(first.training_ids), 2)
        self.assertFalse(first.training_ids & flow.current_cycle_id.training_ids)

    def test_old_training_does_not_come_back(self):
        flow = self.flow
        self._bring_to_validation(flow)
        old = flow.current_cycle_id.training_ids
        self._reject(flow)
        self._show(flow)
        flow.step = "realisation"
        other = self._create_flow("Other")
        for way in (
            lambda: old.write({"held": False}),
            lambda: old.write({"active": False}),
            lambda: old.write({"start": fields.Datetime.now() - timedelta(hours=2)}),
            lambda: old.write({"lifecycle_meeting": "user_training"}),
            lambda: old.write({"flow_ids": [Command.set(other.ids)]}),
            lambda: old.write({"project_id": False, "flow_ids": [Command.clear()]}),
            lambda: old.write({"partner_ids": [Command.unlink(self.spoc.id)]}),
            lambda: old.attendee_ids.unlink(),
            lambda: old.attendee_ids.write({"partner_id": self.stranger.id}),
            old.unlink,
            old.action_archive,
        ):
            with self.assertRefused(UserError, "held"):
                way()
        with self.assertRaises(AccessError):
            old.write({"training_cycle_ids": [Command.set(flow.current_cycle_id.ids)]})
        # A copy was not held, and what is renamed stays what it was
        old.copy()
        old.name = "Renamed"
        old.flow_ids = [Command.link(other.id)]
        self.assertIn(other.current_cycle_id, old.training_cycle_ids)
        with self.assertRefused(UserError, "Train the SPOC in this cycle"):
            flow.action_next_step()

    def test_meeting_of_the_time_before(self):
        flow = self.flow
        with freeze_time(fields.Datetime.now() + timedelta(days=3)):
            self._bring_to_validation(flow)
            self._reject(flow)
            before = fields.Datetime.now() - timedelta(days=1)
            poc = self._show(flow, start=before)
            self.assertFalse(flow.poc_meeting_id)
            with self.assertRefused(ValidationError, "earlier cycle"):
                flow.write({"poc_meeting_id": poc.id})
            self._show(flow)
            flow.step = "realisation"
            late = self._train(flow, "spoc_training", start=before)
            self.assertEqual(late.training_cycle_ids.number, 1, "its own cycle")
            with self.assertRefused(UserError, "Train the SPOC in this"):
                flow.action_next_step()

    def test_proof_of_concept_is_moved_before_the_cycle(self):
        flow = self.flow
        with freeze_time(fields.Datetime.now() + timedelta(days=3)):
            self._bring_to_validation(flow)
            self._reject(flow)
            poc = self._show(flow, held=False)
            self.assertEqual(flow.poc_meeting_id, poc)
            poc.start = fields.Datetime.now() - timedelta(days=1)
            poc.held = True
            with self.assertRefused(UserError, "before this cycle"):
                flow.action_next_step()

    def test_end_users_are_trained_after_the_validation_of_this_cycle(self):
        flow = self.flow
        self._bring_to_validation(flow)
        early = self._train(
            flow,
            "user_training",
            held=False,
            start=fields.Datetime.now() - timedelta(hours=3),
        )
        self._validate(flow)
        with self.assertRefused(UserError, "after the validation only"):
            early.write({"held": True})
        self._train(flow, "user_training")
        flow.action_next_step()

    def test_marked_as_held_by_mistake(self):
        flow = self.flow
        self._show(flow)
        flow.step = "realisation"
        training = self._train(flow, "spoc_training")
        with self.assertRefused(UserError, "was held"):
            training.write({"start": "2020-01-01 10:00:00"})
        training.held = False
        self.assertFalse(flow.current_cycle_id.training_ids)
        training.start = fields.Datetime.now() - timedelta(hours=1)
        training.held = True
        self.assertEqual(flow.current_cycle_id.training_ids, training)
        flow.step = "validation"
        with self.assertRefused(UserError, "stays as held"):
            training.write({"held": False})

    def test_users_of_the_client_are_trained(self):
        self._bring_to_validation(self.flow)
        self._validate(self.flow)
        nobody = [Command.set(self.consultant.partner_id.ids)]
        with self.assertRefused(UserError, "Nobody of Almazara del Olivar"):
            self._train(self.flow, "user_training", partner_ids=nobody)
        strangers = [Command.set(self.stranger.ids)]
        with self.assertRefused(UserError, "Nobody of Almazara del Olivar"):
            self._train(self.flow, "user_training", partner_ids=strangers)
        user = self.spoc.create({"name": "Luis", "parent_id": self.client.id})
        self._train(self.flow, "user_training", partner_ids=[Command.set(user.ids)])
        self.flow.action_next_step()

    def test_proof_of_concept_of_other_flows(self):
        other = self._create_flow("Other")
        meeting = self._show(other)
        with self.assertRefused(ValidationError, "that shows “From the quotation"):
            self.flow.write({"poc_meeting_id": meeting.id})
        meeting.flow_ids = [Command.link(self.flow.id)]
        self.assertEqual(self.flow.poc_meeting_id, meeting)
        meeting.flow_ids = [Command.unlink(self.flow.id)]
        self.assertFalse(self.flow.poc_meeting_id, "nothing hangs on it yet")
        empty = self._show(self.flow, flow_ids=[Command.clear()])
        self.flow.poc_meeting_id = empty
        self.assertEqual(empty.flow_ids, self.flow)

    def test_proof_of_concept_chosen_by_the_consultant(self):
        flow = self.flow.with_user(self.consultant)
        meeting = self._show(self.flow)
        flow.poc_meeting_id = False
        self.assertFalse(self.flow.current_cycle_id.poc_meeting_id)
        flow.poc_meeting_id = meeting
        flow.step = "realisation"
        with self.assertRefused(UserError, "beyond its analysis"):
            flow.write({"poc_meeting_id": False})
        for user in (self.colleague, self.salesperson):
            with self.assertRaises(AccessError):
                flow.with_user(user).write({"poc_meeting_id": False})
            with self.assertRaises(AccessError):
                flow.with_user(user).action_next_step()

    def test_planned_meeting_can_be_deleted(self):
        meeting = self._show(self.flow, held=False)
        meeting.unlink()
        self.assertFalse(self.flow.poc_meeting_id)
        meeting = self._show(self.flow)
        self.flow.step = "realisation"
        with self.assertRefused(UserError, "went on with this proof"):
            meeting.unlink()

    def test_recurring_meeting(self):
        flow = self.flow
        self._show(flow)
        flow.step = "realisation"
        training = self._train(
            flow,
            "spoc_training",
            held=False,
            recurrency=True,
            rrule_type="daily",
            interval=1,
            end_type="count",
            count=3,
            event_tz="UTC",
        )
        training.held = True
        series = training.recurrence_id.calendar_event_ids
        self.assertEqual(series.filtered("held"), training)
        flow.step = "validation"
        for way in (
            lambda: training.action_mass_archive("all_events"),
            lambda: training.action_mass_deletion("all_events"),
            lambda: training.write(
                {
                    "recurrence_update": "all_events",
                    "start": training.start + timedelta(hours=1),
                }
            ),
        ):
            with self.assertRefused(UserError, "held"):
                way()
        self.assertTrue(training.exists().held)


@tagged("post_install", "-at_install")
class TestManyFlows(ImplementationCommon):
    """Many flows at once cost a few queries."""

    def _count_for(self, number):
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        flows = self.env["project.flow"].create(
            [
                {"name": f"F{count}", "phase_id": self.mvp.id, "to_be": "<p>X</p>"}
                for count in range(number)
            ]
        )
        self.env.flush_all()
        self.assertEqual(set(flows.mapped("cycle_count")), {1})
        return self.env.cr.sql_log_count - before

    def test_two_hundred_flows(self):
        self._count_for(2)
        few, many = self._count_for(10), self._count_for(200)
        self.assertLess(many - few, 25)
        self.assertLess(many, 60)

    def test_two_hundred_flows_go_on(self):
        self.mvp.action_start()
        flows = self._create_flow("A")
        for count in range(20):
            flows |= self._create_flow(f"F{count}")
        self._show(flows)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        flows.action_next_step()
        self.env.flush_all()
        self.assertLess(self.env.cr.sql_log_count - before, 70)
        self.assertEqual(set(flows.mapped("step")), {"realisation"})
        with self.assertRaises(UserError):
            flows.action_next_step()
