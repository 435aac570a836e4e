from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import HttpCase, tagged, users, warmup
from odoo.tools import mute_logger

from .lifecycle_common import LifecycleCommon


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
            "gate_summary",
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
        with self.assertQueryCount(pl_consultant=30):
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
