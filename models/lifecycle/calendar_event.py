from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain

# Which meetings a client project had, and what was said in them.
LIFECYCLE_FIELDS = {
    "project_id",
    "lifecycle_meeting",
    "held",
    "minutes",
    "recording_url",
}
# What says that a meeting was held, and who was there: notes may be added later.
EVIDENCE_FIELDS = {"active", "attendee_ids", "held", "lifecycle_meeting", "project_id"}
# What others may not ask about a private meeting, as they cannot read it.
NOTES = {"minutes", "recording_url"}
# What a meeting that was held keeps, unless the people of its project change it.
HELD_FIELDS = {
    "active",
    "allday",
    "attendee_ids",
    "duration",
    "partner_ids",
    "start",
    "start_date",
    "stop",
    "stop_date",
    "user_id",
}


class CalendarEvent(models.Model):
    _name = "calendar.event"
    _inherit = ["calendar.event", "project.lock.mixin"]

    # The prefetch group: gates read these of many meetings, and nothing else of them.
    # Attendees of the client read their events in the portal: all of it stays internal.
    project_id = fields.Many2one(
        "project.project",
        string="Client Project",
        prefetch="lifecycle",
        index="btree_not_null",
        ondelete="set null",
        groups="base.group_user",
        domain="[('is_lifecycle', '=', True), ('is_template', '=', False)]",
        tracking=True,
    )
    lifecycle_meeting = fields.Selection(
        [("internal_kickoff", "Internal kick-off"), ("kickoff", "Kick-off")],
        string="Kind of Meeting",
        prefetch="lifecycle",
        groups="base.group_user",
        tracking=True,
    )
    held = fields.Boolean(
        prefetch="lifecycle",
        copy=False,
        groups="base.group_user",
        tracking=True,
        help="The meeting took place. Some gates of the lifecycle ask for it.",
    )
    # Another meeting, of the same series too, has its own.
    recording_url = fields.Char(
        string="Recording", copy=False, groups="base.group_user"
    )
    minutes = fields.Html(copy=False, groups="base.group_user", prefetch=False)

    @api.model
    def default_get(self, fields):
        """Propose the meeting that a project's stage asks for, and who takes part."""
        defaults = super().default_get(fields)
        project = self.env["project.project"].browse(
            self.env.context.get("default_project_id", [])
        )
        if not project.is_lifecycle:
            return defaults
        kind = project.lifecycle_stage
        label = dict(self._fields["lifecycle_meeting"]._description_selection(self.env))
        if kind in ("internal_kickoff", "kickoff"):
            defaults.setdefault("lifecycle_meeting", kind)
            defaults.setdefault("name", f"{label[kind]} - {project.name}")
        if "partner_ids" in defaults and "default_partner_ids" not in self.env.context:
            # The client is not invited to what the firm clears up by itself first.
            other = (
                project.salesperson_id.partner_id
                if kind == "internal_kickoff"
                else project.spoc_id
            )
            people = self.env.user.partner_id | project.user_id.partner_id | other
            defaults["partner_ids"] = [Command.set(people.ids)]
        return defaults

    @api.model
    def _get_public_fields(self):
        # Whether a kick-off was held opens a gate: a private meeting counts as well.
        return super()._get_public_fields() | {
            "project_id",
            "lifecycle_meeting",
            "held",
        }

    @api.model
    def _search(self, domain, *args, bypass_access=False, **kwargs):
        """Search the notes of those meetings only whose notes the user may read."""
        domain = Domain(domain)
        if not (self.env.su or bypass_access) and any(
            condition.field_expr.partition(".")[0] in NOTES
            for condition in domain.iter_conditions()
        ):
            domain &= Domain(self._get_default_privacy_domain()) | Domain(
                "partner_ids", "in", self.env.user.partner_id.ids
            )
        return super()._search(domain, *args, bypass_access=bypass_access, **kwargs)

    @api.model
    def _get_client_meeting_kinds(self):
        """Return the kinds of meeting that are held with the SPOC.

        Rooms that bring such kinds add them.
        """
        return {"kickoff"}

    @api.model_create_multi
    def create(self, vals_list):
        events = super().create(vals_list)
        events._check_lifecycle_rights()
        events._check_held()
        events.sudo()._check_client_attends()  # sudo: private meetings count as well
        return events

    def write(self, vals):
        # sudo: what kind of meeting it is may be known; super() checks the rights
        held_before = self.sudo().filtered(
            lambda event: event.held and event.project_id
        )
        names = set(vals)
        is_lifecycle = LIFECYCLE_FIELDS & names
        is_about_held = held_before and HELD_FIELDS & names
        if is_lifecycle:
            self._check_lifecycle_rights()
        elif is_about_held:
            (self & held_before)._check_lifecycle_rights()
        if {"project_id", "lifecycle_meeting"} & names and vals.get("held", True):
            held_before._check_stays(vals)
        people = {event: event.partner_ids for event in held_before}
        result = super().write(vals)
        if is_lifecycle:
            self._check_lifecycle_rights()
        if is_lifecycle or is_about_held:
            events = self.exists().sudo()
            events._check_held()
            events.filtered(
                lambda event: EVIDENCE_FIELDS & names
                or (event in people and people[event] - event.partner_ids)
            )._check_client_attends()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_check_lifecycle_rights(self):
        # sudo: private meetings, too
        held = self.sudo().filtered("held")
        (self & held)._check_lifecycle_rights()

    def _check_stays(self, vals):
        """Check that meetings which were held keep their project and their kind.

        :param vals: what is about to be written
        :raises UserError: naming the meeting
        """
        for event in self:
            if event.project_id.id != vals.get(
                "project_id", event.project_id.id
            ) or event.lifecycle_meeting != (
                vals.get("lifecycle_meeting", event.lifecycle_meeting) or False
            ):
                raise UserError(
                    self.env._(
                        "“%s” was held: it stays in its project, and its kind stays. "
                        "Mark it as not held first if that was a mistake.",
                        event.name,
                    )
                )

    def _check_held(self):
        """Check that meetings marked as held can have taken place.

        :raises UserError: for meetings that have not begun
        """
        for event in self.sudo():  # private meetings count as well
            if event.held and event.project_id and not event._has_begun():
                raise UserError(
                    self.env._(
                        "“%s” has not begun yet: it is marked as held once it has. "
                        "Correct its date if it took place earlier.",
                        event.name,
                    )
                )

    def _has_begun(self):
        """Return whether the meeting has begun; one of whole days has with its day."""
        self.ensure_one()
        if self.allday and self.start_date:
            return self.start_date <= fields.Date.context_today(self)
        return self.start and self.start <= fields.Datetime.now()

    def _check_client_attends(self):
        """Check that the SPOC or the stand-in took part in meetings with the client.

        :raises UserError: for those in which nobody decides for the client
        """
        client_kinds = self._get_client_meeting_kinds()
        for event in self:
            if (
                event.held
                and event.active
                and event.project_id
                and event.lifecycle_meeting in client_kinds
            ):
                event._check_decider_attends()

    def _check_decider_attends(self):
        """Check that the SPOC or the stand-in takes part in this meeting."""
        self.ensure_one()
        project = self.project_id
        deciders = project.spoc_id | project.spoc_stand_in_id
        declined = self.attendee_ids.filtered(
            lambda attendee: attendee.state == "declined"
        ).partner_id
        if deciders & (self.partner_ids - declined):
            return
        if not deciders:
            raise UserError(
                self.env._(
                    "“%(meeting)s” is a meeting with the client, and %(project)s has "
                    "no SPOC yet. Choose the SPOC first.",
                    meeting=self.name,
                    project=project.name,
                )
            )
        raise UserError(
            self.env._(
                "“%(meeting)s” is a meeting with the client, and %(people)s did not "
                "take part. Add the SPOC to the attendees, or name a stand-in in the "
                "project.",
                meeting=self.name,
                people=", ".join(deciders.mapped("name")),
            )
        )

    def _check_lifecycle_rights(self):
        """Check that the user may say which meetings a client project had.

        They open gates, so that takes the right to change the project. Its salesperson
        plans meetings, too, and says whether the internal kick-off was held, which is
        the one that he or she takes part in.

        :raises AccessError: with the projects that are not the user's
        """
        if self.env.su:
            return
        projects = self.project_id
        # sudo: whose project it is may be known, and is not passed on
        foreign = projects - projects._filtered_access("write")
        sold = foreign.sudo().filtered(
            lambda project: project.salesperson_id == self.env.user
        )
        others = self.sudo().filtered(
            lambda event: event.project_id in sold
            and event.held
            and event.lifecycle_meeting != "internal_kickoff"
        )
        foreign = foreign.sudo() - sold | others.project_id
        if foreign:
            raise AccessError(
                self.env._(
                    "Only the people of %(projects)s plan its meetings and say whether "
                    "they were held. Ask its consultant or a project manager.",
                    projects=", ".join(foreign.mapped("name")),
                )
            )
