from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user, tagged

from .implementation_common import ImplementationCommon


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
        self.assertRefused(flow.action_next_step, "Train the SPOC in this cycle", flow)
        self._train(flow, "spoc_training")
        flow.step = "validation"
        self._validate(flow)
        self.assertRefused(flow.action_next_step, "Train the end users", flow)
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
            self.assertRefused(way, "held", flow)
        with self.assertRaises(AccessError):
            old.write({"training_cycle_ids": [Command.set(flow.current_cycle_id.ids)]})
        # A copy was not held, and what is renamed stays what it was
        old.copy()
        old.name = "Renamed"
        old.flow_ids = [Command.link(other.id)]
        self.assertIn(other.current_cycle_id, old.training_cycle_ids)
        self.assertRefused(flow.action_next_step, "Train the SPOC in this cycle", flow)

    def test_meeting_of_the_time_before(self):
        flow = self.flow
        with freeze_time(fields.Datetime.now() + timedelta(days=3)):
            self._bring_to_validation(flow)
            self._reject(flow)
            before = fields.Datetime.now() - timedelta(days=1)
            poc = self._show(flow, start=before)
            self.assertFalse(flow.poc_meeting_id)
            self.assertRefused(
                lambda: flow.write({"poc_meeting_id": poc.id}),
                "earlier cycle",
                error=ValidationError,
            )
            self._show(flow)
            flow.step = "realisation"
            late = self._train(flow, "spoc_training", start=before)
            self.assertEqual(late.training_cycle_ids.number, 1, "its own cycle")
            self.assertRefused(flow.action_next_step, "Train the SPOC in this", flow)

    def test_proof_of_concept_is_moved_before_the_cycle(self):
        flow = self.flow
        with freeze_time(fields.Datetime.now() + timedelta(days=3)):
            self._bring_to_validation(flow)
            self._reject(flow)
            poc = self._show(flow, held=False)
            self.assertEqual(flow.poc_meeting_id, poc)
            poc.start = fields.Datetime.now() - timedelta(days=1)
            poc.held = True
            self.assertRefused(flow.action_next_step, "before this cycle", flow)

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
        self.assertRefused(
            lambda: early.write({"held": True}), "after the validation only", flow
        )
        self._train(flow, "user_training")
        flow.action_next_step()

    def test_marked_as_held_by_mistake(self):
        flow = self.flow
        self._show(flow)
        flow.step = "realisation"
        training = self._train(flow, "spoc_training")
        self.assertRefused(
            lambda: training.write({"start": "2020-01-01 10:00:00"}), "was held"
        )
        training.held = False
        self.assertFalse(flow.current_cycle_id.training_ids)
        training.start = fields.Datetime.now() - timedelta(hours=1)
        training.held = True
        self.assertEqual(flow.current_cycle_id.training_ids, training)
        flow.step = "validation"
        self.assertRefused(lambda: training.write({"held": False}), "stays as held")

    def test_users_of_the_client_are_trained(self):
        self._bring_to_validation(self.flow)
        self._validate(self.flow)
        nobody = [Command.set(self.consultant.partner_id.ids)]
        self.assertRefused(
            lambda: self._train(self.flow, "user_training", partner_ids=nobody),
            "Nobody of Almazara del Olivar",
        )
        strangers = [Command.set(self.stranger.ids)]
        self.assertRefused(
            lambda: self._train(self.flow, "user_training", partner_ids=strangers),
            "Nobody of Almazara del Olivar",
        )
        user = self.spoc.create({"name": "Luis", "parent_id": self.client.id})
        self._train(self.flow, "user_training", partner_ids=[Command.set(user.ids)])
        self.flow.action_next_step()

    def test_proof_of_concept_of_other_flows(self):
        other = self._create_flow("Other")
        meeting = self._show(other)
        self.assertRefused(
            lambda: self.flow.write({"poc_meeting_id": meeting.id}),
            "that shows “From the quotation",
            error=ValidationError,
        )
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
        self.assertRefused(
            lambda: flow.write({"poc_meeting_id": False}), "beyond its analysis", flow
        )
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
        self.assertRefused(meeting.unlink, "went on with this proof", self.flow)

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
            self.assertRefused(way, "held", flow)
        self.assertTrue(training.exists().held)


