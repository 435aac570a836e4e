from datetime import timedelta

from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, HttpCase, freeze_time, new_test_user, tagged, users, warmup
from odoo.tools import mute_logger

from ..hooks import uninstall_hook
from ..models.lifecycle.project_stage_transition import GatePass
from .common import LifecycleCommon as AllRoomsCommon


class LifecycleCommon(AllRoomsCommon):
    """The criteria of this room alone: other rooms test theirs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._keep_criteria(
            "kickoff_consultant",
            "kickoff_internal_meeting",
            "kickoff_spoc",
            "implementation_spoc",
            "implementation_kickoff_meeting",
        )


@tagged("post_install", "-at_install")
class TestGate(LifecycleCommon):
    """Every client project passes the same stages, and gates stand between them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls._create_project()

    def assertBlocked(self, function, message="internal kick-off was held"):
        """Check that the gate stops it with that message and that nothing changes."""
        stages = {project: project.stage_id for project in self.project}
        transitions = self.project.transition_ids
        with self.assertRaisesRegex(UserError, message):
            function()
        self.project.invalidate_recordset()
        self.assertEqual(
            {project: project.stage_id for project in self.project}, stages
        )
        self.assertEqual(self.project.transition_ids, transitions)

    def test_starts_in_internal_kickoff(self):
        self.assertEqual(self.project.stage_id, self.stage_internal_kickoff)
        self.assertEqual(self.project.lifecycle_stage, "internal_kickoff")
        self.assertRecordValues(
            self.project.transition_ids,
            [
                {
                    "from_stage_id": False,
                    "to_stage_id": self.stage_internal_kickoff.id,
                    "duration": 0,
                    "reason": False,
                }
            ],
        )

    def test_message_lists_each_unmet_criterion_with_its_hint(self):
        self.project.user_id = False
        with self.assertRaises(UserError) as caught:
            self.project.stage_id = self.stage_kickoff
        message = str(caught.exception)
        for criterion in self.stage_kickoff.criterion_ids:
            self.assertIn(criterion.name, message)
            self.assertIn(criterion.hint, message)
        self.assertIn(self.project.name, message)
        self.assertIn(self.stage_kickoff.name, message)

    def test_each_criterion_of_the_kickoff_is_needed(self):
        self._make_ready_for_kickoff(self.project)
        cases = (
            (
                "The consultant is set",
                lambda: self.project.write({"user_id": False}),
                lambda: self.project.write({"user_id": self.consultant.id}),
            ),
            (
                "The SPOC is set",
                lambda: self.project.write({"spoc_id": False}),
                lambda: self.project.write({"spoc_id": self.spoc.id}),
            ),
            (
                "The internal kick-off was held",
                lambda: self.project.meeting_ids.write({"held": False}),
                lambda: self.project.meeting_ids.write({"held": True}),
            ),
        )
        for name, spoil, mend in cases:
            with self.subTest(name):
                spoil()
                self.assertBlocked(
                    lambda: self.project.write({"stage_id": self.stage_kickoff.id}),
                    name,
                )
                mend()
        self.project.stage_id = self.stage_kickoff
        self.assertEqual(self.project.lifecycle_stage, "kickoff")

    def test_spoc_who_left_the_client_does_not_count(self):
        self._make_ready_for_kickoff(self.project)
        self.spoc.parent_id = self.other_client
        self.assertFalse(self.project.has_client_spoc)
        self.assertBlocked(
            lambda: self.project.write({"stage_id": self.stage_kickoff.id}), "SPOC"
        )

    def test_internal_kickoff_is_not_the_client_kickoff(self):
        self._make_ready_for_kickoff(self.project)
        self.project.stage_id = self.stage_kickoff
        self.assertBlocked(
            lambda: self.project.write({"stage_id": self.stage_implementation.id}),
            "kick-off with the client was held",
        )
        self._create_meeting(self.project, "kickoff", held=False)
        self.assertBlocked(
            lambda: self.project.write({"stage_id": self.stage_implementation.id}),
            "kick-off with the client was held",
        )
        self._create_meeting(self.project, "kickoff")
        self.project.stage_id = self.stage_implementation
        self.assertEqual(self.project.lifecycle_stage, "implementation")

    def test_private_meeting_counts(self):
        self._make_ready_for_kickoff(self.project)
        self.project.meeting_ids.privacy = "private"
        self.env.invalidate_all()
        project = self.project.with_user(self.manager)
        project.meeting_ids.mapped("name")  # read as somebody who does not take part
        project.stage_id = self.stage_kickoff
        self.assertEqual(self.project.stage_id, self.stage_kickoff)

    # -- every way of writing the stage --------------------------------
    def test_write_create_and_default_stage(self):
        Project = self.env["project.project"]
        values = {"name": "New", "is_lifecycle": True, "partner_id": self.client.id}
        stage = self.stage_implementation
        self.assertBlocked(
            lambda: self.project.write({"stage_id": self.stage_kickoff.id})
        )
        self.assertBlocked(
            lambda: Project.create(values | {"stage_id": stage.id}), "kick-off"
        )
        self.assertBlocked(
            lambda: Project.with_context(default_stage_id=stage.id).create(values),
            "kick-off",
        )
        self.assertFalse(Project.search([("name", "=", "New")]))

    def test_web_save_and_form(self):
        project = self.project.with_user(self.consultant)
        self.assertBlocked(
            lambda: project.web_save({"stage_id": self.stage_kickoff.id}, {})
        )
        form = Form(project)
        form.stage_id = self.stage_kickoff
        self.assertBlocked(form.save)

    def test_button_gives_the_same_answer(self):
        project = self.project.with_user(self.consultant)
        self.assertBlocked(lambda: project.action_move_to_stage(self.stage_kickoff.id))
        self._make_ready_for_kickoff(self.project)
        project.action_move_to_stage(self.stage_kickoff.id)
        self.assertEqual(self.project.stage_id, self.stage_kickoff)

    def test_import(self):
        self.env["ir.model.data"].create(
            {
                "module": "__import__",
                "name": "almazara",
                "model": "project.project",
                "res_id": self.project.id,
            }
        )
        result = (
            self.env["project.project"]
            .with_user(self.manager)
            .load(
                ["id", "stage_id/.id"],
                [["__import__.almazara", str(self.stage_kickoff.id)]],
            )
        )
        self.assertFalse(result["ids"])
        self.assertIn("internal kick-off", result["messages"][0]["message"])
        self.project.invalidate_recordset()
        self.assertEqual(self.project.stage_id, self.stage_internal_kickoff)

    def test_automation_as_superuser(self):
        action = self.env["ir.actions.server"].create(
            {
                "name": "Move",
                "model_id": self.env["ir.model"]._get_id("project.project"),
                "state": "code",
                "code": f"record.write({{'stage_id': {self.stage_kickoff.id}}})",
            }
        )
        context = {"active_model": "project.project", "active_id": self.project.id}
        self.assertBlocked(action.sudo().with_context(**context).run)

    def test_company_change(self):
        company, other = self.env.company, self.env["res.company"].create({"name": "B"})
        stage = self.stage_internal_kickoff.copy({"company_id": company.id})
        self.project.company_id = company
        self.project.stage_id = stage
        self.project.company_id = other
        # Stock Odoo would have moved it to its own first stage.
        self.assertEqual(self.project.stage_id, self.stage_internal_kickoff)
        self.assertEqual(
            self.project.transition_ids[:1].to_stage_id, self.stage_internal_kickoff
        )

    def test_company_change_does_not_open_the_gate(self):
        company, other = self.env.company, self.env["res.company"].create({"name": "B"})
        stage = self.stage_kickoff.copy({"company_id": company.id})
        self.project.company_id = company
        self.project.with_user(self.manager)._override_gate(stage, "Because")
        self.assertBlocked(lambda: self.project.write({"company_id": other.id}))
        self.assertEqual(self.project.company_id, company)

    def test_context_key_alone_opens_nothing(self):
        for value in (True, "reason", {"reason": "x", "ids": self.project.ids}):
            with self.subTest(value=value):
                project = self.project.with_user(self.manager).with_context(
                    lifecycle_gate_pass=value
                )
                self.assertBlocked(
                    lambda project=project: project.write(
                        {"stage_id": self.stage_kickoff.id}
                    )
                )

    def test_copy_starts_anew(self):
        self._make_ready_for_kickoff(self.project)
        self.project.stage_id = self.stage_kickoff
        copy = self.project.copy()
        self.assertEqual(copy.stage_id, self.stage_internal_kickoff)
        self.assertFalse(copy.spoc_id)
        self.assertEqual(len(copy.transition_ids), 1)

    def test_stage_cannot_change_its_meaning_below_projects(self):
        with self.assertRaisesRegex(UserError, "while projects are in it"):
            self.stage_internal_kickoff.lifecycle_stage = "support"
        self.stage_internal_kickoff.write({"lifecycle_stage": "internal_kickoff"})

    # -- what is asked -------------------------------------------------
    def test_warning_does_not_block(self):
        self.stage_kickoff.criterion_ids.severity = "warning"
        self.project.stage_id = self.stage_kickoff
        self.assertEqual(self.project.stage_id, self.stage_kickoff)

    def test_archived_criterion_is_not_asked(self):
        self.stage_kickoff.criterion_ids.action_archive()
        self.project.stage_id = self.stage_kickoff
        self.assertEqual(self.project.stage_id, self.stage_kickoff)

    def test_criterion_for_projects_from_one_stage_only(self):
        criterion = self.env["project.stage.criterion"].create(
            {
                "name": "Reactivation agreed",
                "stage_id": self.stage_kickoff.id,
                "from_stage_id": self.stage_support.id,
                "domain": "[('name', '=', 'Reactivated')]",
            }
        )
        self.assertNotIn(criterion, self.project.gate_ids)
        self._make_ready_for_kickoff(self.project)
        self.project.stage_id = self.stage_kickoff
        self.project.stage_id = self.stage_support
        self.assertIn(criterion, self.project.gate_ids)
        self.assertBlocked(
            lambda: self.project.write({"stage_id": self.stage_kickoff.id}),
            "Reactivation agreed",
        )

    def test_only_the_next_stages(self):
        self.stage_go_live.criterion_ids.action_archive()
        self.assertBlocked(
            lambda: self.project.write({"stage_id": self.stage_go_live.id}),
            "may go to: Kick-off",
        )
        # Anywhere, but not past what guards the stages that are left out
        self.stage_internal_kickoff.next_stage_ids = False
        self.assertBlocked(
            lambda: self.project.write({"stage_id": self.stage_go_live.id}),
            "The kick-off with the client was held",
        )
        self.stage_kickoff.criterion_ids.action_archive()
        self.stage_implementation.criterion_ids.action_archive()
        self.project.stage_id = self.stage_go_live
        self.assertEqual(self.project.stage_id, self.stage_go_live)

    def test_values_of_the_same_write_count(self):
        self._make_ready_for_kickoff(self.project)
        self.project.spoc_id = False
        self.project.write({"spoc_id": self.spoc.id, "stage_id": self.stage_kickoff.id})
        self.assertEqual(self.project.stage_id, self.stage_kickoff)

    # -- batches -------------------------------------------------------
    def test_batch_with_one_blocked_moves_none(self):
        projects = self.env["project.project"].union(
            *(self._create_project(name=f"Project {n}") for n in range(20))
        )
        self._make_ready_for_kickoff(projects)
        projects[7].meeting_ids.held = False
        self.project = projects
        with self.assertRaises(UserError) as caught:
            projects.write({"stage_id": self.stage_kickoff.id})
        self.assertIn("Project 7", str(caught.exception))
        self.assertNotIn("Project 8", str(caught.exception))
        self.assertIn("None of the 20 projects was moved", str(caught.exception))
        projects.invalidate_recordset()
        self.assertEqual(projects.stage_id, self.stage_internal_kickoff)
        projects[7].meeting_ids.held = True
        projects.write({"stage_id": self.stage_kickoff.id})
        self.assertEqual(projects.stage_id, self.stage_kickoff)

    def test_message_about_many_projects_stays_readable(self):
        projects = self.env["project.project"].union(
            *(self._create_project(name=f"Project {n}") for n in range(30))
        )
        with self.assertRaises(UserError) as caught:
            projects.write({"stage_id": self.stage_kickoff.id})
        self.assertIn("20 more projects", str(caught.exception))

    # -- the manager's override ----------------------------------------
    @users("pl_manager")
    def test_override_with_a_reason(self):
        project = self.project.with_env(self.env)
        wizard = Form(
            self.env["project.stage.override.wizard"].with_context(
                default_project_id=project.id
            )
        )
        wizard.stage_id = self.stage_kickoff
        self.assertEqual(
            wizard.unmet_criterion_ids.ids,
            (
                self.stage_kickoff.criterion_ids - self.stage_kickoff.criterion_ids[0]
            ).ids,
        )
        wizard.reason = "The director confirmed by phone"
        wizard.save().action_override()
        self.assertEqual(project.stage_id, self.stage_kickoff)
        transition = project.transition_ids[0]
        self.assertRecordValues(
            transition,
            [
                {
                    "from_stage_id": self.stage_internal_kickoff.id,
                    "to_stage_id": self.stage_kickoff.id,
                    "user_id": self.manager.id,
                    "reason": "The director confirmed by phone",
                }
            ],
        )
        self.assertEqual(
            transition.overridden_criterion_ids, self.stage_kickoff.criterion_ids[1:]
        )
        self.assertIn("confirmed by phone", project.message_ids[0].body)

    @users("pl_manager")
    def test_override_with_blanks_for_a_reason(self):
        wizard = self.env["project.stage.override.wizard"].create(
            {
                "project_id": self.project.id,
                "stage_id": self.stage_kickoff.id,
                "reason": "  \n ",
            }
        )
        self.assertBlocked(wizard.action_override, "Write down why")

    @users("pl_manager")
    def test_override_leads_to_any_stage_of_the_lifecycle_only(self):
        project = self.project.with_env(self.env)
        project._override_gate(self.stage_go_live, "Taken over from another firm")
        self.assertEqual(project.stage_id, self.stage_go_live)
        stock = self.env.ref("project.project_project_stage_0")
        with self.assertRaisesRegex(UserError, "not a stage of the lifecycle"):
            project._override_gate(stock, "Because")

    def test_override_is_the_managers(self):
        for user in (self.consultant, self.salesperson):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["project.stage.override.wizard"].with_user(user).create(
                    {
                        "project_id": self.project.id,
                        "stage_id": self.stage_kickoff.id,
                        "reason": "Because",
                    }
                )
            with self.assertRaisesRegex(AccessError, "Only a project manager"):
                self.project.with_user(user)._override_gate(
                    self.stage_kickoff, "Because"
                )

    def test_override_is_for_the_projects_it_names(self):
        other = self._create_project(name="Another")
        self.project = self.project | other
        gate_pass = GatePass("Because", self.project[0].ids)
        self.assertBlocked(
            lambda: self.project.with_context(lifecycle_gate_pass=gate_pass).write(
                {"stage_id": self.stage_kickoff.id}
            ),
            "Another cannot enter",
        )

    # -- bad input -----------------------------------------------------
    def test_unknown_stage(self):
        self.assertBlocked(
            lambda: self.project.write({"stage_id": 987654321}), "does not exist"
        )
        self.assertBlocked(
            lambda: self.project.action_move_to_stage(987654321), "does not exist"
        )
        self.assertBlocked(
            lambda: self._create_project(stage_id=987654321), "does not exist"
        )

    def test_archived_stage(self):
        stage = self.stage_internal_kickoff.copy()
        stage.active = False
        self.assertBlocked(
            lambda: self.project.write({"stage_id": stage.id}), "is archived"
        )

    def test_no_stage(self):
        self.assertBlocked(
            lambda: self.project.write({"stage_id": False}), "must be in a stage"
        )

    def test_stage_of_other_projects(self):
        stock_stage = self.env.ref("project.project_project_stage_1")
        self.assertBlocked(
            lambda: self.project.write({"stage_id": stock_stage.id}),
            "In Progress is not a stage of the lifecycle",
        )
        stock_project = self.env["project.project"].create({"name": "Office party"})
        with self.assertRaisesRegex(UserError, "stage of client implementations"):
            stock_project.stage_id = self.stage_kickoff

    def test_stage_of_another_company(self):
        stage = self.stage_kickoff.copy(
            {"company_id": self.env["res.company"].create({"name": "B"}).id}
        )
        self.project.company_id = self.env.company
        self.stage_internal_kickoff.next_stage_ids = False
        self.assertBlocked(
            lambda: self.project.write({"stage_id": stage.id}), "company"
        )

    def test_archived_project(self):
        self._make_ready_for_kickoff(self.project)
        self.project.active = False
        self.assertBlocked(
            lambda: self.project.write({"stage_id": self.stage_kickoff.id}),
            "is archived: unarchive it",
        )
        self.project.write({"active": True, "stage_id": self.stage_kickoff.id})
        self.assertEqual(self.project.stage_id, self.stage_kickoff)

    def test_template(self):
        self._make_ready_for_kickoff(self.project)
        self.project.is_template = True
        self.assertBlocked(
            lambda: self.project.write({"stage_id": self.stage_kickoff.id}),
            "is a template",
        )
        self.assertBlocked(
            lambda: self._create_project(
                is_template=True, stage_id=self.stage_go_live.id
            ),
            "is a template",
        )
        self.assertFalse(self.project.gate_ids)

    def test_broken_condition_is_refused_when_saved(self):
        cases = (
            ("[('user_id', '!=', False)", "cannot be used"),
            ("user_id != False", "fixed values"),
            ("[('user_id', '=', uid)]", "fixed values"),
            ("{'user_id': 1}", "list of conditions"),
            ("[('gate_progress', '=', 100)]", "depends on the gate itself"),
            ("[('unmet_criterion_ids', '=', False)]", "depends on the gate itself"),
            ("[('user_id.project_ids.gate_ids', '=', 1)]", "cannot be used"),
            ("[('no_such_field', '=', 1)]", "no_such_field"),
            ("[('partner_id.no_such_field', '=', 1)]", "no_such_field"),
            ("[('meeting_ids', 'any', [('no_such_field', '=', 1)])]", "no_such_field"),
            ("[('user_id', 'is', 1)]", "cannot be used"),
            ("[('user_id', '=')]", "cannot be used"),
            ("[('date', '>', 'whenever')]", "cannot be used"),
            ("['&', ('user_id', '=', 1)]", "cannot be used"),
            ("[(0, '=', 1), __import__('os')]", "cannot be used"),
            ("", "cannot be used"),
        )
        for domain, message in cases:
            with self.subTest(domain=domain):
                with self.assertRaisesRegex(ValidationError, message):
                    self.stage_kickoff.criterion_ids[0].domain = domain
        for domain in (
            "[]",
            "['|', ('name', 'ilike', 'erp'), ('tag_ids', '=', False)]",
            "[('tag_ids.name', '=', 'VIP')]",
            "[('date', '>=', 'today -1w')]",
            "[('days_in_stage', '>=', 2)]",
            "[('open_task_count', '=', 0)]",
        ):
            with self.subTest(domain=domain):
                self.stage_kickoff.criterion_ids[0].domain = domain

    def test_condition_that_breaks_later_counts_as_unmet_and_says_so(self):
        self._make_ready_for_kickoff(self.project)
        criterion = self.stage_kickoff.criterion_ids[0]
        self.env.cr.execute(  # as if the module that had the field was uninstalled
            "UPDATE project_stage_criterion SET domain = %s WHERE id = %s",
            ["[('gone', '=', True)]", criterion.id],
        )
        self.env.invalidate_all()
        self.assertBlocked(
            lambda: self.project.write({"stage_id": self.stage_kickoff.id}),
            "no longer works",
        )
        self.assertIn(criterion, self.project.unmet_criterion_ids)
        self.assertIn("no longer works", self.project.gate_obstacles[str(criterion.id)])
        self.assertLess(self.project.gate_progress, 100)

    def test_criterion_of_a_stock_stage(self):
        with self.assertRaisesRegex(ValidationError, "no gate leads to it"):
            self.env["project.stage.criterion"].create(
                {
                    "name": "x",
                    "stage_id": self.env.ref("project.project_project_stage_0").id,
                }
            )

    def test_targets_and_next_stages(self):
        with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation):
            self.stage_kickoff.target_days = -1
            self.stage_kickoff.flush_recordset()
        with self.assertRaisesRegex(UserError, "lifecycle stages"):
            self.stage_kickoff.next_stage_ids = self.env.ref(
                "project.project_project_stage_0"
            )

    # -- is it a client project at all? --------------------------------
    def test_project_becomes_a_client_project(self):
        project = self.env["project.project"].create({"name": "Office"})
        self.assertFalse(project.lifecycle_stage)
        self.assertFalse(project.transition_ids)
        project.with_user(self.manager).is_lifecycle = True
        self.assertEqual(project.stage_id, self.stage_internal_kickoff)
        self.assertEqual(len(project.transition_ids), 1)
        project.with_user(self.manager).is_lifecycle = False
        self.assertFalse(project.stage_id.lifecycle_stage)

    def test_leaving_the_lifecycle_is_no_way_round_the_gate(self):
        with self.assertRaisesRegex(AccessError, "Only a project manager decides"):
            self.project.with_user(self.consultant).is_lifecycle = False
        self.project.invalidate_recordset()
        self.project.is_lifecycle = False
        with self.assertRaisesRegex(UserError, "kick-off"):
            self.project.write(
                {"is_lifecycle": True, "stage_id": self.stage_implementation.id}
            )

    def test_template_that_becomes_a_project_enters_its_stage(self):
        template = self._create_project(name="Template", is_template=True)
        self.assertFalse(template.transition_ids)
        template.is_template = False
        self.assertEqual(
            template.transition_ids.to_stage_id, self.stage_internal_kickoff
        )

    def test_form_proposes_the_stage(self):
        Project = self.env["project.project"].with_user(self.manager)
        with Form(Project.with_context(default_is_lifecycle=True)) as form:
            form.name = "From the menu of the client projects"
            self.assertEqual(form.stage_id, self.stage_internal_kickoff)
        with Form(Project) as form:
            form.name = "From the stock menu"
            self.assertFalse(form.stage_id.lifecycle_stage)
            form.is_lifecycle = True
            self.assertEqual(form.stage_id, self.stage_internal_kickoff)
        self.assertTrue(form.record.is_lifecycle)

    # -- SPOC ----------------------------------------------------------
    def test_spoc_is_a_person_of_the_client(self):
        with self.assertRaisesRegex(ValidationError, "Amelia Hart cannot be the SPOC"):
            self.project.spoc_id = self.stranger
        self.project.spoc_id = self.spoc
        with self.assertRaisesRegex(ValidationError, "Beatriz Soler cannot be"):
            self.project.partner_id = self.other_client
        with self.assertRaisesRegex(ValidationError, "no client is set"):
            self._create_project(partner_id=False, spoc_id=self.spoc.id)

    def test_search_projects_with_a_spoc_of_the_client(self):
        Project = self.env["project.project"]
        with_spoc = self._create_project(spoc_id=self.spoc.id)
        domain = [("has_client_spoc", "=", True)]
        self.assertIn(with_spoc, Project.search(domain))
        self.assertNotIn(self.project, Project.search(domain))
        self.assertIn(self.project, Project.search([("has_client_spoc", "=", False)]))

    # -- Spanish -------------------------------------------------------
    def test_the_gate_speaks_spanish(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.consultant.lang = "es_ES"
        with self.assertRaises(UserError) as caught:
            self.project.with_user(self.consultant).with_context(lang="es_ES").write(
                {"stage_id": self.stage_kickoff.id}
            )
        self.assertIn("todavía no puede pasar a", str(caught.exception))
        self.assertIn("Se ha celebrado el kick-off interno", str(caught.exception))


@tagged("post_install", "-at_install")
class TestStageTime(LifecycleCommon):
    """Managers see how long projects stay in a stage, and which are late."""

    def test_days_in_stage_against_target(self):
        self.stage_internal_kickoff.target_days = 5
        with freeze_time("2026-03-02 09:00:00"):
            project = self._create_project()
        Project = self.env["project.project"]
        mine = [("id", "=", project.id)]
        for moment, days, late in (
            ("2026-03-02 10:00:00", 0, False),
            ("2026-03-07 09:00:00", 5, False),
            ("2026-03-08 08:59:59", 5, False),
            ("2026-03-08 09:00:00", 6, True),
        ):
            with self.subTest(moment=moment), freeze_time(moment):
                self.env.invalidate_all()
                self.assertEqual(project.days_in_stage, days)
                self.assertEqual(project.is_late_in_stage, late)
                found = Project.search(mine + [("is_late_in_stage", "=", True)])
                self.assertEqual(bool(found), late)
                found = Project.search(mine + [("is_late_in_stage", "=", False)])
                self.assertEqual(bool(found), not late)
                self.assertTrue(Project.search(mine + [("days_in_stage", ">=", days)]))
                self.assertFalse(Project.search(mine + [("days_in_stage", ">", days)]))

    def test_no_target_is_never_late(self):
        self.stage_internal_kickoff.target_days = 0
        with freeze_time("2020-01-01 09:00:00"):
            project = self._create_project()
        self.assertFalse(project.is_late_in_stage)
        self.assertNotIn(
            project,
            self.env["project.project"].search([("is_late_in_stage", "=", True)]),
        )

    def test_other_projects_are_never_late(self):
        project = self.env["project.project"].create({"name": "Office party"})
        self.assertEqual(project.days_in_stage, 0)
        self.assertFalse(project.is_late_in_stage)
        self.assertEqual(project.gate_progress, 0)
        self.assertFalse(project.gate_ids)

    def test_duration_in_the_former_stage(self):
        with freeze_time("2026-03-02 09:00:00"):
            project = self._create_project()
            self._make_ready_for_kickoff(project)
        with freeze_time("2026-03-04 21:00:00"):
            project.with_user(self.consultant).stage_id = self.stage_kickoff
        last = project.transition_ids[0]
        self.assertAlmostEqual(last.duration, 2.5)
        self.assertEqual(last.user_id, self.consultant)
        with freeze_time("2026-03-05 21:00:00"):
            self.env.invalidate_all()
            self.assertEqual(project.days_in_stage, 1)

    def test_history_cannot_be_written(self):
        project = self._create_project()
        transition = project.transition_ids
        for user in (self.manager, self.consultant, self.env.ref("base.user_admin")):
            with self.subTest(user=user.login):
                history = transition.with_user(user)
                self.assertTrue(history.to_stage_id)
                with self.assertRaises(AccessError):
                    history.write({"reason": "x"})
                with self.assertRaises(AccessError):
                    history.unlink()
                with self.assertRaises(AccessError):
                    history.copy()
                with self.assertRaises(AccessError):
                    project.with_user(user).write({"transition_ids": [Command.clear()]})
                with self.assertRaises(AccessError):
                    history.create(
                        {
                            "project_id": project.id,
                            "to_stage_id": self.stage_done.id,
                        }
                    )

    def test_history_keeps_stages_and_criteria(self):
        stage = self.stage_internal_kickoff.copy({"sequence": 1})
        self._create_project()  # the copy comes first: the project starts there
        with self.assertRaisesRegex(UserError, "Archive the stage"):
            stage.unlink()
        unused = self.stage_done.copy()
        unused.unlink()
        self.assertFalse(unused.exists())

    def test_deleting_a_project_deletes_its_history(self):
        project = self._create_project()
        transition = project.transition_ids
        project.unlink()
        self.assertFalse(transition.exists())


@tagged("post_install", "-at_install")
class TestKanban(LifecycleCommon):
    """Managers watch all projects in kanban by stage."""

    def test_columns(self):
        self._create_project()
        Project = (
            self.env["project.project"]
            .with_user(self.manager)
            .with_context(read_group_expand=True)
        )

        def columns(domain):
            groups = Project.web_read_group(domain, ["stage_id"])["groups"]
            return self.env["project.project.stage"].browse(
                [group["stage_id"][0] for group in groups if group["stage_id"]]
            )

        lifecycle = self.env["project.project.stage"].search(
            [("lifecycle_stage", "!=", False)]
        )
        stock = self.env["project.project.stage"].search(
            [("lifecycle_stage", "=", False)]
        )
        self.assertEqual(columns([("is_lifecycle", "=", True)]), lifecycle)
        self.assertEqual(
            columns([("is_lifecycle", "=", True), ("is_template", "=", False)]),
            lifecycle,
        )
        self.assertEqual(columns([("is_lifecycle", "=", False)]), stock)
        # A mixed view has a column of the lifecycle where there is a project in it.
        self.assertEqual(
            columns([("partner_id", "=", self.client.id)]),
            stock | self.stage_internal_kickoff,
        )

    def test_gate_progress_and_search(self):
        Project = self.env["project.project"]
        blocked = self._create_project()
        ready = self._create_project(name="Ready")
        self._make_ready_for_kickoff(ready)
        (blocked | ready).invalidate_recordset()
        self.assertEqual(blocked.gate_progress, 33)
        self.assertEqual(ready.gate_progress, 100)
        self.assertEqual(
            Project.search(
                [("id", "in", (blocked | ready).ids), ("gate_progress", "<", 100)]
            ),
            blocked,
        )
        self.assertEqual(
            Project.search(
                [("id", "in", (blocked | ready).ids), ("gate_progress", ">=", 100)]
            ),
            ready,
        )

    def test_gate_panel_shows_each_next_stage(self):
        project = self._create_project()
        self._make_ready_for_kickoff(project)
        project.stage_id = self.stage_kickoff
        self.assertEqual(
            project.next_stage_ids, self.stage_implementation | self.stage_support
        )
        self.assertEqual(project.gate_ids, self.stage_implementation.criterion_ids)
        self.assertEqual(
            project.unmet_criterion_ids,
            self.env.ref("project_lifecycle.criterion_implementation_kickoff_meeting"),
        )

    def test_next_meeting(self):
        project = self._create_project()
        self.assertFalse(project.next_meeting_date)
        start = fields.Datetime.now() + timedelta(days=3)
        self._create_meeting(project, "internal_kickoff")
        coming = self._create_meeting(
            project, "kickoff", held=False, start=start, stop=start + timedelta(hours=1)
        )
        project.invalidate_recordset()
        self.assertEqual(project.next_meeting_date, coming.start)
        self.assertEqual(project.meeting_count, 2)

    def test_meeting_proposes_what_the_stage_asks_for(self):
        project = self._create_project(spoc_id=self.spoc.id)
        Event = self.env["calendar.event"].with_user(self.consultant)
        with Form(Event.with_context(default_project_id=project.id)) as form:
            self.assertEqual(form.lifecycle_meeting, "internal_kickoff")
            self.assertEqual(
                form.partner_ids[:],
                (self.consultant | self.salesperson).partner_id,
            )
        self._create_meeting(project, "internal_kickoff")
        project.stage_id = self.stage_kickoff
        with Form(Event.with_context(default_project_id=project.id)) as form:
            self.assertEqual(form.lifecycle_meeting, "kickoff")
            self.assertIn(self.spoc, form.partner_ids[:])

    def test_menus_of_all_projects_stay_as_they_were(self):
        def menus():
            loaded = self.env["ir.ui.menu"].with_user(self.manager).load_menus(False)
            return {menu["xmlid"] for menu in loaded.values() if menu.get("xmlid")}

        plain, by_stage = "project.menu_projects", "project.menu_projects_group_stage"
        client_projects = "project_lifecycle.lifecycle_menu"
        Settings = self.env["res.config.settings"]
        Settings.create({"group_project_stages": False}).execute()
        self.assertFalse(Settings.create({}).group_project_stages)
        self.assertTrue(self.manager.has_group("project.group_project_stages"))
        self.assertEqual(
            menus() & {plain, by_stage, client_projects}, {plain, client_projects}
        )
        Settings.create({"group_project_stages": True}).execute()
        self.assertTrue(Settings.create({}).group_project_stages)
        self.assertEqual(
            menus() & {plain, by_stage, client_projects}, {by_stage, client_projects}
        )

    def test_other_projects_start_in_their_own_stages(self):
        self.env["project.project.stage"].search(
            [("lifecycle_stage", "=", False)]
        ).sequence = 500  # a manager put the lifecycle first
        for user in (self.manager, self.env.ref("base.user_admin")):
            project = (
                self.env["project.project"].with_user(user).create({"name": "Party"})
            )
            self.assertTrue(project.stage_id)
            self.assertFalse(project.stage_id.lifecycle_stage)


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
        created = (
            self.env["project.project"]
            .with_user(self.manager)
            .create({"name": "New", "is_lifecycle": True})
        )
        self.assertEqual(created.sudo().stage_id, self.stage_internal_kickoff)


@tagged("post_install", "-at_install")
class TestOrder(LifecycleCommon):
    """Confirming an order with the Implementation product starts the lifecycle."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls.env.ref(
            "project_lifecycle.product_template_implementation"
        ).product_variant_id

    def _confirm_order(self, product=None, company=None):
        company = company or self.env.company
        order = (
            self.env["sale.order"]
            .with_company(company)
            .create(
                {
                    "partner_id": self.client.id,
                    "user_id": self.salesperson.id,
                    "company_id": company.id,
                    "order_line": [
                        Command.create(
                            {
                                "product_id": (product or self.product).id,
                                "product_uom_qty": 40,
                            }
                        )
                    ],
                }
            )
        )
        order.with_user(self.salesperson).with_company(company).action_confirm()
        return order

    def test_order_makes_a_client_project(self):
        order = self._confirm_order()
        project = order.project_id
        template = self.env.ref("project_lifecycle.project_template_implementation")
        self.assertRecordValues(
            project,
            [
                {
                    "is_lifecycle": True,
                    "is_template": False,
                    "lifecycle_stage": "internal_kickoff",
                    "partner_id": self.client.id,
                    "salesperson_id": self.salesperson.id,
                    "user_id": False,
                    "company_id": order.company_id.id,
                    "allow_timesheets": True,
                    "allow_billable": True,
                }
            ],
        )
        self.assertEqual(project.sale_line_id, order.order_line)
        self.assertEqual(
            project.task_ids.mapped("name"), template.task_ids.mapped("name")
        )
        self.assertEqual(project.task_ids.sale_line_id, order.order_line)

    def test_activities_for_salesperson_and_consultant(self):
        director = self.env.company.project_director_id = self.manager
        project = self._confirm_order().project_id
        kickoff = self.env.ref("project_lifecycle.mail_activity_type_internal_kickoff")
        hand_over = self.env.ref("project_lifecycle.mail_activity_type_hand_over")

        def responsible(activity_type):
            return project.activity_ids.filtered(
                lambda activity: activity.activity_type_id == activity_type
            ).user_id

        self.assertEqual(responsible(hand_over), self.salesperson)
        self.assertEqual(responsible(kickoff), director)
        project.with_user(self.manager).user_id = self.consultant
        self.assertEqual(responsible(kickoff), self.consultant)
        project.with_user(self.manager).user_id = self.colleague
        self.assertEqual(responsible(kickoff), self.colleague)
        self.assertEqual(len(project.activity_ids), 2)

    def test_other_products_make_other_projects(self):
        product = self.env["product.product"].create(
            {
                "name": "Office party",
                "type": "service",
                "service_tracking": "project_only",
            }
        )
        project = self._confirm_order(product).project_id
        self.assertTrue(project)
        self.assertFalse(project.is_lifecycle)
        self.assertFalse(project.lifecycle_stage)
        self.assertFalse(project.salesperson_id)
        self.assertFalse(project.activity_ids)

    def test_second_company(self):
        company = self.env["res.company"].create({"name": "Firma México"})
        self.salesperson.company_ids |= company
        project = self._confirm_order(company=company).project_id
        self.assertTrue(project.is_lifecycle)
        self.assertEqual(project.company_id, company)


@tagged("post_install", "-at_install")
class TestQueries(LifecycleCommon):
    """A gate costs the same number of queries however many projects pass it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.projects = cls.env["project.project"].create(
            [
                {
                    "name": f"Project {number}",
                    "is_lifecycle": True,
                    "partner_id": cls.client.id,
                    "user_id": cls.consultant.id,
                    "spoc_id": cls.spoc.id,
                }
                for number in range(100)
            ]
        )
        start = fields.Datetime.now() - timedelta(days=1)
        cls.env["calendar.event"].with_context(
            no_mail_to_attendees=True, dont_notify=True
        ).create(
            [
                {
                    "name": "Internal kick-off",
                    "project_id": project.id,
                    "lifecycle_meeting": "internal_kickoff",
                    "held": True,
                    "start": start,
                    "stop": start + timedelta(hours=1),
                }
                for project in cls.projects
            ]
        )
        cls.env.flush_all()

    def _assert_constant(self, function):
        """Check that a hundred projects cost what two do (one is a special case of
        the ORM's prefetching), once the caches of the registry are warm."""
        self._count_queries(lambda: function(self.projects[:1]))
        few = self._count_queries(lambda: function(self.projects[1:3]))
        many = self._count_queries(lambda: function(self.projects[3:]))
        self.assertLessEqual(many, few)

    def test_move(self):
        stage = self.stage_kickoff
        self._assert_constant(lambda projects: projects.write({"stage_id": stage.id}))

    def test_move_as_consultant(self):
        stage = self.stage_kickoff
        self._assert_constant(
            lambda projects: projects.with_user(self.consultant).write(
                {"stage_id": stage.id}
            )
        )

    def test_cards(self):
        names = [
            "gate_progress",
            "days_in_stage",
            "is_late_in_stage",
            "stage_target_days",
            "next_meeting_date",
            "spoc_id",
        ]
        self._assert_constant(
            lambda projects: projects.with_user(self.manager).read(names)
        )

    def test_gate_panels(self):
        names = ["gate_ids", "unmet_criterion_ids", "gate_obstacles", "next_stage_ids"]
        self._assert_constant(
            lambda projects: projects.with_user(self.manager).read(names)
        )

    def test_search_blocked_and_late(self):
        Project = self.env["project.project"].with_user(self.manager)
        for domain in (
            [("gate_progress", "<", 100)],
            [("is_late_in_stage", "=", True)],
        ):
            self._count_queries(lambda domain=domain: Project.search(domain))
            queries = self._count_queries(lambda domain=domain: Project.search(domain))
            self.assertLessEqual(queries, 25, domain)

    def test_kanban_of_80_cards_against_stock(self):
        Project = self.env["project.project"].with_user(self.manager)
        specifications = {}
        for xmlid in (
            "project.project_kanban_view_group_stage",
            "project_lifecycle.project_project_view_kanban_lifecycle",
        ):
            view = Project.get_view(self.env.ref(xmlid).id, "kanban")
            specifications[xmlid] = {
                name: {"fields": {"display_name": {}}}
                if Project._fields[name].type in ("many2one", "many2many")
                else {}
                for name in view["models"]["project.project"]
                if Project._fields[name].type != "one2many" or name == "activity_ids"
            }
        costs = []
        for specification in specifications.values():
            self._count_queries(
                lambda s=specification: Project.web_search_read([], s, limit=80)
            )
            costs.append(
                self._count_queries(
                    lambda s=specification: Project.web_search_read(
                        [("id", "in", self.projects.ids)], s, limit=80
                    )
                )
            )
        stock, ours = costs
        self.assertLessEqual(ours - stock, 12)

    @users("pl_consultant")
    @warmup
    def test_move_budget(self):
        project = self.projects[:1].with_env(self.env)
        with self.assertQueryCount(pl_consultant=32):
            project.write({"stage_id": self.stage_kickoff.id})
            self.env.flush_all()


@tagged("post_install", "-at_install")
class TestLifecycleTour(LifecycleCommon, HttpCase):
    """The main job in the browser, as the people do it."""

    def _start_tour_past_shut_gate(self, url, tour, login):
        """Run a tour in which a gate stops the user once: Odoo logs such a refusal."""
        with mute_logger("odoo.http"):
            self.start_tour(url, tour, login=login, timeout=120)

    def test_from_order_to_kickoff(self):
        # The person of a small firm who sells and runs projects
        self.consultant.group_ids |= self.env.ref("sales_team.group_sale_salesman")
        template = self.env.ref("project_lifecycle.project_template_implementation")
        template.user_id = self.consultant
        order = self.env["sale.order"].create(
            {
                "partner_id": self.client.id,
                "user_id": self.consultant.id,
                "client_order_ref": "Almazara",
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.env.ref(
                                "project_lifecycle.product_template_implementation"
                            ).product_variant_id.id,
                            "product_uom_qty": 40,
                        }
                    )
                ],
            }
        )
        self._start_tour_past_shut_gate(
            f"/odoo/sales/{order.id}",
            "project_lifecycle_from_order_to_kickoff",
            "pl_consultant",
        )
        project = order.project_id
        self.assertEqual(project.lifecycle_stage, "kickoff")
        self.assertEqual(project.spoc_id, self.spoc)
        self.assertTrue(project.meeting_ids.held)

    def test_card_dragged_against_the_gate(self):
        self._create_project(name="Almazara ERP")
        self._start_tour_past_shut_gate(
            "/odoo/client-projects", "project_lifecycle_kanban_gate", "pl_manager"
        )
        project = self.env["project.project"].search([("name", "=", "Almazara ERP")])
        self.assertEqual(project.lifecycle_stage, "kickoff")
        self.assertEqual(project.transition_ids[0].reason, "The director confirmed")


@tagged("post_install", "-at_install")
class TestUninstall(LifecycleCommon):
    """Uninstalling leaves ordinary projects in the stages of stock Odoo."""

    def test_projects_stay_as_ordinary_ones(self):
        running = self._create_project()
        archived = self._create_project(name="Archived", active=False)
        finished = self._create_project(name="Finished")
        finished.with_user(self.manager)._override_gate(self.stage_done, "Cancelled")
        uninstall_hook(self.env)
        projects = running | archived | finished
        self.env.invalidate_all()
        self.assertFalse(any(projects.mapped("is_lifecycle")))
        self.assertFalse(any(projects.mapped("lifecycle_stage")))
        self.assertTrue(all(project.stage_id for project in projects))
        self.assertTrue(finished.stage_id.fold)
        self.assertFalse(self.env["project.stage.transition"].search_count([]))
