from odoo import api, fields, models


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    lifecycle_meeting = fields.Selection(
        selection_add=[("progress_report", "Progress report")],
        ondelete={"progress_report": "set null"},
    )

    @api.model
    def _get_client_meeting_kinds(self):
        return super()._get_client_meeting_kinds() | {"progress_report"}
