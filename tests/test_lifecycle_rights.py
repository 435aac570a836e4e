from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged, users

from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestRoles(LifecycleCommon):
    """Who may do what with a client project."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls._create_project()
        cls.foreign = cls._create_project(name="Foreign", user_id=cls.colleague.id)
        cls.stock = cls.env["project.project"].create(
            {"name": "Office party", "user_id": cls.consultant.id}
        )

    @users("pl_consultant")
    def test_consultant_runs_own_project(self):
        project = self.project.with_env(self.env)
        project.write({"name": "Almazara ERP 2", "spoc_id": self.spoc.id})
        meeting = self.env["calendar.event"].create(
            {
                "name": "Call",
                "project_id": project.id,
                "lifecycle_meeting": "internal_kickoff",
                "start": "2026-01-05 09:00:00",
                "stop": "2026-01-05 10:00:00",
            }
        )
        meeting.held = True
        project.stage_id = self.stage_kickoff
        self.assertEqual(project.lifecycle_stage, "kickoff")
        self.assertEqual(project.transition_ids[0].user_id, self.env.user)

    @users("pl_consultant")
    def test_consultant_leaves_other_projects_alone(self):
        for project in (self.foreign, self.stock):
            project = project.with_env(self.env)
            self.assertTrue(project.name)
            for values in (
                {"name": "Mine"},
                {"stage_id": self.stage_kickoff.id},
                {"user_id": self.env.uid},
                {"is_lifecycle": True},
            ):
                with self.subTest(project=project.name, values=values):
                    with self.assertRaises(AccessError):
                        project.write(values)
                    project.invalidate_recordset()

    def test_moving_without_rights_says_who_may(self):
        for user in (self.colleague, self.salesperson, self.spoc_user):
            self.project.message_subscribe(partner_ids=self.spoc.ids)
            with self.subTest(user=user.login):
                with self.assertRaisesRegex(AccessError, "only its consultant"):
                    self.project.with_user(user).stage_id = self.stage_kickoff
        with self.assertRaises(AccessError) as caught:
            self.project.with_user(self.stranger_user).write(
                {"stage_id": self.stage_kickoff.id}
            )
        self.assertNotIn(self.project.name, str(caught.exception))

    @users("pl_salesperson")
    def test_salesperson_opens_the_project_of_an_activity(self):
        project = self.project.with_env(self.env)
        view = self.env.ref("project.edit_project")
        fields_shown = project.get_view(view.id, "form")["models"]["project.project"]
        self.assertTrue(
            project.web_read(
                {name: {} for name in fields_shown if name in project._fields}
            )
        )
        self.assertFalse(project.collaborator_ids)  # the chatter reads them

    @users("pl_consultant")
    def test_consultant_neither_creates_nor_deletes(self):
        with self.assertRaises(AccessError):
            self.env["project.project"].create({"name": "x", "is_lifecycle": True})
        with self.assertRaises(AccessError):
            self.project.with_env(self.env).unlink()

    def test_invited_consultant_helps(self):
        foreign = self.foreign.with_user(self.consultant)
        self.foreign.with_user(self.colleague).message_subscribe(
            partner_ids=self.consultant.partner_id.ids
        )
        foreign.name = "Helped"
        self.assertEqual(self.foreign.name, "Helped")

    def test_nobody_invites_himself(self):
        with self.assertRaisesRegex(AccessError, "Ask its consultant"):
            self.foreign.with_user(self.consultant).message_subscribe(
                partner_ids=self.consultant.partner_id.ids
            )
        self.assertFalse(self.foreign.with_user(self.consultant).has_access("write"))
        # Whoever may change a project may follow it; others stay as in stock Odoo.
        self.project.with_user(self.consultant).message_subscribe(
            partner_ids=self.consultant.partner_id.ids
        )
        self.stock.with_user(self.consultant).message_subscribe(
            partner_ids=self.consultant.partner_id.ids
        )
        self.assertIn(self.consultant.partner_id, self.stock.message_partner_ids)
        self.assertFalse(self.stock.with_user(self.consultant).has_access("write"))

    def test_answering_a_mail_is_no_invitation(self):
        self.consultant.partner_id.email = "consultant@firm.example.com"
        message = self.foreign.message_post(
            body="News", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        self.env["mail.thread"].message_process(
            None,
            "From: consultant@firm.example.com\n"
            "To: catchall@firm.example.com\n"
            "Subject: Re: News\n"
            "Message-Id: <answer@firm.example.com>\n"
            f"In-Reply-To: {message.message_id}\n"
            "Content-Type: text/plain\n\n"
            "I am in\n",
        )
        self.assertIn("I am in", self.foreign.message_ids[0].body)
        self.assertNotIn(self.consultant.partner_id, self.foreign.message_partner_ids)
        self.assertFalse(self.foreign.with_user(self.consultant).has_access("write"))

    def test_salesperson_is_somebody_of_the_firm(self):
        with self.assertRefused(ValidationError, "cannot be the salesperson"):
            self.project.salesperson_id = self.spoc_user

    def test_consultant_does_not_open_foreign_gates_by_meetings(self):
        values = {
            "name": "Call",
            "project_id": self.foreign.id,
            "lifecycle_meeting": "internal_kickoff",
            "held": True,
            "start": "2026-01-05 09:00:00",
            "stop": "2026-01-05 10:00:00",
        }
        Event = self.env["calendar.event"].with_user(self.consultant)
        with self.assertRaisesRegex(AccessError, "Only the people of Foreign"):
            Event.create(values)
        meeting = self._create_meeting(self.foreign, "internal_kickoff", held=False)
        with self.assertRaises(AccessError):
            meeting.with_user(self.consultant).held = True
        own = Event.create(values | {"project_id": self.project.id, "held": False})
        with self.assertRaises(AccessError):
            own.project_id = self.foreign
        meeting.with_user(self.consultant).name = "Renamed, which opens nothing"

    @users("pl_salesperson")
    def test_salesperson_takes_part_in_the_internal_kickoff(self):
        meeting = self.env["calendar.event"].create(
            {
                "name": "Call",
                "project_id": self.project.id,
                "lifecycle_meeting": "internal_kickoff",
                "start": "2026-01-05 09:00:00",
                "stop": "2026-01-05 10:00:00",
            }
        )
        meeting.held = True
        with self.assertRaises(AccessError):
            self.project.with_env(self.env).stage_id = self.stage_kickoff
        self.project.sudo().spoc_id = self.spoc
        with self.assertRefused(AccessError, "Only the people of"):
            meeting.copy({"lifecycle_meeting": "kickoff", "held": True})
        other = self._create_meeting(self.project.sudo(), "kickoff", held=False)
        with self.assertRefused(AccessError, "Only the people of"):
            other.with_env(self.env).held = True

    def test_criteria_are_the_managers(self):
        criterion = self.stage_kickoff.criterion_ids[0]
        for user in (self.consultant, self.salesperson):
            with self.subTest(user=user.login):
                self.assertTrue(criterion.with_user(user).name)
                with self.assertRaises(AccessError):
                    criterion.with_user(user).severity = "warning"
                with self.assertRaises(AccessError):
                    self.stage_kickoff.with_user(user).target_days = 99
        criterion.with_user(self.manager).hint = "Changed"

    def test_portal_reads_nothing_of_it(self):
        self.project.message_subscribe(partner_ids=self.spoc.ids)
        project = self.project.with_user(self.spoc_user)
        self.assertEqual(project.name, "Almazara ERP")
        for field in (
            "gate_ids",
            "gate_progress",
            "gate_summary",
            "days_in_stage",
            "transition_ids",
            "salesperson_id",
            "meeting_ids",
        ):
            with self.subTest(field=field), self.assertRaises(AccessError):
                project.read([field])
        for model in ("project.stage.criterion", "project.stage.transition"):
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(self.spoc_user).search([])
        with self.assertRaises(AccessError):
            self.project.with_user(self.stranger_user).read(["name"])
        with self.assertRaises(AccessError):
            project.write({"stage_id": self.stage_kickoff.id})
        with self.assertRaises(AccessError):
            project.action_move_to_stage(self.stage_kickoff.id)

    def test_minutes_stay_inside(self):
        self.project.spoc_id = self.spoc
        meeting = self._create_meeting(
            self.project,
            "kickoff",
            minutes="<p>A difficult person</p>",
            recording_url="https://meet.example.com/1",
            partner_ids=[Command.set((self.spoc | self.consultant.partner_id).ids)],
        )
        event = meeting.with_user(self.spoc_user)
        self.assertEqual(event.name, "kickoff")
        for field in ("minutes", "recording_url"):
            with self.assertRaises(AccessError):
                event.read([field])

    def test_notes_of_private_meetings_are_not_found(self):
        notes = {"minutes": "<p>Difficult</p>", "recording_url": "https://a.example/d"}
        meeting = self._create_meeting(
            self.project, "internal_kickoff", privacy="private", **notes
        )
        Event = self.env["calendar.event"]
        for domain in (
            [("minutes", "like", "Difficult")],
            [("minutes", "not like", "Easy")],
            [("recording_url", "=", "https://a.example/d")],
        ):
            with self.subTest(domain=domain):
                mine = Event.with_user(self.consultant).search(domain)
                self.assertIn(meeting, mine)
                seen = Event.with_user(self.colleague).search(domain)
                self.assertNotIn(meeting, seen)
                projects = self.env["project.project"].with_user(self.colleague)
                found = projects.search([("meeting_ids", "any", domain)])
                self.assertNotIn(self.project, found)

    def test_two_companies(self):
        company = self.env["res.company"].create({"name": "B"})
        other = new_test_user(
            self.env,
            "pl_manager_b",
            groups="project.group_project_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.project.company_id = self.env.company
        with self.assertRaises(AccessError):
            self.project.transition_ids.with_user(other).read(["reason"])
        stage = self.stage_kickoff.copy({"company_id": self.env.company.id})
        criterion = self.env["project.stage.criterion"].create(
            {"name": "x", "stage_id": stage.id}
        )
        with self.assertRaises(AccessError):
            criterion.with_user(other).read(["name"])
        self.assertTrue(criterion.with_user(self.manager).name)
        # The stages of another company are not where this project can go.
        theirs = self.stage_implementation.copy({"company_id": company.id})
        self.project.stage_id.next_stage_ids = False
        self.assertNotIn(theirs, self.project.next_stage_ids)

    def test_manager_without_the_stages_feature(self):
        self.env.ref("base.group_user").implied_ids -= self.env.ref(
            "project.group_project_stages"
        )
        self.env.ref("project.group_project_stages").user_ids = False
        project = self.project.with_user(self.manager)
        self.assertTrue(project.gate_ids)
        self.assertEqual(project.gate_progress, 33)
        self.assertEqual(
            project.gate_summary,
            "1 of 3 met. Missing: "
            + project.unmet_criterion_ids.filtered(
                lambda criterion: criterion.severity == "blocking"
            )[0].name,
        )
        created = (
            self.env["project.project"]
            .with_user(self.manager)
            .create({"name": "New", "is_lifecycle": True})
        )
        self.assertEqual(created.sudo().stage_id, self.stage_internal_kickoff)
