from odoo import api, fields, models


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    lifecycle_meeting = fields.Selection(
        selection_add=[
            ("pre_go_live", "Pre-launch call"),
            ("go_live_day", "Go-live day"),
            ("follow_up", "Follow-up"),
        ],
        ondelete={
            "pre_go_live": "set null",
            "go_live_day": "set null",
            "follow_up": "set null",
        },
    )

    @api.model
    def _get_client_meeting_kinds(self):
        return super()._get_client_meeting_kinds() | {
            "pre_go_live",
            "go_live_day",
            "follow_up",
        }

    @api.model
    def _get_checklist_kinds(self):
        return super()._get_checklist_kinds() | {
            "pre_go_live": "go_live",
            "go_live_day": "go_live",
        }
