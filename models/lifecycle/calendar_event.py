from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command


class CalendarEvent(models.Model):
    _name = "calendar.event"
    _inherit = ["calendar.event", "project.lock.mixin"]

    # The prefetch group: gates read these of many meetings, and nothing else of them.
    project_id = fields.Many2one(
        "project.project",
        string="Client Project",
        prefetch="lifecycle",
        index="btree_not_null",
        ondelete="set null",
        domain="[('is_lifecycle', '=', True), ('is_template', '=', False)]",
        tracking=True,
    )
    lifecycle_meeting = fields.Selection(
        [
            ("internal_kickoff", "Internal kick-off"),
            ("kickoff", "Kick-off"),
            ("poc", "Proof of concept"),
            ("spoc_training", "SPOC training"),
            ("user_training", "End-user training"),
            ("pre_go_live", "Pre-launch call"),
            ("go_live_day", "Go-live day"),
            ("follow_up", "Follow-up"),
            ("progress_report", "Progress report"),
        ],
        string="Kind of Meeting",
        prefetch="lifecycle",
        tracking=True,
    )
    held = fields.Boolean(
        prefetch="lifecycle",
        copy=False,
        tracking=True,
        help="The meeting took place. Some gates of the lifecycle ask for it.",
    )
    recording_url = fields.Char(string="Recording", groups="base.group_user")
    # Attendees of the client read their events in the portal: minutes stay internal.
    minutes = fields.Html(groups="base.group_user", prefetch=False)

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
        if kind in ("internal_kickoff", "kickoff"):
            label = dict(
                self._fields["lifecycle_meeting"]._description_selection(self.env)
            )
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

    @api.model_create_multi
    def create(self, vals_list):
        events = super().create(vals_list)
        events._check_lifecycle_rights()
        return events

    def write(self, vals):
        is_lifecycle = {"project_id", "lifecycle_meeting", "held"} & vals.keys()
        if is_lifecycle:
            self._check_lifecycle_rights()
        result = super().write(vals)
        if is_lifecycle:
            self._check_lifecycle_rights()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_check_lifecycle_rights(self):
        self.filtered("held")._check_lifecycle_rights()

    def _check_lifecycle_rights(self):
        """Check that the user may say which meetings a client project had.

        They open gates, so that takes the right to change the project or to be its
        salesperson, who takes part in the internal kick-off.

        :raises AccessError: with the projects that are not the user's
        """
        if self.env.su:
            return
        projects = self.project_id
        # sudo: whose project it is may be known, and is not passed on
        foreign = projects - projects._filtered_access("write")
        foreign = foreign.sudo().filtered(
            lambda project: project.salesperson_id != self.env.user
        )
        if foreign:
            raise AccessError(
                self.env._(
                    "Only the people of %(projects)s plan its meetings and say whether "
                    "they were held. Ask its consultant or a project manager.",
                    projects=", ".join(foreign.mapped("name")),
                )
            )