@tagged("post_install", "-at_install")
class TestValidation(ImplementationCommon):
    """What the SPOC validated, by whom and with which words, stays as it was."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mvp.action_start()
        cls.flow = cls._create_flow(
            to_be="<p>Quotation, order</p>", requirements="<p>Two approvals</p>"
        )

    def test_what_was_validated_is_kept(self):
        flow = self.flow
        self._bring_to_validation(flow)
        flow.to_be = "<p>Quotation, order, bill</p>"  # until then it is work
        self._validate(flow)
        cycle = flow.current_cycle_id
        flow.requirements = "<p>Three approvals</p>"
        self.assertRecordValues(
            cycle,
            [
                {
                    "validated_to_be": "<p>Quotation, order, bill</p>",
                    "validated_requirements": "<p>Two approvals</p>",
                    "validated_delicate_points": False,
                }
            ],
        )
        self.assertTrue(flow.is_changed)
        self.assertIn("<del>Two approvals</del>", flow.validation_changes)
        self.assertIn("<ins>Three approvals</ins>", flow.validation_changes)
        self.assertNotIn("bill", flow.validation_changes)
        self.assertIn(flow, flow.search([("is_changed", "=", True)]))

    def test_changes_are_validated_before_the_go_live(self):
        flow = self.flow
        self._finish(flow)
        self.mvp.action_set_ready()
        flow.delicate_points = "<p>The old printer</p>"
        self.assertEqual(self.mvp.state, "in_progress", "something is left to do")
        self.assertRefused(self.mvp.action_set_ready, "Changed since the SPOC")
        self.assertIn("changed since", flow.next_action)
        flow.with_user(self.consultant).action_restore_validated()
        self.assertFalse(flow.is_changed)
        self.mvp.action_set_ready()
        flow.delicate_points = "<p>The old printer</p>"
        flow._refine("The old printer was forgotten")
        self.assertFalse(flow.is_changed, "the new cycle validates it")
        self._finish(flow)
        self.assertEqual(
            flow.current_cycle_id.validated_delicate_points, "<p>The old printer</p>"
        )
        self.assertFalse(flow.cycle_ids.sorted("number")[0].validated_delicate_points)
        self.mvp.action_set_ready()
        self.mvp.action_go_live()
        for name in ("to_be", "requirements", "delicate_points"):
            self.assertRefused(
                lambda name=name: flow.write({name: "<p>Other</p>"}), "Kept for Later"
            )
        flow.improvement_notes = "<p>A new printer</p>"
        flow.as_is = "<p>As it was</p>"

    def test_changed_flow_does_not_reach_the_users(self):
        self._bring_to_validation(self.flow)
        self._validate(self.flow)
        self._train(self.flow, "user_training")
        self.flow.to_be = "<p>Something else</p>"
        self.assertRefused(self.flow.action_next_step, "changed since", self.flow)

    def test_words_that_say_nothing(self):
        flow = self.flow.with_user(self.consultant)
        self._bring_to_validation(flow)
        for words in (
            " ",
            "\n",
            "\0",
            "\u200b",
            "<p><br></p>",
            "&nbsp;",
            ".",
            5,
            ["x"],
        ):
            with self.subTest(words=words):
                for answer in (
                    {"result": "rejected", "feedback": words, "evidence": "Mail"},
                    {"result": "rejected", "feedback": "No", "evidence": words},
                    {"result": "validated", "statement": words, "evidence": "Mail"},
                    {"result": "validated", "statement": "Yes", "evidence": words},
                ):
                    self.assertRefused(
                        lambda answer=answer: flow._decide(**answer), "Write|Say", flow
                    )
        flow._decide("rejected", feedback="No\0 way", evidence="Mail")
        self.assertEqual(flow.cycle_ids.sorted("number")[0].feedback, "No way")

    def test_spoc_who_left(self):
        self._bring_to_validation(self.flow)
        self.spoc_user.active = False
        self.spoc.active = False
        self.assertRefused(lambda: self._validate(self.flow), "has no SPOC", self.flow)
        other = self.spoc.create({"name": "Luis", "parent_id": self.client.id})
        self.project.spoc_id = other
        self._validate(self.flow)
        self.assertEqual(self.flow.current_cycle_id.decided_by_id, other)

    def test_spoc_of_another_project(self):
        other = self._create_project(
            name="Other", partner_id=self.other_client.id, spoc_id=self.stranger.id
        )
        self.assertEqual(other.spoc_id, self.stranger)
        self._bring_to_validation(self.flow)
        cycle = self.flow.with_user(self.stranger_user).sudo().current_cycle_id
        with self.assertRaises(AccessError):
            cycle._decide("validated", statement="Yes", evidence="Mail")

    def test_developments_are_decided(self):
        request = self.env["project.development.request"].create(
            {
                "name": "Labels",
                "project_id": self.project.id,
                "need": "Print",
                "workaround": "By hand",
            }
        )
        self._bring_to_validation(self.flow)
        request.flow_id = self.flow
        self.assertRefused(
            lambda: self._validate(self.flow), "requests to decide", self.flow
        )
        request.action_reject()
        self._validate(self.flow)
        request.action_reopen()
        self._train(self.flow, "user_training")
        self.assertRefused(self.flow.action_next_step, "Decide on its", self.flow)
        request.action_reject()
        self.flow.action_next_step()
        request.action_reopen()
        self.assertRefused(self.mvp.action_set_ready, "requests to decide: From")

    def test_search(self):
        other = self._create_flow("Other")
        self._bring_to_validation(other)
        self._validate(other)
        Flow, Cycle = self.env["project.flow"], self.env["project.flow.cycle"]
        mine = [("project_id", "=", self.project.id)]
        for domain, expected in (
            ([("is_validated", "=", True)], other),
            ([("is_validated", "!=", True)], self.flow),
            ([("is_validated", "=", False)], self.flow),
            ([("is_validated", "!=", False)], other),
            ([("is_validated", "in", [True, False])], other | self.flow),
            ([("is_validated", "not in", [True])], self.flow),
            ([("is_validated", "not in", [True, False])], Flow),
            ([("poc_meeting_id", "=", False)], self.flow),
            ([("poc_meeting_id", "!=", False)], other),
        ):
            with self.subTest(domain=domain):
                self.assertEqual(Flow.search(mine + domain, order="id desc"), expected)
        self._train(other, "user_training")
        other.step = "done"
        for domain, expected in (
            ([("is_open", "=", True)], self.flow),
            ([("is_open", "!=", True)], other),
            ([("is_open", "=", False)], other),
            ([("is_open", "not in", [False])], self.flow),
        ):
            with self.subTest(domain=domain):
                self.assertEqual(Cycle.search(mine + domain).flow_id, expected)

    def test_wizard_of_a_hidden_project(self):
        self.project.privacy_visibility = "followers"
        wizard = (
            self.env["project.flow.decision.wizard"]
            .with_user(self.colleague)
            .create({"cycle_id": self.flow.current_cycle_id.id, "result": "rejected"})
        )
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            wizard.read(["requirements"])
        with self.assertRaises(AccessError):
            wizard.action_confirm()

    def test_what_was_said_is_a_note(self):
        flow = self.flow.with_user(self.consultant)
        flow.message_subscribe(partner_ids=self.spoc.ids)
        self._bring_to_validation(flow)
        self._reject(flow)
        self._bring_to_validation(flow)
        self._validate(flow)
        messages = flow.message_ids
        note = self.env.ref("mail.mt_note")
        self.assertEqual(messages.subtype_id, note)
        for message in messages.with_user(self.spoc_user):
            with self.assertRaises(AccessError):
                message.read(["body"])


@tagged("post_install", "-at_install")
class TestSetAside(ImplementationCommon):
    """A flow that is not wanted now has a way out, and its history stays."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mvp.action_start()
        cls.flow = cls._create_flow()
        cls.later = cls._create_phase("Later")

    def test_messages_name_a_way_that_works(self):
        flow = self.flow.with_user(self.consultant)
        self._bring_to_validation(flow)
        for way in (
            flow.unlink,
            lambda: flow.write({"phase_id": self.later.id}),
            flow.action_archive,
        ):
            self.assertRefused(way, "Set Aside", flow)
        action = flow.action_set_aside()
        wizard = Form(
            self.env[action["res_model"]]
            .with_user(self.consultant)
            .with_context(**action["context"])
        )
        wizard.feedback = "The client sells no more services"
        wizard.save().action_confirm()
        self.assertFalse(flow.active)
        self.assertRecordValues(
            flow.cycle_ids,
            [
                {
                    "result": "set_aside",
                    "step": "validation",
                    "feedback": "The client sells no more services",
                    "is_open": False,
                }
            ],
        )
        self.assertIn("sells no more", flow.message_ids[0].body)
        self.assertFalse(self.mvp.flow_ids)
        for way in (
            lambda: self._validate(flow),
            flow.action_next_step,
            lambda: flow._refine("More"),
            lambda: flow._set_aside("Again"),
        ):
            self.assertRefused(way, "set aside|is closed", flow)
        # Its meetings may be written, with all that they showed
        flow.meeting_ids[0].sudo().name = "Renamed"
        flow.meeting_ids[0].sudo().recording_url = "https://meet.example.com/moved"
        flow.action_take_up()
        self.assertTrue(flow.active)
        self.assertEqual(flow.step, "analysis")
        self.assertEqual(flow.cycle_count, 2)

    def test_later_phase(self):
        self._finish(self.flow)
        statement = self.flow.current_cycle_id.statement
        self.flow._set_aside("Not in this year", self.later)
        self.assertEqual(self.flow.phase_id, self.later)
        self.assertEqual(self.flow.step, "analysis")
        self.assertEqual(self.flow.cycle_ids.sorted("number")[0].statement, statement)
        self.assertRefused(self.flow.action_next_step, "Start its phase", self.flow)

    def test_taken_up_after_the_go_live(self):
        other = self._create_flow("Other")
        self.flow._set_aside("Nobody does it")
        self._finish(other)
        self.mvp.action_set_ready()
        self.mvp.action_go_live()
        self.assertRefused(lambda: other._set_aside("No"), "is live")
        self.flow.action_take_up()
        self.assertFalse(self.flow.phase_id)
        self.flow.phase_id = self.later

    def test_reason_and_rights(self):
        for reason in (False, " ", "<p><br></p>"):
            self.assertRefused(
                lambda reason=reason: self.flow._set_aside(reason), "Write down why"
            )
        foreign = self._create_phase(
            "Foreign", project_id=self._create_project(name="Other").id
        )
        with self.assertRaises(ValidationError), self.cr.savepoint():
            self.flow._set_aside("No", foreign)
        with self.assertRaises(AccessError):
            self.flow.with_user(self.colleague)._set_aside("No")
        self.flow._set_aside("No")
        with self.assertRaises(AccessError):
            self.flow.with_user(self.colleague).action_take_up()
        with self.assertRaises(AccessError):
            self.flow.with_user(self.consultant).write({"active": True})

    def test_set_aside_is_not_a_circle(self):
        for _time in range(3):
            self.flow._set_aside("Later", self.later)
        risks = self.project.risk_ids.filtered(lambda r: r.origin == "implementation")
        self.assertFalse(risks)


