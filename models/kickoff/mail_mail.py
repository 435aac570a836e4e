from odoo import api, models


class MailMail(models.Model):
    _inherit = "mail.mail"

    def write(self, vals):
        result = super().write(vals)
        if vals.get("state") == "cancel":
            self._get_kickoff_agreements()._note_mail_failed("cancelled", False)
        return result

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        # Before super, which deletes the mail
        agreements = self._get_kickoff_agreements()
        if failure_type:
            agreements._note_mail_failed("failed", failure_reason)
        else:
            agreements._note_mail_sent()
        return super()._postprocess_sent_message(
            success_pids,
            success_emails,
            failure_reason=failure_reason,
            failure_type=failure_type,
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_queued_kickoff_agreement(self):
        agreements = self._get_kickoff_agreements()
        agreements.filtered(
            lambda agreement: agreement.mail_state == "queued"
        )._note_mail_failed("cancelled", False)

    def _get_kickoff_agreements(self):
        """Return the kick-off agreements (sudo) that these mails bring."""
        mails = self.filtered(lambda mail: mail.model == "project.kickoff.agreement")
        return self.env["project.kickoff.agreement"]._get_by_mail(mails)
