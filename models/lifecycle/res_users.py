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
        get_id = self.env["ir.model.data"]._xmlid_to_res_id  # cached, unlike records
        group_ids = [
            get_id("project_lifecycle.group_consultant"),
            get_id("project.group_project_manager"),
        ]
        return (
            Domain("active", "=", True)
            & Domain("share", "=", False)
            & Domain("all_group_ids", "in", group_ids)
        )
