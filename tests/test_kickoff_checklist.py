from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, HttpCase, new_test_user, tagged, users
from odoo.tools import mute_logger

from ..models.lifecycle.project_lock import unlocked
from .common import LifecycleCommon


class ChecklistCommon(LifecycleCommon):
    """A client project in the internal kick-off, and one in the kick-off."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._keep_criteria("kickoff_hand_over", "implementation_checklist")
        cls.project = cls._create_project(spoc_id=cls.spoc.id)
        cls.hand_over = cls.project.checklist_ids

    @classmethod
    def _get_item(cls, code, checklist=None):
        checklist = checklist or cls.hand_over
        return checklist.item_ids.filtered(lambda item: item.code == code)

    @classmethod
    def _enter_kickoff(cls):
        cls._settle(cls.hand_over)
        cls.project.stage_id = cls.stage_kickoff
        return cls.project.checklist_ids - cls.hand_over


@tagged("post_install", "-at_install")
class TestChecklist(ChecklistCommon):
    """A checklist is made when a project enters the stage."""

    def test_made_with_the_points_of_its_template(self):
        template = self.env.ref("project_lifecycle.checklist_template_internal_kickoff")
        self.assertEqual(self.hand_over.kind, "internal_kickoff")
        self.assertEqual(
            self.hand_over.item_ids.mapped("name"), template.item_ids.mapped("name")
        )
        self.assertTrue(all(self.hand_over.item_ids.mapped("explanation")))
        self.assertEqual(set(self.hand_over.item_ids.mapped("state")), {"to_discuss"})

    def test_every_way_of_entering_the_stage(self):
        kickoff = self._enter_kickoff()
        self.assertEqual(kickoff.kind, "kickoff")
        created = self.env["project.project"].create(
            [
                {"name": f"Project {n}", "is_lifecycle": True, "partner_id": client.id}
                for n, client in enumerate(self.client | self.other_client)
            ]
        )
        self.assertEqual(len(created.checklist_ids), 2)
        created[0].with_user(self.manager)._override_gate(self.stage_support, "Rare")
        self.assertEqual(
            created[0].checklist_ids.mapped("kind"), ["internal_kickoff", "support"]
        )
        self.project.with_user(self.manager)._override_gate(
            self.stage_internal_kickoff, "Back"
        )
        self.project.stage_id = self.stage_kickoff
        self.assertEqual(len(self.project.checklist_ids), 2, "one of each kind")

    def test_template_changes_do_not_touch_running_ones(self):
        template = self.env.ref("project_lifecycle.checklist_template_internal_kickoff")
        names = self.hand_over.item_ids.mapped("name")
        template.with_user(self.manager).item_ids[0].write({"name": "Changed"})
        template.with_user(self.manager).item_ids[1].unlink()
        self.assertEqual(self.hand_over.item_ids.mapped("name"), names)
        project = self._create_project()
        self.assertEqual(len(project.checklist_ids.item_ids), len(names) - 1)
        self.assertEqual(project.checklist_ids.item_ids[0].name, "Changed")

    def test_template_of_the_company_comes_first(self):
        company = self.env["res.company"].create({"name": "Filial"})
        template = self.env.ref(
            "project_lifecycle.checklist_template_internal_kickoff"
        ).copy({"company_id": company.id, "name": "Ours"})
        self.assertTrue(template.item_ids)
        self.assertEqual(
            self._create_project(company_id=company.id).checklist_ids.name, "Ours"
        )
        self.assertNotEqual(self._create_project().checklist_ids.name, "Ours")

    def test_language_of_the_client(self):
        self.env["res.lang"]._activate_lang("es_ES")
        item = self.env.ref(
            "project_lifecycle.checklist_template_item_kickoff_standard_first"
        )
        item.with_context(lang="es_ES").name = "Primero el estándar"
        self.spoc.lang = "es_ES"
        kickoff = self._enter_kickoff()
        self.assertEqual(
            self._get_item("standard_first", kickoff).name, "Primero el estándar"
        )

    def test_methodology_is_covered(self):
        codes = set(
            self.env["project.checklist.template.item"]
            .search([("id", "!=", 0)])
            .mapped("code")
        )
        self.assertLessEqual(
            {
                # internal kick-off
                *("company", "apps", "expectations", "sales_cycle", "spoc"),
                *("scope_hours", "customisations", "deadline", "missing_app"),
                # kick-off
                *("standard_first", "mvp", "cycle", "spoc_role", "spoc_trains"),
                *("data", "developments", "time_deduction", "meetings", "channels"),
                *("planning", "documents", "why_odoo", "bought", "priorities"),
                *("as_is", "to_be", "apps_reason", "not_standard", "feasible"),
                *("action_plan", "phases_dates"),
                # go-live and support
                *("training_done", "tried", "consultant_free", "weekday", "follow_up"),
                *("developer", "first_day", "rehearsal", "scenarios", "voices"),
                *("support_reason", "autonomous", "hours_left", "mail", "consent"),
            },
            codes,
        )

    def test_template_without_points(self):
        template = self.env.ref("project_lifecycle.checklist_template_internal_kickoff")
        template.item_ids.unlink()
        project = self._create_project()
        self.assertFalse(project.checklist_ids, "an empty one would open the gate")
        with self.assertRefused(UserError, "no checklist template with points"):
            project.with_user(self.consultant).action_view_checklists()
        empty = unlocked(self.env["project.checklist"]).create(
            {"name": "Empty", "project_id": project.id, "kind": "internal_kickoff"}
        )
        self._settle(empty)
        self.assertEqual(empty.state, "in_progress", "an empty one is not settled")

    def test_checklist_is_made_when_it_is_missing(self):
        self.hand_over.item_ids.sudo().state = "to_discuss"
        self.hand_over.unlink()
        action = self.project.with_user(self.consultant).action_view_checklists()
        self.assertEqual(action["res_id"], self.project.checklist_ids.id)

    def test_state_and_progress(self):
        items = self.hand_over.item_ids
        self.assertEqual(self.hand_over.state, "in_progress")
        self.assertEqual(self.hand_over.progress, 0)
        items[0].state = "blocked"
        self.assertEqual(self.hand_over.state, "blocked")
        self._settle(self.hand_over)
        self.assertEqual(self.hand_over.state, "settled")
        self.assertEqual(self.hand_over.progress, 100)
        items[0].is_mandatory = False
        items[0].state = "to_discuss"
        self.assertEqual(self.hand_over.state, "settled", "it is not mandatory")

    def test_html_is_cleaned(self):
        item = self.hand_over.item_ids[0]
        item.with_user(self.consultant).write(
            {
                "answer": "<p onclick='x()'>Yes<script>alert(1)</script></p>",
                "internal_note": "<img src=x onerror=alert(1)>",
            }
        )
        self.assertNotIn("script", item.answer)
        self.assertNotIn("onclick", item.answer)
        self.assertNotIn("onerror", item.internal_note)
        with self.assertRefused(ValidationError, "needs a text"):
            item.name = "  "

    def test_several_meetings_share_one_checklist(self):
        kickoff = self._enter_kickoff()
        meetings = self._create_meeting(self.project, "kickoff")
        meetings |= self._create_meeting(self.project, "kickoff")
        self.assertEqual(meetings.checklist_id, kickoff)
        self.assertEqual(kickoff.event_ids, meetings)

    def test_worked_on_checklists_stay(self):
        self.hand_over.item_ids[0].state = "agreed"
        with self.assertRefused(UserError, "stays with its project"):
            self.hand_over.with_user(self.manager).unlink()

    def test_queries_of_entering_a_stage(self):
        def count(number):
            vals_list = [
                {"name": f"P{n}", "is_lifecycle": True, "partner_id": self.client.id}
                for n in range(number)
            ]
            projects = self.env["project.project"].create(vals_list)
            projects.checklist_ids.unlink()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["project.checklist"]._create_for({"kickoff": projects})
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(1)
        few = count(3)
        many = count(30)
        self.assertLessEqual(many, few)


@tagged("post_install", "-at_install")
class TestHandOver(ChecklistCommon):
    """The salesperson hands the project over to the consultant."""

    @users("pl_salesperson")
    def test_salesperson_answers_on_one_screen(self):
        self.assertFalse(self.env.user.has_group("project.group_project_user"))
        checklist = self.env["project.checklist"].search([])
        self.assertEqual(checklist, self.hand_over)
        with Form(checklist) as form:
            form.spoc_it_affinity = "low"
            form.spoc_communication = "Calls, never mails"
            for index, point in enumerate(checklist.item_ids):
                with form.item_ids.edit(index) as item:
                    if point.responsible == "salesperson":
                        item.state = "agreed"
                    item.answer = "<p>Told</p>"
        self.assertEqual(
            set(
                self.hand_over.item_ids.filtered(
                    lambda item: item.responsible == "salesperson"
                ).mapped("is_settled")
            ),
            {True},
        )
        self.assertEqual(self.hand_over.state, "in_progress", "the consultant's part")
        self.hand_over.with_user(self.consultant).item_ids.filtered(
            lambda item: item.responsible == "consultant"
        ).state = "agreed"
        self.assertEqual(self.hand_over.state, "settled")
        self.assertEqual(self.project.spoc_it_affinity, "low")
        self.assertEqual(self.project.spoc_communication, "Calls, never mails")

    @users("pl_salesperson")
    def test_salesperson_decides_nothing_else(self):
        item = self.hand_over.item_ids[0].with_env(self.env)
        for values in (
            {"is_mandatory": False},
            {"name": "Nothing"},
            {"is_client_visible": True},
        ):
            with self.assertRefused(AccessError, "You may answer the points"):
                item.write(values)
        with self.assertRaises(AccessError), mute_logger("odoo.models"):
            item.unlink()
        with self.assertRaises(AccessError), mute_logger("odoo.models"):
            self.project.with_env(self.env).write({"spoc_it_affinity": "high"})
        challenge = self._get_item("scope_hours").with_env(self.env)
        with self.assertRefused(AccessError, "settled by who is responsible"):
            challenge.write({"state": "agreed", "answer": "<p>They fit</p>"})
        challenge.answer = "<p>The client wanted no more</p>"

    def test_profile_after_the_hand_over(self):
        self._enter_kickoff()
        with self.assertRefused(AccessError, "hand-over of .* is over"):
            self.hand_over.with_user(self.salesperson).spoc_it_affinity = "high"
        self.hand_over.with_user(self.consultant).spoc_it_affinity = "high"
        self.assertEqual(self.project.spoc_it_affinity, "high")

    def test_who_reaches_what(self):
        kickoff = self._enter_kickoff()
        other_sales = new_test_user(
            self.env, "pl_other_sales", groups="sales_team.group_sale_salesman"
        )
        user = new_test_user(self.env, "pl_user", groups="project.group_project_user")
        for login, person, read, write in (
            ("consultant", self.consultant, True, True),
            ("manager", self.manager, True, True),
            ("colleague", self.colleague, True, False),
            ("project user", user, True, False),
            ("salesperson", self.salesperson, True, False),
            ("other salesperson", other_sales, False, False),
            ("SPOC", self.spoc_user, False, False),
            ("stranger", self.stranger_user, False, False),
        ):
            with self.subTest(person=login):
                items = kickoff.item_ids.with_user(person)
                self.assertEqual(items[0].has_access("read"), read)
                self.assertEqual(items[0].has_access("write"), write)
                self.assertEqual(kickoff.with_user(person).has_access("write"), write)
        own = self.hand_over.with_user(self.salesperson)
        self.assertTrue(own.has_access("write"))
        self.assertFalse(self.hand_over.with_user(other_sales).has_access("read"))

    def test_profile_never_leaves_the_house(self):
        self.project.message_subscribe(self.spoc.ids)
        for field in ("spoc_it_affinity", "spoc_communication"):
            with self.assertRaises(AccessError), mute_logger("odoo.models"):
                self.project.with_user(self.spoc_user).read([field])

    def test_gate(self):
        with self.assertRefused(UserError, "The hand-over is complete"):
            self.project.stage_id = self.stage_kickoff
        kickoff = self._enter_kickoff()
        with self.assertRefused(UserError, "points of the kick-off are settled"):
            self.project.stage_id = self.stage_implementation
        self._settle(kickoff)
        self._get_item("standard_first", kickoff).state = "blocked"
        with self.assertRefused(UserError, "points of the kick-off are settled"):
            self.project.stage_id = self.stage_implementation
        self._get_item("standard_first", kickoff).state = "adapted"
        self.project.stage_id = self.stage_implementation


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


@tagged("post_install", "-at_install")
class TestHandOverTour(ChecklistCommon, HttpCase):
    def test_salesperson_hands_over(self):
        self.start_tour(
            "/odoo/hand-overs",
            "project_lifecycle_hand_over",
            login="pl_salesperson",
            timeout=120,
        )
        item = self._get_item("company")
        self.assertEqual(item.state, "agreed")
        self.assertEqual(self.project.spoc_communication, "Calls before noon")
