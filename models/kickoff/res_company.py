from odoo import models


class ResCompany(models.Model):
    _inherit = "res.company"

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"kickoff_share_target", "resource_calendar_id"}:
            # sudo: the effort model is the same for all projects, whoever changes it
            projects = (
                self.env["project.project"]
                .sudo()
                .search(
                    [
                        ("is_lifecycle", "=", True),
                        ("company_id", "in", [*self.ids, False]),
                    ]
                )
            )
            # Projects of no company follow the one that is being worked in
            projects.invalidate_recordset(["scope_hours"])
            projects._update_findings()
        return result

    def _get_project_managers(self):
        """Return who watches the projects: the project director, else all managers."""
        self.ensure_one()
        group = self.env.ref("project.group_project_manager")
        # sudo: that they are managers may be known to who raises a risk
        return self.sudo().project_director_id or group.sudo().all_user_ids.filtered(
            lambda user: user.active and not user.share and self in user.company_ids
        )
