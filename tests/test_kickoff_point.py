from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .kickoff_checklist_common import ChecklistCommon


@tagged("post_install", "-at_install")
class TestSettled(ChecklistCommon):
    """Settled means talked about, in writing where that matters, by those in charge."""

    def test_questions_need_words(self):
        items = self.hand_over.item_ids
        self.assertTrue(all(items.mapped("needs_answer")))
        self.project.write({"spoc_it_affinity": "low", "spoc_communication": "Mail"})
        items.state = "agreed"
        self.assertEqual(self.hand_over.state, "in_progress")
        with self.assertRefused(UserError, "The hand-over is complete"):
            self.project.stage_id = self.stage_kickoff
        for blank in (
            "<p><br></p>",
            "<p>&nbsp;</p>",
            "<p> \u200b</p>",
            "<div>...</div>",
            "<p>-</p>",
            '<p><img src="/web/image/1-ab/whiteboard.png"></p>',
            '<p><a href="https://example.com/minutes"></a></p>',
            "",
            False,
        ):
            with self.subTest(blank):
                items.answer = blank
                self.assertEqual(self.hand_over.state, "in_progress")
                self.assertEqual(self.hand_over.progress, 0)
        items[1:].answer = "<p>So it is</p>"
        self.assertEqual(self.hand_over.state, "in_progress", "one is left")
        self.assertIn(items[0].name, self.hand_over.missing)
        items[0].answer = "<p>Sí</p>"
        self.assertEqual(self.hand_over.state, "settled")
        self.assertFalse(self.hand_over.missing)
        items[3].answer = "<p></p>"
        self.assertEqual(self.hand_over.state, "in_progress", "the answer was deleted")

    def test_profile_counts_for_the_hand_over(self):
        self._settle(self.hand_over)
        self.assertEqual(self.hand_over.state, "settled")
        for values in (
            {"spoc_communication": " \n "},
            {"spoc_communication": "\u200b..."},
            {"spoc_communication": False},
            {"spoc_communication": "By phone", "spoc_it_affinity": False},
        ):
            with self.subTest(values):
                self.project.write(values)
                self.assertEqual(self.hand_over.state, "in_progress")
                self.assertIn("profile", self.hand_over.missing)

    def test_not_applicable_says_why(self):
        kickoff = self._enter_kickoff()
        self._settle(kickoff)
        point = self._get_item("data", kickoff).with_user(self.consultant)
        point.write({"state": "not_applicable", "answer": False})
        self.assertEqual(kickoff.state, "in_progress")
        point.answer = "<p>They start with an empty database</p>"
        self.assertEqual(kickoff.state, "settled")

    def test_optional_points_alone_settle_nothing(self):
        kickoff = self._enter_kickoff()
        kickoff.with_user(self.manager).item_ids[1:].unlink()
        self.assertIn("was deleted", kickoff.message_ids[0].body)
        kickoff.item_ids.with_user(self.manager).is_mandatory = False
        self.assertEqual(kickoff.state, "in_progress", "nothing was talked about")
        kickoff.with_user(self.consultant).item_ids = [
            Command.create({"section": "6", "name": "Parking"})
        ]
        self.assertEqual(kickoff.state, "in_progress")
        kickoff.item_ids[0].state = "blocked"
        self.assertEqual(kickoff.state, "blocked")

    def test_each_settles_his_own_part(self):
        told = self._get_item("company")
        with self.assertRefused(AccessError, "settled by who is responsible"):
            told.with_user(self.consultant).write(
                {"state": "agreed", "answer": "<p>I guess</p>"}
            )
        with self.assertRefused(AccessError, "You may answer"):
            told.with_user(self.consultant).responsible = "consultant"
        told.with_user(self.consultant).state = "blocked"
        told.with_user(self.salesperson).write(
            {"state": "agreed", "answer": "<p>Family business</p>"}
        )
        self.assertFalse(told.activity_ids, "cleared up")
        self.assertTrue(told.is_settled)
        self._get_item("apps").with_user(self.manager).state = "agreed"

    def test_nobody_writes_the_answer_of_another(self):
        told = self._get_item("company")
        told.with_user(self.salesperson).state = "agreed"
        self.assertFalse(told.is_settled, "not one word yet")
        with self.assertRefused(AccessError, "settled by who is responsible"):
            told.with_user(self.consultant).answer = "<p>I guess</p>"
        told.with_user(self.salesperson).answer = "<p>Family business</p>"
        with self.assertRefused(AccessError, "settled by who is responsible"):
            told.with_user(self.consultant).answer = "<p>A group</p>"
        told.with_user(self.consultant).write(
            {"state": "to_discuss", "answer": "<p>Is it a group?</p>"}
        )
        self.assertFalse(told.is_settled, "taken up again")

    def test_without_salesperson_the_consultant_answers(self):
        self.project.salesperson_id = False
        point = self._get_item("company").with_user(self.consultant)
        point.write({"state": "agreed", "answer": "<p>Family business</p>"})
        self.assertTrue(point.is_settled)

    def test_fields_of_the_system(self):
        other = self._create_project(name="Other")
        point = self._get_item("company")
        for record, values in (
            (self.hand_over, {"state": "settled"}),
            (self.hand_over, {"progress": 100}),
            (self.hand_over, {"kind": "kickoff"}),
            (self.hand_over, {"project_id": other.id}),
            (self.hand_over, {"name": "Nothing"}),
            (self.hand_over, {"phase_id": False}),
            (self.hand_over, {"event_ids": [Command.clear()]}),
            (point, {"project_id": other.id}),
            (point, {"is_settled": True}),
            (point, {"progress": 100}),
            (point, {"acknowledged_on": "2026-01-01 10:00:00"}),
            (point, {"acknowledged_by": self.spoc.id}),
        ):
            for user in (self.consultant, self.salesperson, self.manager):
                with (
                    self.subTest(user=user.login, values=values),
                    self.assertRefused(
                        UserError, "written by the system|stays in|You may answer"
                    ),
                ):
                    record.with_user(user).write(values)
        with self.assertRefused(UserError, "stays in its checklist"):
            point.with_user(self.manager).checklist_id = other.checklist_ids
        for user in (self.consultant, self.manager):
            with self.assertRefused(AccessError, ""), mute_logger("odoo.models"):
                self.env["project.checklist"].with_user(user).create(
                    {"name": "x", "project_id": other.id, "kind": "kickoff"}
                )
        self.assertEqual(self.hand_over.state, "in_progress")

    def test_junk(self):
        point = self._get_item("company").with_user(self.salesperson)
        point.answer = "<p>a\0b</p>"
        self.assertEqual(point.answer, "<p>ab</p>")
        for vals in (
            {"sequence": "1.5"},
            {"sequence": "first"},
            {"attachment_ids": [Command.set(["a"])]},
            {"attachment_ids": [[4, "a"]]},
        ):
            with self.assertRefused(UserError, "cannot be used for"):
                point.write(vals)
        point.sequence = "15"
        for name in ("name", "section"):
            for blank in (False, "", " "):
                with self.assertRefused(ValidationError, "needs a text"):
                    self._get_item("company")[name] = blank
        self.hand_over.with_user(self.salesperson).spoc_communication = "x\0y"
        self.assertEqual(self.project.spoc_communication, "xy")

    def test_second_phase_has_a_checklist_of_its_own(self):
        kickoff = self.project.sudo()
        kickoff._override_gate(self.stage_kickoff, "Tried by a test")
        kickoff._override_gate(self.stage_go_live, "Tried by a test")
        whole = self.project.checklist_ids.filtered(lambda c: c.kind == "go_live")
        self.assertFalse(whole.phase_id)
        phase = self.env["project.phase"].create(
            {"project_id": self.project.id, "name": "MVP"}
        )
        made = self.env["project.checklist"]
        for number, project_phase in enumerate((phase, phase.copy())):
            with patch.object(
                type(self.project),
                "_get_checklist_key",
                lambda _self, _kind, p=project_phase: {"phase_id": p.id},
            ):
                made |= made.sudo()._create_for({"go_live": self.project.sudo()})
                self.assertFalse(
                    made.sudo()._create_for({"go_live": self.project.sudo()}), number
                )
        self.assertEqual(made.phase_id, self.project.phase_ids)
        self._settle(made[0])
        self.assertEqual(made.mapped("state"), ["settled", "in_progress"])


