from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestWaysRound(LifecycleCommon):
    """There is no way into a stage but through its gate."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls._create_project()

    def assertStays(self, stage, message="cannot|starts in"):
        with self.assertRefused(UserError, message):
            self.project.with_user(self.manager).stage_id = stage
        self.assertEqual(self.project.stage_id, self.stage_internal_kickoff)

    def test_archived_next_stage_is_shut(self):
        self.stage_kickoff.active = False
        for stage in (self.stage_implementation, self.stage_support, self.stage_done):
            self.assertStays(stage, "next stages are archived")
        self.assertFalse(self.project.next_stage_ids)
        project = self.project.with_user(self.manager)
        project._override_gate(self.stage_implementation, "Kick-off was elsewhere")
        self.assertEqual(project.stage_id, self.stage_implementation)

    def test_only_next_stage_cannot_be_deleted(self):
        only = self.stage_done.copy({"name": "Only"})
        self.stage_internal_kickoff.next_stage_ids = only
        with self.assertRefused(UserError, "leads to .* only"):
            only.unlink()

    def test_second_stage_of_a_kind_is_no_short_cut(self):
        second = self.stage_internal_kickoff.copy({"name": "Second"})
        second.next_stage_ids = False
        self.project.stage_id = second
        for stage in (self.stage_implementation, self.stage_done):
            with self.assertRefused(UserError, "internal kick-off was held"):
                self.project.stage_id = stage

    def test_order_of_columns_is_no_short_cut(self):
        self.stage_done.sequence = 1
        self.stage_internal_kickoff.next_stage_ids = False
        new = self._create_project(name="New")
        self.assertEqual(new.stage_id, self.stage_internal_kickoff)
        self.assertEqual(new.next_stage_ids, self.stage_kickoff)
        self.assertStays(self.stage_done)

    def test_no_beginning_no_project(self):
        stages = self.env["project.project.stage"].search(
            [("lifecycle_stage", "not in", (False, "done"))]
        )
        stages.active = False
        with self.assertRefused(UserError, "no stage for"):
            self._create_project(name="New")

    def test_new_projects_start_at_the_beginning(self):
        Project = self.env["project.project"].with_user(self.manager)
        values = {"name": "New", "is_lifecycle": True, "partner_id": self.client.id}
        self.stage_done.criterion_ids.active = False
        for stage in (self.stage_support, self.stage_done):
            with self.assertRefused(UserError, "starts in Internal kick-off"):
                Project.create(values | {"stage_id": stage.id})
            quick = Project.with_context(
                default_stage_id=stage.id, default_is_lifecycle=True
            )
            with self.assertRefused(UserError, "starts in Internal kick-off"):
                quick.name_create("New")

    def test_toggles_start_anew(self):
        project = self.project.with_user(self.manager)
        project._override_gate(self.stage_implementation, "Taken over")
        project.is_lifecycle = False
        with self.assertRefused(UserError, "starts in Internal kick-off"):
            project.write(
                {"is_lifecycle": True, "stage_id": self.stage_implementation.id}
            )
        project.is_lifecycle = True
        self.assertEqual(project.stage_id, self.stage_internal_kickoff)
        self.assertEqual(len(project.transition_ids), 3)

    def test_templates_are_the_managers(self):
        project = self.project.with_user(self.consultant)
        for way in (
            lambda: project.write({"is_template": True}),
            lambda: project._toggle_template_mode(True),
            project.action_create_template_from_project,
        ):
            with self.assertRefused(AccessError, ""):
                way()
        self.assertFalse(self.project.is_template)

    def test_who_can_run_it(self):
        plain = new_test_user(self.env, "plain", groups="project.group_project_user")
        project = self.project.with_user(self.manager)
        with self.assertRefused(ValidationError, "without the role of a consultant"):
            project.user_id = plain
        self.env.cr.execute(
            "UPDATE project_project SET user_id = %s WHERE id = %s",
            [plain.id, project.id],
        )
        self.env.invalidate_all()
        self.assertFalse(project.has_consultant)
        self.assertIn("consultant is set", project.unmet_criterion_ids[0].name)
        Project = self.env["project.project"]
        self.assertNotIn(project, Project.search([("has_consultant", "=", True)]))
        self.assertIn(project, Project.search([("has_consultant", "!=", True)]))
        self.assertFalse(project.sudo().copy().user_id)
        project.user_id = self.manager
        self.assertTrue(project.has_consultant)

    def test_former_consultant_no_longer_changes_it(self):
        self.project.message_subscribe(self.consultant.partner_id.ids)
        self.project.with_user(self.manager).user_id = self.colleague
        self.assertFalse(self.project.with_user(self.consultant).has_access("write"))

    def test_junk(self):
        project = self.project.with_user(self.consultant)
        for value in ("x", "1", 1.5, [1], {"a": 1}, True, -1, 10**30, float("nan")):
            with self.subTest(value=value), self.assertRefused(UserError, "stage"):
                project.action_move_to_stage(value)
        stage = self.stage_kickoff.with_user(self.manager)
        for value in ("x", 1e308, float("nan"), float("inf"), [1]):
            with (
                self.subTest(value=value),
                self.assertRefused(UserError, "cannot be used"),
            ):
                stage.write({"target_days": value})

    def test_filters_say_what_is_computed(self):
        others = self.env["project.project"].create({"name": "Office"})
        projects = self.project | others
        Project = self.env["project.project"].with_context(active_test=False)
        for name, values in (
            ("gate_progress", (0, 33, 100, False)),
            ("days_in_stage", (0, 1, False)),
            ("is_late_in_stage", (True, False)),
            ("has_client_spoc", (True, False)),
            ("has_consultant", (True, False)),
        ):
            operators = ["=", "!=", "in", "not in"]
            if name in ("gate_progress", "days_in_stage"):
                operators += ["<", "<=", ">", ">="]
            for operator in operators:
                for value in values:
                    if operator in ("in", "not in"):
                        value = [value]
                    domain = [(name, operator, value)]
                    with self.subTest(domain=domain):
                        self.assertEqual(
                            Project.search(domain) & projects,
                            projects.filtered_domain(domain),
                        )
        for name in ("gate_progress", "days_in_stage"):
            for value in ("x", float("nan"), [[1]], {}):
                with self.subTest(name=name, value=value):
                    with self.assertRefused(UserError, "number"):
                        Project.search([(name, ">", value)])
            self.assertFalse(Project.search([(name, ">", 1e308)]))


@tagged("post_install", "-at_install")
class TestHeld(LifecycleCommon):
    """Meetings are held once they have begun, and those with the client with it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls._create_project(spoc_id=cls.spoc.id)
        cls.stand_in = cls.env["res.partner"].create(
            {"name": "Second", "parent_id": cls.client.id}
        )

    def test_not_before_it_begins(self):
        start = fields.Datetime.now() + timedelta(days=1)
        times = {"start": start, "stop": start + timedelta(hours=1)}
        with self.assertRefused(UserError, "has not begun"):
            self._create_meeting(self.project, "internal_kickoff", **times)
        meeting = self._create_meeting(self.project, "internal_kickoff")
        with self.assertRefused(UserError, "has not begun"):
            meeting.write(times)
        for values in ({"lifecycle_meeting": "kickoff"}, {"project_id": False}):
            with self.assertRefused(UserError, "stays in its project"):
                meeting.write(values)

    def test_only_with_the_spoc_or_the_stand_in(self):
        people = {"partner_ids": [Command.set(self.consultant.partner_id.ids)]}
        with self.assertRefused(UserError, "did not take part"):
            self._create_meeting(self.project, "kickoff", **people)
        meeting = self._create_meeting(self.project, "kickoff", held=False)
        meeting.attendee_ids.filtered(
            lambda attendee: attendee.partner_id == self.spoc
        ).state = "declined"
        with self.assertRefused(UserError, "did not take part"):
            meeting.held = True
        self.project.spoc_stand_in_id = self.stand_in
        meeting.partner_ids |= self.stand_in
        meeting.held = True
        with self.assertRefused(ValidationError, "cannot stand in"):
            self.project.spoc_stand_in_id = self.stranger

    def test_whole_days_begin_where_the_user_is(self):
        self.consultant.tz = "Pacific/Auckland"
        Event = self.env["calendar.event"].with_user(self.consultant)
        Event = Event.with_context(tz="Pacific/Auckland", no_mail_to_attendees=True)
        values = {
            "name": "Day",
            "project_id": self.project.id,
            "lifecycle_meeting": "internal_kickoff",
            "allday": True,
            "start_date": "2028-02-29",
            "stop_date": "2028-02-29",
            "held": True,
        }
        with freeze_time("2028-02-28 10:30:00"):  # the 28th in Auckland, too
            with self.assertRefused(UserError, "has not begun"):
                Event.create(values)
        with freeze_time("2028-02-28 20:00:00"):  # the 29th, nine o'clock there
            self.assertTrue(Event.create(values).held)

    def test_notes_after_the_spoc_changed(self):
        meeting = self._create_meeting(self.project, "kickoff")
        self.project.spoc_id = self.stand_in
        event = meeting.with_user(self.consultant)
        event.write({"minutes": "<p>Agreed</p>", "name": "Kick-off, first part"})
        event.partner_ids |= self.stand_in
        self.assertFalse(event.copy().minutes)
        with self.assertRefused(UserError, "did not take part"):
            event.partner_ids -= self.stand_in | self.spoc
        self.assertTrue(meeting.held)

    def test_held_meetings_are_the_peoples_of_the_project(self):
        meeting = self._create_meeting(self.project, "internal_kickoff")
        for way in (
            lambda event: event.write({"active": False}),
            lambda event: event.write({"start": "2020-01-01 09:00:00"}),
            lambda event: event.unlink(),
        ):
            with self.assertRefused(AccessError, "Only the people"):
                way(meeting.with_user(self.colleague))
