from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from ..hooks import uninstall_hook
from .lifecycle_common import LifecycleCommon


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
