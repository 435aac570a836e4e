from werkzeug.exceptions import HTTPException

from odoo import http
from odoo.exceptions import UserError
from odoo.http import content_disposition, request

from .lifecycle import LifecyclePortal

AGREEMENT = "project.kickoff.agreement"


class KickoffPortal(LifecyclePortal):
    """The page on which the SPOC reads and accepts the kick-off agreement."""

    def _prepare_agreement_values(self, agreement_sudo, accepted=False):
        """Return what the page shows, and nothing else of the project."""
        # The rules choose: only versions that were sent to the client
        versions = request.env[AGREEMENT].search(
            [("project_id", "=", agreement_sudo.project_id.id)]
        )
        partner = request.env.user.partner_id
        return self._prepare_portal_layout_values() | {
            "page_name": "kickoff_agreement",
            "agreement": agreement_sudo,
            "versions": versions,
            "newest": versions.filtered(lambda version: version.state != "outdated")[
                :1
            ],
            "is_spoc": partner == agreement_sudo.spoc_id,
            "can_accept": agreement_sudo.state == "sent"
            and partner == agreement_sudo.spoc_id == agreement_sudo.sent_partner_id,
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
        self, project_id, agreement_id, report_type=None, accepted=False, **_kwargs
    ):
        """Show a version of the kick-off agreement, or its PDF as it was kept."""
        agreement_sudo = self._get_part(AGREEMENT, project_id, agreement_id)
        if report_type == "pdf":
            pdf = agreement_sudo._get_pdf()
            return request.make_response(
                pdf.raw,
                headers=[
                    ("Content-Type", "application/pdf"),
                    ("Content-Length", len(pdf.raw)),
                    ("Content-Disposition", content_disposition(pdf.name)),
                ],
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
            agreement_sudo = self._get_part(AGREEMENT, project_id, agreement_id)
        except HTTPException:
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
