from odoo import api, models


class IrRule(models.Model):
    _inherit = "ir.rule"

    @api.model
    def _eval_context(self):
        """Let rules say once whose a project is, for all that belongs to projects.

        ``project_seen``, ``project_led`` and ``meeting_seen`` take the path from the
        record to its project or meeting, with a dot at the end or empty, and return a
        domain.
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

        def meeting_seen(path=""):
            """Return the domain of the meetings that the user sees.

            Those of client projects are for who takes part and for the people of the
            firm who see the project; all others are as in stock Odoo.

            :param str path: from the record to its meeting
            """
            people = [
                "|",
                "|",
                (f"{path}project_id", "=", False),
                (f"{path}partner_ids", "in", user.partner_id.ids),
                (f"{path}user_id", "=", user.id),
            ]
            if user.has_group("project.group_project_manager"):
                seen = [(1, "=", 1)]
            else:
                seen = [(f"{path}project_id.salesperson_id", "=", user.id)]
                if user.has_group("project.group_project_user"):
                    seen = ["|", *seen, *project_seen(f"{path}project_id.")]
            companies = [*context["company_ids"], False]
            return [
                "|",
                *people,
                "&",
                (f"{path}project_id.company_id", "in", companies),
                *seen,
            ]

        return context | {
            "meeting_seen": meeting_seen,
            "project_led": project_led,
            "project_seen": project_seen,
        }
