from datetime import date

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from .common.implementation import ImplementationCommon


@tagged("post_install", "-at_install")
class TestCopy(ImplementationCommon):
    """A copy of a project is planned like it, and nothing has happened in it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stock = cls._create_phase(
            "Warehouse", date(2030, 3, 11), date(2030, 5, 6), sequence=20
        )

    def _create_task(self, name, **values):
        return self.env["project.task"].create(
            {"name": name, "project_id": self.project.id} | values
        )

    def _fill(self):
        """Run the project: a phase in progress with work of all kinds in it."""
        self.flow = self._create_flow(application_ids=[Command.set(self.crm.ids)])
        self.later = self._create_flow("Deliveries", phase_id=self.stock.id)
        self.mvp.action_start()
        self._bring_to_validation(self.flow)
        self._reject(self.flow)
        Line = self.env["project.scope.line"]
        for application, phase in (
            (self.crm, self.mvp),
            (self.sales, self.mvp),
            (self.inventory, self.stock),
        ):
            Line.create(
                {
                    "project_id": self.project.id,
                    "application_id": application.id,
                    "phase_id": phase.id,
                }
            )
        self.task = self._create_task("Configure", flow_id=self.flow.id)
        self.child = self._create_task("Stages", parent_id=self.task.id)
        self._create_task("Colours", parent_id=self.child.id)
        self._create_task("Scanners", phase_id=self.stock.id)
        self._create_task("Meet the director")
        today = fields.Date.today()
        Import = self.env["project.data.import"]
        Import.create(
            {"name": "Customers", "flow_id": self.flow.id, "needed_to_start": True}
        ).write({"cleaned_on": today, "imported_on": today, "row_count": 10})
        Import.create(
            {"name": "Stock", "flow_id": self.later.id, "needed_to_start": True}
        )
        self.env["project.development.request"].create(
            {
                "name": "Labels",
                "flow_id": self.later.id,
                "need": "Labels",
                "value": "Time",
                "workaround": "By hand",
                "specification": "Print",
                "developer_id": self.colleague.id,
            }
        ).action_approve()

    def _describe(self, project):
        """Return what a project plans, by names."""
        tasks = (
            self.env["project.task"]
            .with_context(active_test=False)
            .search([("project_id", "=", project.id)])
        )
        return {
            "phases": project.phase_ids.mapped(lambda p: (p.name, p.wave)),
            "milestones": sorted(
                (p.name, p.milestone_id.name) for p in project.phase_ids
            ),
            "all milestones": sorted(project.milestone_ids.mapped("name")),
            "flows": sorted(
                (f.name, f.phase_id.name, f.application_ids.mapped("name"))
                for f in project.flow_ids
            ),
            "scope": sorted(
                (line.application_id.name, line.phase_id.name)
                for line in project.scope_line_ids
            ),
            "imports": sorted(
                (d.name, d.flow_id.name, d.phase_id.name, d.needed_to_start)
                for d in project.import_ids
            ),
            "tasks": sorted(
                (
                    t.name,
                    t.parent_id.name or "",
                    t.phase_id.name or "",
                    t.flow_id.name or "",
                    t.milestone_id.name or "",
                )
                for t in tasks - project.development_ids.task_id
            ),
        }

    def _check_copy(self, copy):
        self.env.invalidate_all()
        self.assertEqual(self._describe(copy), self._describe(self.project))
        for parts in (copy.phase_ids, copy.flow_ids, copy.import_ids):
            self.assertEqual(parts.project_id, copy)
        for part in (*copy.flow_ids, *copy.import_ids, *copy.scope_line_ids):
            self.assertIn(part.phase_id, copy.phase_ids)
        for task in copy.task_ids:
            self.assertLessEqual(task.phase_id, copy.phase_ids)
            self.assertLessEqual(task.flow_id, copy.flow_ids)
            self.assertLessEqual(task.milestone_id, copy.milestone_ids)
        # Nothing of what happened
        self.assertEqual(set(copy.phase_ids.mapped("state")), {"planned"})
        for name in ("date_start_real", "date_go_live_real", "date_go_live"):
            self.assertFalse(any(copy.phase_ids.mapped(name)), name)
        self.assertEqual(set(copy.flow_ids.mapped("step")), {"analysis"})
        self.assertEqual(set(copy.flow_ids.mapped("cycle_count")), {1})
        self.assertEqual(set(copy.import_ids.mapped("state")), {"to_clean"})
        self.assertFalse(copy.development_ids)
        self.assertFalse(any(copy.phase_ids.mapped("spent_hours")))
        self.assertFalse(any(copy.milestone_ids.mapped("is_reached")))
        self.assertEqual(
            set(copy.import_ids.cleaning_task_id.ids),
            set(copy.task_ids.filtered("is_client_task").ids),
        )

    def test_copy_of_a_running_project(self):
        self._fill()
        self._check_copy(self.project.copy())

    def test_copy_by_its_consultant(self):
        self._fill()
        self._check_copy(self.project.with_user(self.manager).copy().sudo())

    def test_template_from_a_running_project(self):
        self._fill()
        project = self.project.with_user(self.manager)
        action = project.action_create_template_from_project()
        template = self.env["project.project"].browse(
            action["params"]["project_id"]
            if "params" in action
            else action.get("res_id")
        )
        self.assertTrue(template.is_template)
        self.assertEqual(
            template.phase_ids.mapped("name"), self.project.phase_ids.mapped("name")
        )
        self.assertEqual(len(template.flow_ids), 2)

    def test_copy_without_its_tasks(self):
        self._fill()
        copy = self.project.copy({"tasks": False})
        self.assertEqual(len(copy.phase_ids), 2)
        self.assertFalse(copy.task_ids - copy.import_ids.cleaning_task_id)

    def test_copy_of_two_projects_gives_each_its_own(self):
        other = self._create_project(name="Other")
        copies = (self.project | other).copy()
        self.assertEqual(len(copies[0].phase_ids), 2)
        self.assertEqual(len(copies[0].milestone_ids), 2)
        self.assertFalse(copies[1].milestone_ids)

    def test_context_of_a_client_is_ignored(self):
        self._fill()
        copy = self.task.with_context(
            implementation_copies={"phase_id": {}, "left_out": [self.task.id]}
        ).copy()
        self.assertEqual(copy.phase_id, self.mvp)

    def test_queries_do_not_grow_with_the_flows(self):
        def create(number):
            project = self._create_project(name=f"Flows {number}")
            phase = self._create_phase("First", project_id=project.id)
            flows = self.env["project.flow"].create(
                [
                    {"name": f"Flow {n}", "phase_id": phase.id, "as_is": "<p>x</p>"}
                    for n in range(number)
                ]
            )
            self.env["project.data.import"].create(
                [{"name": flow.name, "flow_id": flow.id} for flow in flows]
            )
            return project

        projects = [create(2), create(5), create(40)]
        costs = [self._count_queries(project.copy) for project in projects]
        self.assertLessEqual(costs[2], costs[1] + 10)
        self.assertEqual(len(projects[2].flow_ids), 40)