@tagged("post_install", "-at_install")
class TestPoints(ChecklistCommon):
    """Agreed, agreed with an adaptation, or blocked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kickoff = cls._enter_kickoff()
        cls.point = cls._get_item("spoc_role", cls.kickoff)

    def test_blocked_point_goes_to_the_salesperson(self):
        point = self.point.with_user(self.consultant)
        point.state = "blocked"
        point.write({"state": "blocked", "answer": "Two hours a week are too many"})
        activity = self.point.activity_ids
        self.assertEqual(activity.user_id, self.salesperson)
        self.assertIn(self.point.name, activity.summary)
        # Who clears it up reads it, and changes nothing
        sold = self.point.with_user(self.salesperson)
        self.assertIn("Two hours", sold.answer)
        with self.assertRefused(AccessError, ""):
            sold.state = "agreed"
        with self.assertRefused(UserError, "clears it up"):
            point.unlink()
        point.state = "adapted"
        self.assertFalse(self.point.activity_ids)

    def test_blocked_points_follow_the_salesperson(self):
        self.point.state = "blocked"
        self.kickoff.project_id.salesperson_id = self.manager
        self.assertEqual(self.point.activity_ids.user_id, self.manager)

    def test_what_the_project_needs_is_not_passed_over(self):
        point = self._get_item("time_deduction", self.kickoff).with_user(
            self.consultant
        )
        with self.assertRefused(AccessError, "cannot go on without"):
            point.state = "not_applicable"
        with self.assertRefused(AccessError, "You may answer"):
            point.is_client_visible = False
        point.with_user(self.manager).state = "not_applicable"

    def test_nobody_forges_an_acknowledgement(self):
        vals = {"checklist_id": self.kickoff.id, "section": "9", "name": "Parking"}
        Item = self.env["project.checklist.item"].with_user(self.consultant)
        for name, value in (
            ("acknowledged_by", self.spoc.id),
            ("code", "time_deduction"),
            ("is_mandatory", True),
        ):
            with self.subTest(name=name), self.assertRefused(AccessError, ""):
                Item.with_context(**{f"default_{name}": value}).create(vals)

    def test_meeting_planned_before_gets_its_checklist(self):
        project = self._create_project(name="Planned", spoc_id=self.spoc.id)
        meeting = self._create_meeting(project, "kickoff")
        self.assertFalse(meeting.checklist_id)
        project.sudo()._override_gate(self.stage_kickoff, "Tried by a test")
        self.assertEqual(
            meeting.checklist_id,
            project.checklist_ids.filtered(lambda c: c.kind == "kickoff"),
        )

    def test_two_persons_sharing_the_spoc_role_is_fine(self):
        self._settle(self.kickoff)
        self.point.state = "adapted"
        self.assertEqual(self.kickoff.state, "settled")

    def test_consultant_adds_points_but_keeps_the_mandatory_ones(self):
        kickoff = self.kickoff.with_user(self.consultant)
        kickoff.item_ids = [
            Command.create({"section": "6. Others", "name": "Parking", "sequence": 999})
        ]
        self.assertEqual(self.kickoff.item_ids[-1].name, "Parking")
        point = self.point.with_user(self.consultant)
        for change in (
            lambda: point.write({"is_mandatory": False}),
            lambda: point.write({"is_blocking_if_refused": False}),
            lambda: point.unlink(),
        ):
            with self.assertRefused(AccessError, "You may answer the points"):
                change()
        self.point.with_user(self.manager).is_mandatory = False
        with self.assertRefused(AccessError, "You may answer the points"):
            point.unlink()  # the project still cannot go on without it

    def test_only_the_spoc_acknowledges(self):
        self.point.state = "agreed"
        for user in (self.consultant, self.manager, self.stranger_user):
            with self.assertRefused(AccessError, "Only the SPOC"):
                self.point.with_user(user).action_acknowledge()
        with self.assertRefused(AccessError, "written by the system"):
            self.point.with_user(self.consultant).acknowledged_by = self.spoc
        undecided = self._get_item("mvp", self.kickoff)
        with self.assertRefused(UserError, "not agreed yet"):
            undecided.with_user(self.spoc_user).action_acknowledge()
        self.point.with_user(self.spoc_user).action_acknowledge()
        self.assertEqual(self.point.acknowledged_by, self.spoc)
        self.assertTrue(self.point.acknowledged_on)

    def test_acknowledged_points_do_not_change_silently(self):
        self.point.state = "agreed"
        self.point.with_user(self.spoc_user).action_acknowledge()
        point = self.point.with_user(self.consultant)
        for change in (
            lambda: point.write({"state": "adapted"}),
            lambda: point.write({"answer": "<p>Other</p>"}),
            lambda: point.write({"name": "Other"}),
            lambda: self.point.with_user(self.manager).unlink(),
        ):
            with self.assertRefused(UserError, "Reopen the point"):
                change()
        point.write({"state": "agreed", "internal_note": "Fine"})
        point.action_reopen()
        self.assertFalse(self.point.acknowledged_on)
        self.assertIn("Reopened", self.point.message_ids[0].body)
        point.state = "adapted"

    def test_agenda_in_the_language_of_the_client(self):
        meeting = self._create_meeting(self.project, "kickoff", held=False)
        sections = dict(meeting._get_agenda())
        self.assertIn("1. Methodology", sections)
        self.assertIn(self.point.name, sections["1. Methodology"])
        action = meeting.with_user(self.consultant).action_send_agenda()
        composer = (
            self.env["mail.compose.message"]
            .with_user(self.consultant)
            .with_context(**action["context"])
            .create({})
        )
        composer._action_send_mail()
        message = meeting.message_ids[0]
        self.assertEqual(message.partner_ids, self.spoc)
        self.assertIn(self.point.name, message.body)
        self.assertIn("Why does it matter?", message.body)
        self.assertTrue(meeting.agenda_sent_on)

    def test_agenda_needs_a_reader(self):
        meeting = self._create_meeting(self.project, "kickoff")
        self.spoc.email = False
        with self.assertRefused(UserError, "Choose the SPOC"):
            meeting.action_send_agenda()

    def test_kickoff_time_is_shown(self):
        self._create_pack(self.project, 40)
        self.env["hr.employee"].create(
            {"name": "Consultant", "user_id": self.consultant.id}
        )
        self.env["account.analytic.line"].with_user(self.consultant).create(
            {"project_id": self.project.id, "unit_amount": 8, "name": "Kick-off"}
        )
        self.kickoff.invalidate_recordset()
        self.assertEqual(self.kickoff.kickoff_hours, 8)
        self.assertTrue(self.kickoff.is_kickoff_share_off)

    def test_chatter_stays_in_the_house(self):
        risk = self.env["project.risk"].create(
            {"name": "Hours are short", "project_id": self.kickoff.project_id.id}
        )
        spoc = self.kickoff.project_id.spoc_id
        subtypes = self.env["mail.message.subtype"].search([])
        for record in (risk, self.kickoff, self.point):
            with self.subTest(record._name):
                record.with_user(self.consultant).message_subscribe(spoc.ids)
                self.assertNotIn(spoc, record.message_partner_ids)
                # Whoever gets in by the database gets nothing
                self.env["mail.followers"].create(
                    {
                        "res_model": record._name,
                        "res_id": record.id,
                        "partner_id": spoc.id,
                        "subtype_ids": [Command.set(subtypes.ids)],
                    }
                )
                message = record.with_user(self.consultant).message_post(
                    body="They will not pay",
                    message_type="comment",
                    partner_ids=(spoc | self.manager.partner_id).ids,
                    subtype_xmlid="mail.mt_comment",
                )
                self.assertEqual(message.partner_ids, self.manager.partner_id)
                self.assertNotIn(spoc, message.notified_partner_ids)
                self.assertNotIn(
                    record.project_id.partner_id.id,
                    [
                        recipient["partner_id"]
                        for recipient in record._message_get_suggested_recipients()
                    ],
                )
