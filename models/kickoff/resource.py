from odoo import api, models


class ResourceCalendarLeaves(models.Model):
    _inherit = "resource.calendar.leaves"

    @api.model_create_multi
    def create(self, vals_list):
        leaves = super().create(vals_list)
        leaves._update_findings()
        return leaves

    def write(self, vals):
        former = self._get_concerned()
        result = super().write(vals)
        self._update_findings(former)
        return result

    def unlink(self):
        former = self._get_concerned()
        result = super().unlink()
        self.browse()._update_findings(former)
        return result

    def _get_concerned(self):
        """Return whose time it is: users, calendars, and companies of which all."""
        leaves = self.sudo()  # sudo: calendars of colleagues
        of_all = leaves.filtered(lambda leave: not leave.resource_id)
        return (
            leaves.resource_id.user_id,
            of_all.calendar_id,
            of_all.filtered(lambda leave: not leave.calendar_id).company_id,
        )

    def _update_findings(self, former=None):
        """Look at the deadlines of projects whose consultants work when they did not.

        :param former: what :meth:`_get_concerned` said before a change
        """
        concerned = self._get_concerned()
        if former:
            concerned = [new | old for new, old in zip(concerned, former, strict=True)]
        if any(concerned):
            self.env["project.project"]._update_findings_of(*concerned)


class ResourceCalendarAttendance(models.Model):
    _inherit = "resource.calendar.attendance"

    @api.model_create_multi
    def create(self, vals_list):
        attendances = super().create(vals_list)
        self._update_findings(attendances.calendar_id)
        return attendances

    def write(self, vals):
        former = self.calendar_id
        result = super().write(vals)
        self._update_findings(former | self.calendar_id)
        return result

    def unlink(self):
        former = self.calendar_id
        result = super().unlink()
        self._update_findings(former)
        return result

    @api.model
    def _update_findings(self, calendars):
        """Look at the deadlines of projects that are planned with these calendars."""
        if calendars:
            self.env["project.project"]._update_findings_of(
                self.env["res.users"], calendars, self.env["res.company"]
            )


class ResourceResource(models.Model):
    _inherit = "resource.resource"

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"active", "calendar_id", "tz", "user_id"}:
            self.env["project.project"]._update_findings_of(
                self.sudo().user_id,  # sudo: as the leaves
                self.env["resource.calendar"],
                self.env["res.company"],
            )
        return result
