from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_list

# What makes a meeting evidence of a flow.
EVIDENCE_FIELDS = {
    "held",
    "recording_url",
    "flow_ids",
    "lifecycle_meeting",
    "project_id",
    "active",
}


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    flow_ids = fields.Many2many(
        "project.flow",
        "calendar_event_project_flow_rel",
        "event_id",
        "flow_id",
        string="Business Flows",
        groups="base.group_user",
        domain="[('project_id', '=', project_id)]",
        help="What is shown in this proof of concept or taught in this training.",
    )
    cycle_ids = fields.One2many(
        "project.flow.cycle",
        "poc_meeting_id",
        string="Cycles Shown",
        groups="base.group_user",
        export_string_translation=False,
    )

    @api.onchange("project_id")
    def _onchange_project_id_flows(self):
        self.flow_ids = self.flow_ids.filtered(
            lambda flow: flow.project_id == self.project_id
        )

    @api.constrains("recording_url")
    def _check_recording_url(self):
        for event in self:
            if event.recording_url and not is_web_address(event.recording_url):
                raise ValidationError(
                    self.env._(
                        "“%(text)s” is not the address of a recording. Paste the whole "
                        "link, as in https://meet.example.com/recording/1.",
                        text=event.recording_url,
                    )
                )

    @api.constrains("flow_ids", "project_id")
    def _check_flows(self):
        for event in self.sudo():  # private meetings too
            foreign = event.flow_ids.filtered(
                lambda flow, event=event: flow.project_id != event.project_id
            )
            if foreign:
                raise ValidationError(
                    self.env._(
                        "%(flow)s is a flow of %(project)s, and this meeting is about "
                        "another project. Choose flows of the meeting's project.",
                        flow=foreign[0].name,
                        project=foreign[0].project_id.name,
                    )
                )

    @api.model
    def _get_public_fields(self):
        # Trainings open the steps of flows: a private meeting counts as well.
        return super()._get_public_fields() | {"flow_ids"}

    @api.model_create_multi
    def create(self, vals_list):
        events = super().create(vals_list)
        self._check_trained(events._get_taught())
        events._show_in_cycles()
        return events

    def write(self, vals):
        if not EVIDENCE_FIELDS & vals.keys():
            return super().write(vals)
        if {"recording_url", "flow_ids"} & vals.keys():
            self._check_lifecycle_rights()
        before = self._get_taught()
        result = super().write(vals)
        after = self._get_taught()
        self._check_trained(after - before)
        self._check_still_trained(before - after)
        self._check_still_shown(
            self.sudo().filtered(lambda event: event.held and event.active)
        )
        self._show_in_cycles()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_evidence(self):
        self._check_still_shown(self.browse())
        self._check_still_trained(self._get_taught(), without=self)

    def _get_taught(self):
        """Return what was taught in those of these meetings that were held.

        :return: set of triples: training, flow, kind of training; a training of no
            flow in particular has an empty one
        """
        return {
            (event, flow, event.lifecycle_meeting)
            for event in self.sudo()  # private meetings count as well
            if event.held
            and event.active
            and event.lifecycle_meeting in ("spoc_training", "user_training")
            and event.project_id.is_lifecycle
            for flow in event.flow_ids or [event.flow_ids]
        }

    @api.model
    def _check_trained(self, taught):
        """Check that end users are only trained on what the SPOC has validated.

        Nothing reaches the end users that is not validated: methodology.md, section 3.

        :param taught: what is new of :meth:`_get_taught`
        :raises UserError: with the flows that are not validated
        """
        early = self.env["project.flow"]
        for event, flow, kind in taught:
            if kind != "user_training":
                continue
            if not flow and event.project_id.flow_ids:
                raise UserError(
                    self.env._(
                        "Say on which business flows the users were trained: choose "
                        "the flows of this training before marking it as held."
                    )
                )
            if flow and flow.step not in ("training", "done"):
                early |= flow
        if early:
            raise UserError(
                self.env._(
                    "End users are trained after the validation only. The SPOC has not "
                    "validated yet: %s.",
                    format_list(self.env, early.mapped("name")),
                )
            )

    @api.model
    def _check_still_trained(self, lost, without=None):
        """Check that no flow loses the training with which it went on.

        :param lost: what is no longer so of :meth:`_get_taught`
        :param without: meetings that are about to be deleted
        :raises UserError: with the flow that has gone on
        """
        flows = self.env["project.flow"].sudo().union(*(flow for _e, flow, _k in lost))
        if not flows:
            return
        trained = set(
            self.sudo()
            .search(
                [
                    ("flow_ids", "in", flows.ids),
                    ("held", "=", True),
                    ("id", "not in", without.ids if without else []),
                ]
            )
            ._get_taught()
        )
        trained = {(flow.id, kind) for _event, flow, kind in trained}
        needing = {
            "spoc_training": ("validation", "training", "done"),
            "user_training": ("done",),
        }
        for _event, flow, kind in lost:
            if flow.step in needing[kind] and (flow.id, kind) not in trained:
                raise UserError(
                    self.env._(
                        "%s went on after this training: the training stays as held.",
                        flow.name,
                    )
                )

    def _check_still_shown(self, valid):
        """Check that no flow loses the proof of concept with which it went on.

        :param valid: those of the meetings that still are held
        :raises UserError: with the flow that has gone on
        """
        cycles = self.sudo().cycle_ids.filtered(lambda cycle: cycle.step != "analysis")
        for cycle in cycles:
            meeting = cycle.poc_meeting_id
            if (
                meeting not in valid
                or not meeting.recording_url
                or meeting.lifecycle_meeting != "poc"
                or meeting.project_id != cycle.project_id
            ):
                raise UserError(
                    self.env._(
                        "%(cycle)s went on with this proof of concept: the meeting "
                        "stays as held, with its recording.",
                        cycle=cycle.display_name,
                    )
                )

    def _show_in_cycles(self):
        """Take a proof of concept as the one of the flows that it shows.

        Only flows in their analysis that have none yet take it.
        """
        for event in self.sudo():  # the right to plan the meeting was checked
            if event.lifecycle_meeting != "poc" or not event.flow_ids:
                continue
            cycles = event.flow_ids.filtered(
                lambda flow, event=event: flow.step == "analysis"
                and not flow.current_cycle_id.poc_meeting_id
                and event not in flow.cycle_ids.poc_meeting_id
            ).current_cycle_id
            cycles.poc_meeting_id = event


def is_web_address(text):
    """Return whether a text is the address of a page: http or https, with a host."""
    try:
        parts = urlsplit(text.strip())
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not any(character.isspace() for character in text.strip())
        )
    except ValueError:  # brackets that are no IPv6 address, for example
        return False
