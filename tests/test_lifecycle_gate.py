from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged, users
from odoo.tools import mute_logger

from ..models.lifecycle.project_stage_transition import GatePass
from .lifecycle_common import LifecycleCommon


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
    def test_override_says_all_that_it_sets_aside(self):
        self.stage_internal_kickoff.next_stage_ids = False
        wizard = (
            self.env["project.stage.override.wizard"]
            .with_user(self.manager)
            .create(
                {
                    "project_id": self.project.id,
                    "stage_id": self.stage_implementation.id,
                    "reason": "Taken over",
                }
            )
        )
        shown = wizard.unmet_criterion_ids
        self.assertIn(self.stage_kickoff, shown.stage_id)
        wizard.action_override()
        transition = self.project.transition_ids[0]
        self.assertEqual(transition.overridden_criterion_ids, shown)
        with self.assertRefused(UserError, "in Implementation already"):
            wizard.action_override()

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

    def test_the_gate_speaks_spanish(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.consultant.lang = "es_ES"
        with self.assertRaises(UserError) as caught:
            self.project.with_user(self.consultant).with_context(lang="es_ES").write(
                {"stage_id": self.stage_kickoff.id}
            )
        self.assertIn("todavía no puede pasar a", str(caught.exception))
        self.assertIn("Se ha celebrado el kick-off interno", str(caught.exception))
