from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal


class LifecyclePortal(CustomerPortal):
    """Pages of the SPOC (`methodology.md`: the SPOC works in the portal)."""

    def _get_agreement(self, project_id, agreement_id):
        """Return a version that the user may read, as superuser.

        :raises AccessError: by the record rules, or another project's version
        :raises MissingError: there is none
        """
        agreement_sudo = self._document_check_access(
            "project.kickoff.agreement", agreement_id
        )
        if agreement_sudo.project_id.id != project_id:
            raise MissingError(request.env._("This document does not exist."))
        return agreement_sudo

    def _prepare_agreement_values(self, agreement_sudo, accepted=False):
        """Return what the page shows, and nothing else of the project."""
        # The rules choose: only versions that were sent to the client
        versions = request.env["project.kickoff.agreement"].search(
            [("project_id", "=", agreement_sudo.project_id.id)]
        )
        is_spoc = request.env.user.partner_id == agreement_sudo.spoc_id
        return self._prepare_portal_layout_values() | {
            "page_name": "kickoff_agreement",
            "agreement": agreement_sudo,
            "agreement_project": agreement_sudo.project_id,
            "versions": versions,
            "newest": versions.filtered(lambda version: version.state != "outdated")[
                :1
            ],
            "can_accept": is_spoc and agreement_sudo.state == "sent",
            "just_accepted": bool(accepted) and agreement_sudo.state == "accepted",
        }

    @http.route(
        "/my/projects/<int:project_id>/lifecycle/agreement/<int:agreement_id>",
        type="http",
        auth="user",
        methods=["GET"],
        website=True,
    )
    def portal_kickoff_agreement(
        self,
        project_id,
        agreement_id,
        report_type=None,
        download=False,
        accepted=False,
        **_kwargs,
    ):
        """Show a version of the kick-off agreement, or its PDF."""
        try:
            agreement_sudo = self._get_agreement(project_id, agreement_id)
        except (AccessError, MissingError):
            return request.redirect("/my")
        if report_type in ("html", "pdf"):
            return self._show_report(
                model=agreement_sudo,
                report_type=report_type,
                report_ref="project_lifecycle.action_report_kickoff_agreement",
                download=download,
            )
        return request.render(
            "project_lifecycle.portal_kickoff_agreement",
            self._prepare_agreement_values(agreement_sudo, accepted),
        )

    @http.route(
        "/my/projects/<int:project_id>/lifecycle/agreement/<int:agreement_id>/accept",
        type="jsonrpc",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def portal_kickoff_agreement_accept(
        self, project_id, agreement_id, name=None, signature=None
    ):
        """Accept a version by name and signature, as the SPOC.

        :return: what the signature component of the portal expects: ``error``, a
            sentence, or where to go on
        """
        try:
            agreement_sudo = self._get_agreement(project_id, agreement_id)
        except (AccessError, MissingError):
            return {"error": request.env._("This agreement is not yours to accept.")}
        try:
            with request.env.cr.savepoint():
                agreement_sudo._accept(request.env.user.partner_id, name, signature)
        except UserError as error:
            return {"error": str(error)}
        return {
            "force_refresh": True,
            "redirect_url": f"{agreement_sudo._get_page_path()}?accepted=1",
        }
