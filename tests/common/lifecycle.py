from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user

from .assertions import QueriesMixin, RefusalMixin


class LifecycleMixin(RefusalMixin, QueriesMixin):
    """The firm, its people with the rights they really have, and two clients."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(
            cls.env, "pl_manager", groups="project.group_project_manager"
        )
        cls.consultant = new_test_user(
            cls.env, "pl_consultant", groups="project_lifecycle.group_consultant"
        )
        cls.colleague = new_test_user(
            cls.env, "pl_colleague", groups="project_lifecycle.group_consultant"
        )
        cls.salesperson = new_test_user(
            cls.env, "pl_salesperson", groups="sales_team.group_sale_salesman"
        )
        cls.client = cls.env["res.partner"].create(
            {"name": "Almazara del Olivar", "is_company": True}
        )
        cls.spoc = cls.env["res.partner"].create(
            {
                "name": "Beatriz Soler",
                "parent_id": cls.client.id,
                "email": "beatriz@olivar.example.com",
            }
        )
        cls.spoc_user = new_test_user(
            cls.env,
            "pl_spoc",
            name=cls.spoc.name,
            groups="base.group_portal",
            partner_id=cls.spoc.id,
        )
        cls.other_client = cls.env["res.partner"].create(
            {"name": "Harbour Bicycles", "is_company": True}
        )
        cls.stranger = cls.env["res.partner"].create(
            {"name": "Amelia Hart", "parent_id": cls.other_client.id}
        )
        cls.stranger_user = new_test_user(
            cls.env,
            "pl_stranger",
            name=cls.stranger.name,
            groups="base.group_portal",
            partner_id=cls.stranger.id,
        )
        for name in (
            "internal_kickoff",
            "kickoff",
            "implementation",
            "go_live",
            "support",
            "done",
        ):
            stage = cls.env.ref(f"project_lifecycle.stage_{name}")
            setattr(cls, f"stage_{name}", stage)

    @classmethod
    def _keep_criteria(cls, *names):
        """Archive all criteria but these, so that one room is tested on its own.

        :param names: the external ids of the criteria to keep, without ``criterion_``
        """
        criteria = cls.env["project.stage.criterion"].search([("id", "!=", 0)])
        for name in names:
            criteria -= cls.env.ref(f"project_lifecycle.criterion_{name}")
        criteria.active = False

    @classmethod
    def _create_project(cls, **values):
        """Create a client project of the consultant, in Internal kick-off."""
        return cls.env["project.project"].create(
            {
                "name": "Almazara ERP",
                "is_lifecycle": True,
                "partner_id": cls.client.id,
                "user_id": cls.consultant.id,
                "salesperson_id": cls.salesperson.id,
            }
            | values
        )

    @classmethod
    def _create_meeting(cls, project, kind, **values):
        """Create a meeting that was held yesterday, unless the values say otherwise.

        The SPOC takes part where there is one.
        """
        people = project.user_id.partner_id | project.spoc_id
        start = fields.Datetime.now() - timedelta(days=1)
        return (
            cls.env["calendar.event"]
            .with_context(no_mail_to_attendees=True, dont_notify=True)
            .create(
                {
                    "name": kind,
                    "project_id": project.id,
                    "lifecycle_meeting": kind,
                    "held": True,
                    "start": start,
                    "stop": start + timedelta(hours=1),
                    "user_id": cls.consultant.id,
                    "partner_ids": [Command.set(people.ids)],
                }
                | values
            )
        )

    @classmethod
    def _make_ready_for_kickoff(cls, projects):
        """Do all that the gate to the client kick-off asks for."""
        projects.spoc_id = cls.spoc
        for project in projects:
            cls._create_meeting(project, "internal_kickoff")
