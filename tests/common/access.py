from datetime import date

from odoo.fields import Command
from odoo.tests import new_test_user

from .kickoff import KickoffMixin
from .lifecycle import LifecycleMixin
from .pack import PackMixin


class AccessMixin(KickoffMixin, PackMixin, LifecycleMixin):
    """Everybody who may come near a client project, and one record of each kind in it.

    ``roles`` are the users by the names that the tables in ``tests/access/`` use.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_roles()
        cls._create_client_project()

    @classmethod
    def _create_roles(cls):
        cls.other_company = cls.env["res.company"].create({"name": "Sister Firm"})
        foreign = {
            "company_id": cls.other_company.id,
            "company_ids": [Command.set(cls.other_company.ids)],
        }
        cls.mate = cls.env["res.partner"].create(
            {
                "name": "Pablo Soler",
                "parent_id": cls.client.id,
                "email": "p@example.com",
            }
        )
        cls.roles = {
            "consultant": cls.consultant,
            "colleague": cls.colleague,
            "salesperson": cls.salesperson,
            "other_salesperson": cls._new_user(
                "pl_seller", "sales_team.group_sale_salesman"
            ),
            "project_user": cls._new_user("pl_member", "project.group_project_user"),
            "manager": cls.manager,
            "employee": cls._new_user("pl_employee", "base.group_user"),
            "foreign_consultant": cls._new_user(
                "pl_abroad", "project_lifecycle.group_consultant", **foreign
            ),
            "foreign_manager": cls._new_user(
                "pl_director", "project.group_project_manager", **foreign
            ),
            "spoc": cls.spoc_user,
            "client_colleague": cls._new_user(
                "pl_mate", "base.group_portal", partner_id=cls.mate.id
            ),
            "other_client": cls.stranger_user,
            "administrator": cls._new_user("pl_administrator", "base.group_system"),
        }

    @classmethod
    def _new_user(cls, login, groups, **values):
        return new_test_user(cls.env, login, groups=groups, **values)

    @classmethod
    def _create_client_project(cls):
        """Create a project in its kick-off, with one of all that belongs to it."""
        env = cls.env
        cls.employees = env["hr.employee"].create(
            [
                {
                    "name": user.name,
                    "user_id": user.id,
                    "company_id": user.company_id.id,
                }
                for user in cls.roles.values()
                if not user.share
            ]
        )
        cls.crm = env.ref("project_lifecycle.application_crm")
        cls.sales = env.ref("project_lifecycle.application_sales")
        cls.project = cls._create_project(
            spoc_id=cls.spoc.id, allow_billable=True, company_id=env.company.id
        )
        cls.project.message_subscribe(partner_ids=(cls.spoc | cls.mate).ids)
        cls.other_project = cls._create_project(
            name="Almazara Shops", allow_billable=True, company_id=env.company.id
        )
        cls.order = env["sale.order"].create(
            {
                "partner_id": cls.client.id,
                "project_id": cls.project.id,
                "user_id": cls.salesperson.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": env.ref(
                                "project_lifecycle.product_template_consultancy_pack"
                            ).product_variant_id.id,
                            "product_uom_qty": 40,
                        }
                    )
                ],
            }
        )
        cls.order.action_confirm()
        cls.pack = cls.order.order_line.pack_ids
        cls.internal_meeting = cls._create_meeting(cls.project, "internal_kickoff")
        cls._move(cls.project, cls.stage_kickoff)
        cls.scope_line = env["project.scope.line"].create(
            {
                "project_id": cls.project.id,
                "application_id": cls.crm.id,
                "reason": "Leads are lost",
            }
        )
        cls.phase = cls._create_phase(cls.project, "Sell")
        cls.flow = env["project.flow"].create(
            {
                "name": "From the lead to the order",
                "project_id": cls.project.id,
                "phase_id": cls.phase.id,
            }
        )
        cls.development = env["project.development.request"].create(
            {"name": "Label", "flow_id": cls.flow.id, "need": "<p>A label</p>"}
        )
        cls.data_import = env["project.data.import"].create(
            {"name": "Clients", "flow_id": cls.flow.id}
        )
        cls.task = env["project.task"].create(
            {"name": "Set up the teams", "project_id": cls.project.id}
        )
        cls.line = env["account.analytic.line"].create(
            {
                "name": "Set-up",
                "project_id": cls.project.id,
                "task_id": cls.task.id,
                "user_id": cls.consultant.id,
                "unit_amount": 2,
            }
        )
        cls.risk = env["project.risk"].create(
            {"name": "Hours are short", "project_id": cls.project.id}
        )
        cls.meeting = cls._create_meeting(
            cls.project,
            "kickoff",
            partner_ids=[Command.set((cls.consultant.partner_id | cls.spoc).ids)],
        )
        cls.checklist = cls.project.checklist_ids.filtered(
            lambda checklist: checklist.kind == "kickoff"
        )
        cls.point = cls.checklist.item_ids.filtered(
            lambda point: not point.is_mandatory
        )[:1]
        cls.hand_over_point = (cls.project.checklist_ids - cls.checklist).item_ids[:1]

    @classmethod
    def _create_phase(cls, project, name, **values):
        return cls.env["project.phase"].create(
            {
                "name": name,
                "project_id": project.id,
                "date_start": date(2031, 1, 6),
                "date_go_live": date(2031, 3, 4),
            }
            | values
        )

    @classmethod
    def _move(cls, project, stage, reason="Everybody knows"):
        """Move a project as a manager does who overrides the gate."""
        cls.env["project.stage.override.wizard"].with_user(cls.manager).create(
            {"project_id": project.id, "stage_id": stage.id, "reason": reason}
        ).action_override()
