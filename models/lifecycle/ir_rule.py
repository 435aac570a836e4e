from odoo import api, models


class IrRule(models.Model):
    _inherit = "ir.rule"

    @api.model
    def _eval_context(self):
        """Let rules say once whose a project is, for all that belongs to projects.

        ``project_seen`` and ``project_led`` take the path from the record to its
        project, with a dot at the end or empty, and return a domain.
        """
        context = super()._eval_context()
        user = context["user"]

        def project_led(path="project_id."):
            """Return the domain of what belongs to projects that the user runs."""
            return [
                "|",
                (f"{path}user_id", "=", user.id),
                (f"{path}message_partner_ids", "in", user.partner_id.ids),
            ]

        def project_seen(path="project_id."):
            """Return the domain of what belongs to projects that the user sees.

            It is stock Odoo's rule for projects.
            """
            return [
                "|",
                (f"{path}privacy_visibility", "in", ["employees", "portal"]),
                *project_led(path),
            ]

        return context | {"project_led": project_led, "project_seen": project_seen}