@tagged("post_install", "-at_install")
class TestDevelopmentDecision(ImplementationCommon):
    """Decisions on developments are made by their buttons, and stay."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls._create_flow()
        cls.developer = new_test_user(
            cls.env, "pl_developer", groups="project.group_project_user"
        )
        cls.request = (
            cls.env["project.development.request"]
            .create(
                {
                    "name": "Labels",
                    "flow_id": cls.flow.id,
                    "need": "<p>Print labels</p>",
                    "value": "<p>Two hours a day</p>",
                    "workaround": "<p>Type them</p>",
                    "specification": "<p>A label of 50 mm</p>",
                    "developer_id": cls.developer.id,
                }
            )
            .with_user(cls.consultant)
        )

    def test_only_by_the_buttons(self):
        request = self.request
        for values in (
            {"decision": "approved"},
            {"decided_by_id": self.manager.id},
            {"decided_on": "2020-01-01"},
            {"task_id": False},
            {"decision_sequence": 5},
        ):
            for user in (self.consultant, self.manager):
                with self.assertRaisesRegex(AccessError, "written by the system"):
                    request.with_user(user).write(values)
        Request = self.env["project.development.request"].with_user(self.consultant)
        values = {"name": "X", "flow_id": self.flow.id, "need": "Y"}
        for context in (
            {"default_decision": "approved"},
            {"default_decided_by_id": self.manager.id},
        ):
            with self.assertRaisesRegex(AccessError, "written by the system"):
                Request.with_context(**context).create(values)
        for user in (self.colleague, self.salesperson):
            with self.assertRaises(AccessError):
                request.with_user(user).action_approve()

    def test_what_was_decided_stays(self):
        request = self.request
        before = fields.Datetime.now()
        request.action_approve()
        self.assertEqual(request.decided_by_id, self.consultant)
        self.assertGreaterEqual(request.decided_on, before)
        self.assertRefused(request.action_reject, "decided already", request)
        for values in (
            {"need": "<p>Other</p>"},
            {"value": False},
            {"workaround": "<p>Other</p>"},
            {"specification": "<p>Other</p>"},
            {"wave": "mvp", "mvp_reason": "Other"},
        ):
            self.assertRefused(
                lambda values=values: request.write(values),
                "is decided|cannot be decided",
                request,
            )
        request.write({"specification": request.specification, "name": "All labels"})
        request.action_reopen()
        self.assertIn("Approved, by pl_consultant", request.message_ids[0].body)
        self.assertFalse(request.decided_by_id)
        self.assertRefused(request.unlink, "stays", request)
        request.specification = "<p>A label of 60 mm</p>"
        request.action_reject()
        self.assertEqual(request.task_id.state, "1_canceled")
        request.action_reopen()  # nobody has worked on it
        request.action_approve()
        self.assertEqual(request.task_id.state, "01_in_progress")
        self.assertIn("60 mm", request.task_id.description)

    def test_texts_that_say_nothing(self):
        for nothing in ("<p>&nbsp;</p>", "<p>\u200b</p>", "<p><br></p>", "<p>-</p>"):
            self.request.workaround = nothing
            self.assertRefused(
                self.request.action_reject, "Workaround", self.request, ValidationError
            )
            with self.assertRaises(ValidationError), self.cr.savepoint():
                self.request.write({"wave": "mvp", "mvp_reason": nothing})

    def test_batch_with_one_that_misses_something(self):
        other = self.request.copy({"workaround": False})
        requests = self.request | other
        with self.assertRaises(ValidationError), self.cr.savepoint():
            requests.action_reject()
        requests.invalidate_recordset()
        self.assertEqual(requests.mapped("decision"), ["to_decide"] * 2)


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
