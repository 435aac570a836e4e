from odoo import api, models
from odoo.tools import html2plaintext


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def _routing_handle_bounce(self, email_message, message_dict):
        result = super()._routing_handle_bounce(email_message, message_dict)
        # Stock Odoo finds messages only, and this mail leaves none: it holds a link
        references = message_dict.get("bounced_msg_ids")
        if references:
            # sudo: incoming mail is the system's work
            agreements = (
                self.env["project.kickoff.agreement"]
                .sudo()
                .search([("mail_reference", "in", list(references))])
            )
            agreements._note_mail_failed(
                "bounced", html2plaintext(message_dict.get("body") or "").strip()[:2000]
            )
        return result
