from odoo import fields, models
from odoo.fields import Domain


class ProjectProject(models.Model):
    """The meetings of projects."""

    _inherit = "project.project"

    meeting_ids = fields.One2many(
        "calendar.event", "project_id", string="Meetings", groups="base.group_user"
    )
    meeting_count = fields.Integer(
        compute="_compute_meeting_count", compute_sudo=True, groups="base.group_user"
    )
    next_meeting_date = fields.Datetime(
        string="Next Meeting",
        compute="_compute_next_meeting_date",
        compute_sudo=True,
        groups="base.group_user",
    )

    def _compute_meeting_count(self):
        counts = self._read_group_meetings(Domain.TRUE, "__count")
        for project in self:
            project.meeting_count = counts.get(project.id, 0)

    def _compute_next_meeting_date(self):
        coming = Domain("start", ">=", fields.Datetime.now())
        dates = self._read_group_meetings(coming, "start:min")
        for project in self:
            project.next_meeting_date = dates.get(project.id, False)

    def _read_group_meetings(self, domain, aggregate):
        """Return an aggregate of the meetings of each project, by project id.

        Computed with sudo: the numbers and dates count private meetings too.
        """
        groups = self.env["calendar.event"]._read_group(
            domain & Domain("project_id", "in", self.ids), ["project_id"], [aggregate]
        )
        return {project.id: value for project, value in groups}

    def action_view_meetings(self):
        """Open the meetings of the project."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.lifecycle_meeting_action"
        )
        return action | {
            "context": {
                "default_project_id": self.id,
                "default_partner_ids": (
                    self.env.user.partner_id | self.user_id.partner_id
                ).ids,
            },
            "domain": [("project_id", "=", self.id)],
        }
