from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user, tagged, users

from .common.implementation import ImplementationCommon


@tagged("post_install", "-at_install")
class TestFlow(ImplementationCommon):
    """Analysis, realisation, validation by the SPOC, training: round by round."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mvp.action_start()
        cls.flow = cls._create_flow()

    def test_three_cycles_until_live(self):
        flow = self.flow.with_user(self.consultant)
        self.assertEqual(flow.step, "analysis")
        for number in (1, 2):
            self._bring_to_validation(flow)
            self._reject(flow, f"Feedback {number}")
            self.assertEqual(flow.step, "analysis")
            self.assertEqual(flow.cycle_count, number + 1)
        self._bring_to_validation(flow)
        self._validate(flow)
        self.assertTrue(flow.is_validated)
        self._train(flow, "user_training")
        flow.action_next_step()
        self.assertEqual(flow.step, "done")
        self.assertRecordValues(
            flow.cycle_ids.sorted("number"),
            [
                {
                    "number": 1,
                    "result": "rejected",
                    "feedback": "Feedback 1",
                    "step": "validation",
                    "is_open": False,
                    "decided_by_id": self.spoc.id,
                    "recorded_by_id": self.consultant.id,
                },
                {
                    "number": 2,
                    "result": "rejected",
                    "feedback": "Feedback 2",
                    "step": "validation",
                    "is_open": False,
                    "decided_by_id": self.spoc.id,
                    "recorded_by_id": self.consultant.id,
                },
                {
                    "number": 3,
                    "result": "validated",
                    "feedback": "",
                    "step": "done",
                    "is_open": False,
                    "decided_by_id": self.spoc.id,
                    "recorded_by_id": self.consultant.id,
                },
            ],
        )
        self.assertEqual(len(flow.cycle_ids.poc_meeting_id), 3)
        phase = self.mvp.with_user(self.consultant)
        self._go_live(phase)
        self.assertEqual(phase.state, "live")
        self._agree_complete(phase)
        self.assertEqual(phase.state, "complete")

    def test_more_than_two_cycles_are_a_risk(self):
        risks = self.project.risk_ids
        self._bring_to_validation(self.flow)
        self._reject(self.flow)
        self.assertEqual(self.project.risk_ids, risks)
        for _cycle in range(2):
            self._bring_to_validation(self.flow)
            self._reject(self.flow)
        risk = self.project.risk_ids - risks
        self.assertEqual(len(risk), 1, "once, however many cycles follow")
        self.assertEqual(risk.origin, "implementation")
        self.assertIn(self.flow.name, risk.name)

    # -- no step can be skipped ----------------------------------------
    def test_steps_on_every_way_of_writing(self):
        flow = self.flow.with_user(self.consultant)
        cycle = flow.current_cycle_id
        Flow = self.env["project.flow"].with_user(self.consultant)
        Cycle = self.env["project.flow.cycle"].with_user(self.consultant)
        values = {"name": "New", "project_id": self.project.id}
        self.env["ir.model.data"].create(
            {
                "module": "__import__",
                "name": "flow",
                "model": "project.flow",
                "res_id": flow.id,
            }
        )
        system, nobody = "written by the system", "No group currently allows"
        ways = (
            (lambda: flow.write({"step": False}), "There is no step"),
            (lambda: flow.write({"step": ["done"]}), "There is no step"),
            (lambda: flow.write({"step": "validation"}), "no step can be skipped"),
            (lambda: flow.write({"step": "done"}), "no step can be skipped"),
            (lambda: flow.write({"step": "realisation"}), "Show the flow to the SPOC"),
            (lambda: flow.web_save({"step": "training"}, {}), "no step can be"),
            (lambda: flow.write({"step": "nonsense"}), "There is no step"),
            (flow.action_next_step, "Show the flow to the SPOC"),
            (lambda: flow.write({"cycle_count": 7}), system),
            (lambda: flow.write({"current_cycle_id": cycle.id}), system),
            (lambda: flow.write({"is_changed": False}), system),
            (lambda: flow.write({"is_validated": True}), system),
            (lambda: flow.write({"active": False}), system),
            (lambda: flow.write({"meeting_ids": [Command.clear()]}), system),
            (
                lambda: flow.write(
                    {"cycle_ids": [Command.update(cycle.id, {"step": "done"})]}
                ),
                system,
            ),
            (lambda: cycle.write({"step": "done"}), nobody),
            (lambda: cycle.write({"result": "validated"}), nobody),
            (lambda: cycle.write({"poc_meeting_id": False}), nobody),
            (
                lambda: cycle.with_context(lifecycle_unlocked=True).write(
                    {"date_step": "2020-01-01"}
                ),
                nobody,
            ),
            (cycle.copy, nobody),
            (
                lambda: Cycle.create({"flow_id": flow.id, "number": 2, "step": "done"}),
                nobody,
            ),
            (cycle.unlink, nobody),
            (lambda: cycle.sudo().unlink(), "history"),
            (lambda: Flow.create(values | {"step": "training"}), "A new flow starts"),
            (
                lambda: Flow.with_context(default_step="done").create(values),
                "A new flow starts",
            ),
            (
                lambda: Flow.create(
                    values | {"cycle_ids": [Command.create({"number": 9})]}
                ),
                system,
            ),
        )
        for number, (way, message) in enumerate(ways):
            with self.subTest(number=number, message=message):
                with self.assertRefused(UserError, message):
                    way()
        result = Flow.load(["id", "step"], [["__import__.flow", "Done"]])
        self.assertFalse(result["ids"])
        self.assertIn("no step can be skipped", result["messages"][0]["message"])
        flow.invalidate_recordset()
        self.assertEqual(flow.step, "analysis")

    def test_defaults_of_the_client_do_not_reach_the_cycle(self):
        flow = (
            self.env["project.flow"]
            .with_context(
                default_result="validated",
                default_date_end="2020-01-01",
                default_number=8,
            )
            .create({"name": "New", "project_id": self.project.id})
        )
        self.assertRecordValues(
            flow.current_cycle_id, [{"number": 1, "result": False, "is_open": True}]
        )
        self.assertEqual(flow.cycle_count, 1)

    def test_copy_starts_anew(self):
        self._bring_to_validation(self.flow)
        self._reject(self.flow)
        copy = self.flow.copy()
        self.assertEqual(copy.step, "analysis")
        self.assertEqual(copy.cycle_count, 1)
        self.assertFalse(copy.meeting_ids)

    def test_no_step_back(self):
        self._bring_to_validation(self.flow)
        with self.assertRefused(UserError, "steps only go forward"):
            self.flow.write({"step": "analysis"})
        self.flow.step = "validation"  # where it is: nothing happens
        self.assertEqual(self.flow.step, "validation")

    def test_batch_with_one_blocked_moves_none(self):
        other = self._create_flow("Other")
        self._show(self.flow)
        flows = self.flow | other
        with self.assertRefused(UserError, "Other cannot go"):
            flows.write({"step": "realisation"})

    def test_only_in_a_phase_that_has_started(self):
        later = self._create_phase("Later")
        self.flow.phase_id = later
        self._show(self.flow)
        with self.assertRefused(UserError, "Start its phase"):
            self.flow.write({"step": "realisation"})
        self.flow.phase_id = False
        with self.assertRefused(UserError, "Plan it in a phase"):
            self.flow.write({"step": "realisation"})
        self.flow.phase_id = self.mvp
        self.flow.step = "realisation"
        with self.assertRefused(UserError, "beyond its analysis"):
            self.flow.write({"phase_id": later.id})

    # -- proof of concept ----------------------------------------------
    def test_developments_are_decided_before_the_validation(self):
        self._show(self.flow)
        self.flow.step = "realisation"
        self._train(self.flow, "spoc_training")
        request = self.env["project.development.request"].create(
            {"name": "Labels", "flow_id": self.flow.id, "need": "Print them"}
        )
        with self.assertRefused(UserError, "development requests"):
            self.flow.action_next_step()
        request.workaround = "Use the standard label"
        request.action_reject()
        self.flow.action_next_step()
        self.assertEqual(self.flow.step, "validation")

    # -- validation ----------------------------------------------------
    def test_only_the_answer_of_the_spoc_leads_on(self):
        self._bring_to_validation(self.flow)
        for step in ("training", "done"):
            with self.assertRefused(
                UserError, "answer of the SPOC|no step can be skipped"
            ):
                self.flow.write({"step": step})

    def test_consultant_records_with_words_and_evidence(self):
        flow = self.flow.with_user(self.consultant)
        self._bring_to_validation(flow)
        for answer, message in (
            ({"result": "validated", "evidence": "Mail"}, "Write down the words"),
            ({"result": "validated", "statement": "Yes"}, "Say where"),
            ({"result": "validated", "statement": " ", "evidence": " "}, "words"),
            ({"result": "rejected", "evidence": "Mail"}, "with feedback"),
            ({"result": "rejected", "feedback": " \n", "evidence": "M"}, "feedback"),
            ({"result": "rejected", "feedback": "No"}, "Say where"),
            ({"result": "refined", "feedback": "No"}, "validates a flow or sends"),
            ({"result": False}, "validates a flow or sends"),
        ):
            with self.subTest(answer=answer):
                with self.assertRefused(UserError, message):
                    flow._decide(**answer)
        cycle = flow.current_cycle_id
        flow._decide("validated", statement="Yes", evidence="Mail")
        self.assertRecordValues(
            cycle,
            [
                {
                    "result": "validated",
                    "step": "training",
                    "statement": "Yes",
                    "evidence": "Mail",
                    "decided_by_id": self.spoc.id,
                    "recorded_by_id": self.consultant.id,
                }
            ],
        )
        self.assertIn("Yes", flow.message_ids[0].body)

    def test_wizard_records_the_answer(self):
        flow = self.flow.with_user(self.consultant)
        self._bring_to_validation(flow)
        action = flow.action_reject()
        wizard = Form(
            self.env[action["res_model"]]
            .with_user(self.consultant)
            .with_context(**action["context"])
        )
        wizard.feedback = "<b>The discount</b>"
        wizard.evidence = "Call"
        wizard.save().action_confirm()
        self.assertEqual(flow.cycle_count, 2)
        self.assertIn("&lt;b&gt;", flow.message_ids[0].body)

    def test_outdated_cycle(self):
        self._bring_to_validation(self.flow)
        cycle = self.flow.current_cycle_id
        wizard = self.env["project.flow.decision.wizard"].create(
            {
                "cycle_id": cycle.id,
                "result": "validated",
                "statement": "Yes",
                "evidence": "Mail",
            }
        )
        self._reject(self.flow)
        with self.assertRefused(UserError, "is in its cycle 2 now"):
            wizard.action_confirm()
        with self.assertRefused(UserError, "is closed"):
            cycle._decide("validated", statement="Yes", evidence="Mail")
        self.assertEqual(cycle.result, "rejected")

    def test_answered_once(self):
        self._bring_to_validation(self.flow)
        self._validate(self.flow)
        with self.assertRefused(UserError, "is not waiting"):
            self._reject(self.flow)

    def test_no_spoc_no_validation(self):
        self._bring_to_validation(self.flow)
        self.project.spoc_id = False
        with self.assertRefused(UserError, "has no SPOC"):
            self._validate(self.flow)

    def test_the_spoc_needs_no_evidence(self):
        self._bring_to_validation(self.flow)
        cycle = self.flow.with_user(self.spoc_user).sudo().current_cycle_id
        with self.assertRefused(UserError, "with feedback"):
            cycle._decide("rejected")
        cycle._decide("validated")
        self.assertEqual(self.flow.step, "training")
        self.assertEqual(cycle.recorded_by_id, self.spoc_user)

    def test_nobody_else_validates(self):
        self._bring_to_validation(self.flow)
        answer = {"statement": "Yes", "evidence": "Mail"}
        colleague_of_spoc = new_test_user(
            self.env,
            "pl_other_portal",
            groups="base.group_portal",
            partner_id=self.env["res.partner"]
            .create({"name": "Luis", "parent_id": self.client.id})
            .id,
        )
        for user in (
            self.stranger_user,
            colleague_of_spoc,
            self.colleague,
            self.salesperson,
        ):
            with self.subTest(user=user.login):
                cycle = self.flow.current_cycle_id.with_user(user)
                with self.assertRaises(AccessError):
                    cycle._decide("validated", **answer)
        for user in (self.stranger_user, colleague_of_spoc):
            cycle = self.flow.current_cycle_id.with_user(user).sudo()
            with self.assertRaises(AccessError):
                cycle._decide("validated", **answer)
        self.flow.invalidate_recordset()
        self.assertEqual(self.flow.step, "validation")

    # -- training and feedback -----------------------------------------
    def test_feedback_refines_the_flow(self):
        self._finish(self.flow)
        with self.assertRefused(UserError, "what the users said"):
            self.flow._refine(" ")
        self.flow._refine("The label is too small")
        former = self.flow.cycle_ids.sorted("number")[0]
        self.assertEqual(former.result, "refined")
        self.assertEqual(former.statement, "Go ahead", "the validation stays on record")
        self.assertEqual(self.flow.step, "analysis")
        self._finish(self.flow)
        self._go_live(self.mvp)
        with self.assertRefused(UserError, "does not overturn"):
            self.flow._refine("Another colour")

    def test_reactions(self):
        training = self._train(
            self.flow,
            "spoc_training",
            partner_ids=[Command.set((self.spoc | self.consultant.partner_id).ids)],
        )
        attendee = training.attendee_ids.filtered(
            lambda attendee: attendee.partner_id == self.spoc
        ).with_user(self.consultant)
        with self.assertRefused(UserError, "did not take part"):
            attendee.write({"reaction": "confident"})
        attendee.write(
            {"attended": True, "reaction": "practice", "reaction_note": "Reports"}
        )
        with self.assertRaises(AccessError):
            attendee.with_user(self.colleague).write({"reaction": "lost"})
        with self.assertRaises(AccessError):
            attendee.with_user(self.spoc_user).read(["reaction"])

    # -- flows and phases ----------------------------------------------
    def test_flow_of_another_projects_phase(self):
        other = self._create_project(name="Other")
        foreign = self._create_phase("Foreign", project_id=other.id)
        with self.assertRefused(ValidationError, "belongs to Other"):
            self.flow.write({"phase_id": foreign.id})
        with self.assertRefused(ValidationError, "belongs to Other"):
            self._create_flow("X", phase_id=foreign.id)
        with self.assertRefused(UserError, "stays in Almazara ERP"):
            self.flow.write({"project_id": other.id})
        flow = self.env["project.flow"].create({"name": "Y", "phase_id": foreign.id})
        self.assertEqual(flow.project_id, other)
        self.assertEqual(flow.user_id, other.user_id)

    def test_live_phase_is_closed_for_flows(self):
        self._finish(self.flow)
        self._go_live(self.mvp)
        later = self._create_phase("Later")
        with self.assertRefused(UserError, "is live"):
            self._create_flow("Late")
        with self.assertRefused(UserError, "is live"):
            self.flow.write({"phase_id": later.id})

    def test_flow_without_history_can_be_deleted(self):
        cycle = self.flow.current_cycle_id
        self.flow.with_user(self.consultant).unlink()
        self.assertFalse(cycle.exists())

    def test_what_comes_next(self):
        flow = self.flow
        self.assertIn("proof of concept", flow.next_action)
        self.assertTrue(flow.is_held_up)
        self._show(flow)
        flow.invalidate_recordset()
        self.assertIn("Start the realisation", flow.next_action)
        self.assertFalse(flow.is_held_up)
        flow.step = "realisation"
        self.assertIn("Train the SPOC", flow.next_action)

    def test_time_per_cycle(self):
        cycle = self.flow.current_cycle_id
        with freeze_time(fields.Datetime.now() + timedelta(days=3, hours=1)):
            self.env.invalidate_all()
            self.assertAlmostEqual(cycle.duration, 3.04, 1)
            self.assertEqual(self.flow.days_in_step, 3)

    # -- the form ------------------------------------------------------
    @users("pl_consultant")
    def test_form(self):
        with Form(self.env["project.flow"]) as form:
            form.name = "From the need to the bill"
            form.project_id = self.project
            form.phase_id = self.mvp
            form.requirements = "<p>Two approvals</p>"
        flow = form.record
        self.assertEqual(flow.user_id, self.consultant)
        self.assertEqual(flow.step, "analysis")
