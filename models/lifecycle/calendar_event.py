from odoo import api, fields, models
from odoo.exceptions import AccessError


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    project_id = fields.Many2one(
        "project.project",
        string="Client Project",
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
        tracking=True,
    )
    held = fields.Boolean(
        copy=False,
        tracking=True,
        help="The meeting took place. Some gates of the lifecycle ask for it.",
    )
    recording_url = fields.Char(string="Recording", groups="base.group_user")
    # Attendees of the client read their events in the portal: minutes stay internal.
    minutes = fields.Html(groups="base.group_user", prefetch=False)

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
