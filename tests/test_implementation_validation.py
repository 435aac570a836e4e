from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from .common.implementation import ImplementationCommon


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
        with self.assertRefused(UserError, "Changed since the SPOC"):
            self.mvp.action_set_ready()
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
            with self.assertRefused(UserError, "Kept for Later"):
                flow.write({name: "<p>Other</p>"})
        flow.improvement_notes = "<p>A new printer</p>"
        flow.as_is = "<p>As it was</p>"

    def test_changed_flow_does_not_reach_the_users(self):
        self._bring_to_validation(self.flow)
        self._validate(self.flow)
        self._train(self.flow, "user_training")
        self.flow.to_be = "<p>Something else</p>"
        with self.assertRefused(UserError, "changed since"):
            self.flow.action_next_step()

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
                    with self.assertRefused(UserError, "Write|Say"):
                        flow._decide(**answer)
        flow._decide("rejected", feedback="No\0 way", evidence="Mail")
        self.assertEqual(flow.cycle_ids.sorted("number")[0].feedback, "No way")

    def test_spoc_who_left(self):
        self._bring_to_validation(self.flow)
        self.spoc_user.active = False
        self.spoc.active = False
        with self.assertRefused(UserError, "has no SPOC"):
            self._validate(self.flow)
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
        with self.assertRefused(UserError, "requests to decide"):
            self._validate(self.flow)
        request.action_reject()
        self._validate(self.flow)
        request.action_reopen()
        self._train(self.flow, "user_training")
        with self.assertRefused(UserError, "Decide on its"):
            self.flow.action_next_step()
        request.action_reject()
        self.flow.action_next_step()
        request.action_reopen()
        with self.assertRefused(UserError, "requests to decide: From"):
            self.mvp.action_set_ready()

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
            with self.assertRefused(UserError, "Set the Flow Aside"):
                way()
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
            with self.assertRefused(UserError, "set aside|is closed"):
                way()
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
        with self.assertRefused(UserError, "Start its phase"):
            self.flow.action_next_step()

    def test_taken_up_after_the_go_live(self):
        other = self._create_flow("Other")
        self.flow._set_aside("Nobody does it")
        self._finish(other)
        self.mvp.action_set_ready()
        self.mvp.action_go_live()
        with self.assertRefused(UserError, "is live"):
            other._set_aside("No")
        self.flow.action_take_up()
        self.assertFalse(self.flow.phase_id)
        self.flow.phase_id = self.later

    def test_reason_and_rights(self):
        for reason in (False, " ", "<p><br></p>"):
            with self.assertRefused(UserError, "Write down why"):
                self.flow._set_aside(reason)
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
