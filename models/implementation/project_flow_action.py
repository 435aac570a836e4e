from odoo import models
from odoo.fields import Command
from odoo.tools import format_list

from .project_flow_cycle import STEPS


class ProjectFlow(models.Model):
    _inherit = "project.flow"

    def action_next_step(self):
        """Move each flow to its next step.

        :raises UserError: with what is missing
        """
        steps = [name for name, _label in STEPS]
        for step, flows in self.grouped("step").items():
            if step != "done":
                flows._move_to(steps[steps.index(step) + 1])
        return True

    def _action_decision(self, result):
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.implementation_flow_decision_action"
        ) | {
            "context": {
                "default_cycle_id": self.current_cycle_id.id,
                "default_result": result,
            }
        }

    def action_validate(self):
        """Ask for the words with which the SPOC validated the flow."""
        return self._action_decision("validated")

    def action_reject(self):
        """Ask for the feedback with which the SPOC sent the flow back."""
        return self._action_decision("rejected")

    def action_refine(self):
        """Ask for the feedback of the users that takes a new cycle."""
        return self._action_decision("refined")

    def action_set_aside(self):
        """Ask why the flow is not wanted now, and for a later phase."""
        return self._action_decision("set_aside")

    def _prepare_meeting_context(self, kind):
        """Return the context to plan a meeting of these flows."""
        project = self.project_id[:1]
        labels = dict(
            self.env["calendar.event"]
            ._fields["lifecycle_meeting"]
            ._description_selection(self.env)
        )
        people = self.env.user.partner_id | project.user_id.partner_id
        names = format_list(self.env, self.mapped("name"))
        return {
            "default_project_id": project.id,
            "default_lifecycle_meeting": kind,
            "default_flow_ids": [Command.set(self.ids)],
            "default_name": f"{labels[kind]}: {names}",
            "default_partner_ids": (people | project.spoc_id).ids,
            # Stock Odoo would link the event to what is open as a document
            "default_res_model_id": False,
            "default_res_id": False,
        }

    def action_plan_poc(self):
        """Plan the proof of concept of the flow."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Proof of Concept"),
            "res_model": "calendar.event",
            "view_mode": "form",
            "context": self._prepare_meeting_context("poc"),
        }

    def action_view_trainings(self):
        """Open the trainings of the flow, and plan the one that comes next."""
        self.ensure_one()
        kind = "spoc_training"
        if self.step in ("training", "done"):
            kind = "user_training"
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.implementation_training_action"
        )
        return action | {
            "domain": [
                ("flow_ids", "in", self.ids),
                ("lifecycle_meeting", "in", ("spoc_training", "user_training")),
            ],
            "context": self._prepare_meeting_context(kind),
        }

    def action_view_tasks(self):
        """Open the tasks of the flow."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "project.action_view_all_task"
        )
        return action | {
            "domain": [("flow_id", "=", self.id)],
            "context": {
                "default_project_id": self.project_id.id,
                "default_phase_id": self.phase_id.id,
                "default_flow_id": self.id,
            },
        }
