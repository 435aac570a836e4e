from odoo import api, models
from odoo.fields import Domain


class ResUsers(models.Model):
    _inherit = "res.users"

    def _filter_consultants(self):
        """Return those of the users who can run a client project."""
        return self.sudo().filtered(  # sudo: what a colleague may do is no secret
            lambda user: user.active
            and not user.share
            and (
                user.has_group("project_lifecycle.group_consultant")
                or user.has_group("project.group_project_manager")
            )
        )

    @api.model
    def _get_consultant_domain(self):
        """Return the domain of all users who can run a client project."""
        groups = self.env.ref("project_lifecycle.group_consultant") | self.env.ref(
            "project.group_project_manager"
        )
        return (
            Domain("active", "=", True)
            & Domain("share", "=", False)
            & Domain("all_group_ids", "in", groups.ids)
        )
