from odoo import api, models


class ResourceCalendarLeaves(models.Model):
    _inherit = "resource.calendar.leaves"

    @api.model_create_multi
    def create(self, vals_list):
        leaves = super().create(vals_list)
        leaves._note_feasibility_change()
        return leaves

    def write(self, vals):
        is_input = vals.keys() & {
            "calendar_id",
            "company_id",
            "date_from",
            "date_to",
            "resource_id",
            "time_type",
        }
        if is_input:
            self._note_feasibility_change()
        result = super().write(vals)
        if is_input:
            self._note_feasibility_change()
        return result

    def unlink(self):
        self._note_feasibility_change()
        return super().unlink()

    def _note_feasibility_change(self):
        """Note whose time it is: one person's, or all of a calendar or company."""
        leaves = self.sudo()  # sudo: calendars of colleagues
        of_all = leaves.filtered(lambda leave: not leave.resource_id)
        self.env["project.feasibility.change"]._note(
            leaves.resource_id.user_id,
            of_all.calendar_id,
            of_all.filtered(lambda leave: not leave.calendar_id).company_id,
        )


class ResourceCalendarAttendance(models.Model):
    _inherit = "resource.calendar.attendance"

    @api.model_create_multi
    def create(self, vals_list):
        attendances = super().create(vals_list)
        attendances._note_feasibility_change()
        return attendances

    def write(self, vals):
        if "calendar_id" in vals:
            self._note_feasibility_change()
        result = super().write(vals)
        self._note_feasibility_change()
        return result

    def unlink(self):
        self._note_feasibility_change()
        return super().unlink()

    def _note_feasibility_change(self):
        """Note which working calendars are others than before."""
        self.env["project.feasibility.change"]._note(self.calendar_id)


class ResourceCalendar(models.Model):
    _inherit = "resource.calendar"

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"flexible_hours", "hours_per_day", "hours_per_week", "tz"}:
            self.env["project.feasibility.change"]._note(self)
        return result


class ResourceResource(models.Model):
    _inherit = "resource.resource"

    def write(self, vals):
        is_input = vals.keys() & {"active", "calendar_id", "tz", "user_id"}
        Change = self.env["project.feasibility.change"]
        if is_input and "user_id" in vals:
            Change._note(self.sudo().user_id)  # sudo: resources of colleagues
        result = super().write(vals)
        if is_input:
            Change._note(self.sudo().user_id)  # sudo: as above
        return result
