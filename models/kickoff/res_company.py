from odoo import models


class ResCompany(models.Model):
    _inherit = "res.company"

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"kickoff_share_target", "resource_calendar_id"}:
            # Projects of no company follow the one that is being worked in
            self.env["project.project"].invalidate_model(["scope_hours"])
            self.env["project.feasibility.change"]._note(self)
        return result

    def _get_project_managers(self):
        """Return who watches the projects: the project director, else all managers."""
        self.ensure_one()
        group = self.env.ref("project.group_project_manager")
        # sudo: that they are managers may be known to who raises a risk
        director = self.sudo().project_director_id
        return director.filtered("active") or group.sudo().all_user_ids.filtered(
            lambda user: user.active and not user.share and self in user.company_ids
        )
