from odoo.tests import new_test_user

from ..models.lifecycle.project_lock import unlocked
from .common import LifecycleCommon


class AgreementCommon(LifecycleCommon):
    """A client project in its kick-off, with points and a scope."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("es_ES")
        cls._keep_criteria("implementation_agreement")
        cls.project = cls._create_project(spoc_id=cls.spoc.id)
        cls.project.stage_id = cls.stage_kickoff
        cls.sales = cls.env.ref("project_lifecycle.application_sales")
        cls.inventory = cls.env.ref("project_lifecycle.application_inventory")
        cls.line = cls.env["project.scope.line"].create(
            {
                "project_id": cls.project.id,
                "application_id": cls.sales.id,
                "reason": "Orders are kept in spreadsheets",
                "expectations": "Salesperson: they believe it types itself",
            }
        )
        cls.checklist = cls._create_checklist(cls.project)
        cls.standard = cls._create_point("Standard first", "agreed")
        cls.time = cls._create_point(
            "Analysis and project management are deducted too",
            "agreed",
            code="time_deduction",
        )
        # A contact of the same company who is not the SPOC
        cls.contact = cls.env["res.partner"].create(
            {"name": "Pablo Soler", "parent_id": cls.client.id}
        )
        cls.contact_user = new_test_user(
            cls.env,
            "pl_contact",
            name=cls.contact.name,
            groups="base.group_portal",
            partner_id=cls.contact.id,
        )
        cls.project.message_subscribe(partner_ids=(cls.spoc | cls.contact).ids)

    @classmethod
    def _create_checklist(cls, project):
        """Return the checklist of the kick-off, with no points yet."""
        checklist = project.checklist_ids.filtered(lambda c: c.kind == "kickoff")
        checklist.item_ids.unlink()
        return checklist or unlocked(cls.env["project.checklist"]).create(
            {"name": "Kick-off", "project_id": project.id, "kind": "kickoff"}
        )

    @classmethod
    def _create_point(cls, name, state, **values):
        return cls.env["project.checklist.item"].create(
            {
                "checklist_id": cls.checklist.id,
                "section": "Methodology",
                "name": name,
                "state": state,
                "is_client_visible": True,
            }
            | values
        )

    def _get_activities(self, name, project=None):
        project = project or self.project
        return project.activity_ids.filtered(
            lambda activity: activity.activity_type_id
            == self.env.ref(f"project_lifecycle.mail_activity_type_{name}")
        )
