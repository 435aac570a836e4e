from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tools import format_list

TRAININGS = ("spoc_training", "user_training")
# What makes a meeting evidence of a flow, or changes when it was.
EVIDENCE_FIELDS = {
    "held",
    "recording_url",
    "flow_ids",
    "lifecycle_meeting",
    "project_id",
    "active",
    "start",
    "start_date",
    "stop",
    "stop_date",
    "allday",
    "duration",
    "recurrency",
    "recurrence_update",
}


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    lifecycle_meeting = fields.Selection(
        selection_add=[
            ("poc", "Proof of concept"),
            ("spoc_training", "SPOC training"),
            ("user_training", "End-user training"),
        ],
        ondelete={
            "poc": "set null",
            "spoc_training": "set null",
            "user_training": "set null",
        },
    )
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
        readonly=True,
        groups="base.group_user",
        export_string_translation=False,
    )
    training_cycle_ids = fields.Many2many(
        "project.flow.cycle",
        "calendar_event_project_flow_cycle_rel",
        "event_id",
        "cycle_id",
        string="Cycles Taught",
        readonly=True,
        copy=False,
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
    def _get_client_meeting_kinds(self):
        return super()._get_client_meeting_kinds() | {"poc", "spoc_training"}

    @api.model
    def _get_public_fields(self):
        # Trainings open the steps of flows: a private meeting counts as well.
        return super()._get_public_fields() | {"flow_ids"}

    @api.model_create_multi
    def create(self, vals_list):
        events = super().create(vals_list)
        meetings = events._get_meetings()
        meetings._count_for_cycles()
        meetings._show_in_cycles()
        return events

    def write(self, vals):
        if not EVIDENCE_FIELDS & vals.keys():
            return super().write(vals)
        if {"recording_url", "flow_ids"} & vals.keys():
            self._check_lifecycle_rights()
        events = self._get_meetings()
        cycles = events.cycle_ids | events.training_cycle_ids
        held = {event: event._get_facts() for event in events if event.held}
        result = super().write(vals)
        events = (events | self.exists()._get_meetings()).exists()
        for event in events:
            if event.held and event in held and cycles:
                event._check_facts(held[event])
        events._count_for_cycles()
        cycles._check_evidence()
        cycles._forget_other_meetings()
        events._show_in_cycles()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_evidence(self):
        events = self._get_meetings()
        cycles = events.cycle_ids | events.training_cycle_ids
        events._forget_cycles()
        events.cycle_ids.poc_meeting_id = False
        cycles._check_evidence()

    def _get_meetings(self):
        """Return those of client projects, to read what they showed and taught.

        Private meetings count as well, and flows that were set aside since.
        """
        return self.sudo().with_context(active_test=False).filtered("project_id")

    def _filter_recorded(self):
        """Return those of these meetings (sudo) that have a recording.

        By a search: once somebody else has read a private meeting, the cache no longer
        says what its recording is.
        """
        return self.search(
            [("id", "in", self.ids), ("recording_url", "not in", (False, ""))]
        )

    def _get_facts(self):
        """Return what a meeting that was held keeps."""
        self.ensure_one()
        return self.lifecycle_meeting, self.project_id, self.start

    def _check_facts(self, facts):
        """Check that a meeting that counts for a cycle is still the same.

        :param facts: what :meth:`_get_facts` returned before
        :raises UserError: when it became another one
        """
        if (self.cycle_ids or self.training_cycle_ids) and self._get_facts() != facts:
            raise UserError(
                self.env._(
                    "“%s” was held and counts for a cycle: what it was, when and for "
                    "which project stays. If that is wrong, say first that it was not "
                    "held, and correct it then.",
                    self.name,
                )
            )

    def _count_for_cycles(self):
        """Let trainings that were held count for the cycle in which they began.

        A training counts for one cycle of each of its flows, which stays. It no longer
        counts when it was not held after all, except for a cycle that is closed.

        :raises UserError: for end users trained on what the SPOC had not validated
        """
        early = self.env["project.flow"]
        for event in self.sudo().with_context(active_test=False):
            flows = event.flow_ids.browse()
            if (
                event.held
                and event.active
                and event.lifecycle_meeting in TRAININGS
                and event.project_id.is_lifecycle
            ):
                flows = event.flow_ids
                event._check_taught()
            former = event.training_cycle_ids
            event._forget_cycles(former.filtered(lambda c, f=flows: c.flow_id not in f))
            for flow in flows - former.flow_id:
                cycle = flow._get_cycle_at(event.start)
                if event.lifecycle_meeting == "user_training" and not (
                    cycle._is_validated_before(event.start)
                ):
                    early |= flow
                cycle.training_ids = [Command.link(event.id)]
        if early:
            raise UserError(
                self.env._(
                    "End users are trained after the validation only. When this "
                    "training began, the SPOC had not validated yet: %s.",
                    format_list(self.env, early.mapped("name")),
                )
            )

    def _check_taught(self):
        """Check that a training of end users says who was trained, and on what.

        :raises UserError: with what is missing
        """
        self.ensure_one()
        if self.lifecycle_meeting != "user_training":
            return
        if not self.flow_ids and self.project_id.flow_ids:
            raise UserError(
                self.env._(
                    "Say on which business flows the users were trained: choose the "
                    "flows of this training before marking it as held."
                )
            )
        # By a search, see _filter_recorded
        people = self.env["calendar.attendee"].search([("event_id", "=", self.id)])
        present = people.filtered("attended") or people.filtered(
            lambda person: person.state != "declined"
        )
        client = self.project_id.partner_id.commercial_partner_id
        if client and client not in present.partner_id.commercial_partner_id:
            raise UserError(
                self.env._(
                    "Nobody of %(client)s took part in this training: add the users "
                    "who were trained to its attendees.",
                    client=client.name,
                )
            )

    def _forget_cycles(self, cycles=None):
        """Let trainings no longer count for cycles.

        :param cycles: some of their cycles (default: all)
        :raises UserError: for a cycle that is closed: its trainings are history
        """
        if cycles is None:
            cycles = self.training_cycle_ids
        for cycle in cycles:
            if cycle.date_end:
                raise UserError(
                    self.env._(
                        "%(cycle)s is closed, and this training was held in it: the "
                        "training stays as held.",
                        cycle=cycle.display_name,
                    )
                )
        cycles.training_ids = [Command.unlink(event.id) for event in self]

    def _show_in_cycles(self):
        """Take a proof of concept as the one of the flows that it shows.

        Only flows in their analysis that have none yet take it.
        """
        for event in self.sudo():  # the right to plan the meeting was checked
            if event.lifecycle_meeting != "poc" or not event.active:
                continue
            cycles = event.flow_ids.filtered(
                lambda flow, event=event: flow.active
                and flow.step == "analysis"
                and not flow.current_cycle_id.poc_meeting_id
                and flow.current_cycle_id._may_count(event.start)
                and event not in flow.cycle_ids.poc_meeting_id
            ).current_cycle_id
            if cycles:
                cycles._set_poc(event)


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
