from datetime import date

from odoo import fields
from odoo.fields import Command

from . import LifecycleCommon


class ImplementationCommon(LifecycleCommon):
    """A project in its implementation, with the steps of a flow to walk."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls._create_project(spoc_id=cls.spoc.id)
        cls._enter(cls.project, cls.stage_kickoff, cls.stage_implementation)
        cls.crm = cls.env.ref("project_lifecycle.application_crm")
        cls.sales = cls.env.ref("project_lifecycle.application_sales")
        cls.inventory = cls.env.ref("project_lifecycle.application_inventory")
        cls.mvp = cls._create_phase("Sales", date(2030, 1, 7), date(2030, 3, 4))

    @classmethod
    def _enter(cls, projects, *stages):
        """Bring projects to stages without what their gates ask for."""
        criteria = cls.env["project.stage.criterion"].search([("id", "!=", 0)])
        criteria.active = False
        for stage in stages:
            projects.stage_id = stage
        criteria.active = True

    @classmethod
    def _create_phase(cls, name, start=False, go_live=False, **values):
        return cls.env["project.phase"].create(
            {
                "name": name,
                "project_id": cls.project.id,
                "date_start": start,
                "date_go_live": go_live,
            }
            | values
        )

    @classmethod
    def _create_flow(cls, name="From the quotation to the order", **values):
        return cls.env["project.flow"].create(
            {"name": name, "project_id": cls.project.id, "phase_id": cls.mvp.id}
            | values
        )

    @classmethod
    def _meet(cls, flows, kind, **values):
        """Hold a meeting about flows with the SPOC, which began right now."""
        people = cls.consultant.partner_id | cls.spoc
        return cls._create_meeting(
            flows[:1].project_id,
            kind,
            **{
                "start": fields.Datetime.now(),
                "stop": fields.Datetime.add(fields.Datetime.now(), hours=1),
                "flow_ids": [Command.set(flows.ids)],
                "partner_ids": [Command.set(people.ids)],
            }
            | values,
        )

    @classmethod
    def _show(cls, flows, **values):
        """Hold and record a proof of concept of flows."""
        recording = "https://meet.example.com/recording/1"
        return cls._meet(flows, "poc", **{"recording_url": recording} | values)

    @classmethod
    def _train(cls, flows, kind, **values):
        """Hold a training of flows."""
        return cls._meet(flows, kind, **values)

    def _bring_to_validation(self, flow):
        """Walk the first steps of the current cycle."""
        self._show(flow)
        flow.step = "realisation"
        self._train(flow, "spoc_training")
        flow.step = "validation"

    def _validate(self, flow):
        """Record the validation of the SPOC, as a consultant does."""
        flow._decide("validated", statement="Go ahead", evidence="E-mail of today")

    def _reject(self, flow, feedback="The discount is missing"):
        flow._decide("rejected", feedback=feedback, evidence="Call of today")

    def _finish(self, flow):
        """Bring a flow from its analysis to the end."""
        self._bring_to_validation(flow)
        self._validate(flow)
        self._train(flow, "user_training")
        flow.step = "done"

    def _make_live(self, phase):
        """Bring a planned phase to its go-live, with one flow."""
        flow = self._create_flow(phase_id=phase.id)
        phase.action_start()
        self._finish(flow)
        self._go_live(phase)
        return flow

    def _go_live(self, phase):
        """Set a phase ready and live."""
        phase._set_ready()
        phase._set_live()

    def _agree_complete(self, phase, words="All works, go on"):
        """Record that the SPOC agrees that a go-live is complete."""
        phase._complete(words, "Follow-up call of today")
