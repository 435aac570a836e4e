from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged, users, warmup

from ..models.lifecycle.project_lock import unlocked
from .common.implementation import ImplementationCommon


@tagged("post_install", "-at_install")
class TestQueries(ImplementationCommon):
    """Screens cost the same however much is on them."""

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
                for number in range(50)
            ]
        )
        cls.phases = cls.env["project.phase"].create(
            [{"name": p.name, "project_id": p.id} for p in cls.projects]
        )
        for phase in cls.phases:
            unlocked(phase).write(
                {"state": "in_progress", "date_start_real": fields.Date.today()}
            )
        cls.flows = cls.env["project.flow"].create(
            [
                {
                    "name": f"{phase.name} flow {number}",
                    "phase_id": phase.id,
                    "application_ids": [Command.set(cls.crm.ids)],
                }
                for number in range(20)
                for phase in cls.phases
            ]
        )
        cls.env["hr.employee"].create(
            {"name": "Consultant", "user_id": cls.consultant.id}
        )
        cls.env["account.analytic.line"].with_user(cls.consultant).create(
            [
                {
                    "name": "/",
                    "project_id": project.id,
                    "unit_amount": 1,
                    "work_type_id": work_type.id,
                }
                for project in cls.projects
                for work_type in cls.env.ref("project_lifecycle.work_type_analysis")
                | cls.env.ref("project_lifecycle.work_type_training")
            ]
        )
        cls.env.flush_all()

    def _count(self, function):
        self._count_queries(function)  # warms the caches of rules and views
        return self._count_queries(function)

    def _get_kanban_specification(self, model, view):
        view = self.env.ref(f"project_lifecycle.{view}")
        fields_info = self.env[model].get_views([(view.id, "kanban")])["models"]
        names = fields_info[model]["fields"]
        arch = self.env[model].get_view(view.id, "kanban")["arch"]
        return {
            name: {"fields": {"display_name": {}}}
            if info.get("type") in ("many2one", "many2many")
            else {}
            for name, info in names.items()
            if f'name="{name}"' in arch
        }

    @users("pl_consultant")
    @warmup
    def test_kanban_of_a_thousand_flows(self):
        Flow = self.env["project.flow"]
        spec = self._get_kanban_specification(
            "project.flow", "project_flow_view_kanban"
        )
        self.assertIn("next_action", spec)
        costs = []
        for size in (10, 1000):
            domain = [("id", "in", self.flows[:size].ids)]
            costs.append(
                self._count(
                    lambda domain=domain: Flow.web_search_read(domain, spec, limit=2000)
                )
            )
        self.assertEqual(len(self.flows), 1000)
        self.assertEqual(costs[0], costs[1])
        self.assertLess(costs[1], 30)

    @users("pl_consultant")
    @warmup
    def test_hours_of_fifty_phases_in_one_grouped_query(self):
        phases = self.phases.with_env(self.env)
        phases.mapped("planned_hours")
        self.env["project.work.type"].search([]).mapped("name")
        with self.assertQueryCount(pl_consultant=1):
            phases.mapped("spent_hours")
        self.assertEqual(set(phases.mapped("spent_hours")), {2})

    @users("pl_consultant")
    @warmup
    def test_list_of_phases(self):
        names = {
            name: {}
            for name in (
                "name",
                "is_late",
                "progress",
                "spent_hours",
                "hours_by_work_type",
                "task_count",
                "training_count",
                "display_name",
            )
        }
        costs = [
            self._count(
                lambda size=size: self.env["project.phase"].web_search_read(
                    [("id", "in", self.phases[:size].ids)], names
                )
            )
            for size in (1, 50)
        ]
        self.assertEqual(costs[0], costs[1])

    @users("pl_consultant")
    @warmup
    def test_gate_and_smart_buttons_of_many_projects(self):
        self.projects.sudo().stage_id.ensure_one()
        names = ("gate_progress", "phase_count", "flow_count", "current_phase_id")
        costs = [
            self._count(
                lambda size=size: [
                    self.projects[:size].with_env(self.env).mapped(name)
                    for name in names
                ]
            )
            for size in (2, 50)
        ]
        self.assertEqual(costs[0], costs[1])

    @users("pl_consultant")
    @warmup
    def test_phase_of_many_lines_and_tasks(self):
        lines = self.phases.sudo().timesheet_ids.with_env(self.env)
        tasks = self.env["project.task"].create(
            [
                {"name": "Configure", "project_id": project.id}
                for project in self.projects
            ]
        )

        def compute(records):
            self.env.add_to_compute(records._fields["phase_id"], records)
            records.mapped("phase_id")

        for records in (lines, tasks):
            costs = [
                self._count(lambda size=size, records=records: compute(records[:size]))
                for size in (2, 50)
            ]
            self.assertEqual(costs[0], costs[1])
