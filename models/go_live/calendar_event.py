from odoo import api, models


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    @api.model
    def _get_checklist_kinds(self):
        return super()._get_checklist_kinds() | {
            "pre_go_live": "go_live",
            "go_live_day": "go_live",
        }
