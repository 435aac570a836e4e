from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, HttpCase, new_test_user, tagged, users
from odoo.tools import mute_logger

from ..models.lifecycle.project_lock import unlocked
from .kickoff_checklist_common import ChecklistCommon


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
