from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import plaintext2html

from ..lifecycle.project_lock import unlocked


class ProjectKickoffAgreement(models.Model):
    """The way of a version to the SPOC, and what became of its mail."""

    _inherit = "project.kickoff.agreement"

    mail_id = fields.Many2one(
        "mail.mail",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        groups="base.group_system",
        help="The mail to the SPOC, until it is sent.",
    )
    mail_reference = fields.Char(
        readonly=True,
        index="btree_not_null",
        groups="base.group_system",
        help="Identifies the mail on mail servers.",
    )
    mail_state = fields.Selection(
        [
            ("queued", "Queued"),
            ("sent", "Sent"),
            ("failed", "Not Delivered"),
            ("bounced", "Bounced"),
            ("cancelled", "Cancelled"),
        ],
        string="Mail Status",
        readonly=True,
        groups="base.group_user",
        help="Whether the mail reached the SPOC.",
    )
    mail_failure = fields.Text(
        string="Why the Mail Was Not Delivered",
        readonly=True,
        groups="base.group_user",
    )

    def _publish(self):
        """Let the SPOC read and accept this version, and its consultant follow it up.

        ``self`` is sudo.
        """
        self.ensure_one()
        unlocked(self).write(
            {
                "state": "sent",
                "sent_on": fields.Datetime.now(),
                "sent_partner_id": self.spoc_id.id,
            }
        )
        project = self.project_id
        consultant = project.user_id or self.env.user
        project = project.with_context(lang=consultant.lang)
        types = [
            "project_lifecycle.mail_activity_type_kickoff_agreement",
            "project_lifecycle.mail_activity_type_kickoff_no_go",
        ]
        project.activity_unlink(types)
        project.activity_schedule(
            types[0],
            date_deadline=self.env.ref(types[0])._get_date_deadline(),
            user_id=consultant.id,
            note=plaintext2html(
                project.env._(
                    "%(spoc)s has version %(version)s of the agreement to read and "
                    "accept.",
                    spoc=self.spoc_name,
                    version=self.version,
                )
            ),
        )

    def _send_mail(self):
        """Queue the mail to the SPOC, in the SPOC's language and with the PDF.

        ``self`` is sudo.
        """
        self.ensure_one()
        template = self.env.ref("project_lifecycle.mail_template_kickoff_agreement")
        mail_id = template.send_mail(
            self.id,
            email_values={"attachment_ids": [Command.link(self._get_pdf().id)]},
        )
        mail = self.env["mail.mail"].browse(mail_id)
        unlocked(self).write(
            {
                "mail_id": mail.id,
                "mail_reference": mail.message_id,
                "mail_state": "queued",
                "mail_failure": False,
            }
        )
        self._note(
            self.env._(
                "Version %(version)s of the kick-off agreement is queued for "
                "%(spoc)s (%(email)s).",
                version=self.version,
                spoc=self.sent_partner_id.name,
                email=self.sent_partner_id.email,
            )
        )
        self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()

    def _note(self, body):
        """Tell the firm on the project, as an internal note.

        :param str body: plain text
        """
        self.project_id.message_post(body=body, subtype_xmlid="mail.mt_note")

    @api.model
    def _get_by_mail(self, mails):
        """Return the versions (sudo) whose last mail is one of these."""
        # sudo: mails are sent by the system
        return self.sudo().search([("mail_id", "in", mails.ids)])

    def _note_mail_sent(self):
        """Keep that the mail has left the house. ``self`` is sudo."""
        unlocked(self).write({"mail_state": "sent", "mail_failure": False})
        for agreement in self:
            agreement._note(
                self.env._(
                    "Version %(version)s of the kick-off agreement was sent to "
                    "%(spoc)s (%(email)s).",
                    version=agreement.version,
                    spoc=agreement.sent_partner_id.name,
                    email=agreement.sent_partner_id.email,
                )
            )

    def _note_mail_failed(self, state, reason):
        """Keep that the mail has not reached the SPOC. ``self`` is sudo.

        :param str state: ``failed``, ``bounced`` or ``cancelled``
        :param reason: what the mail server said, plain text or nothing
        """
        unlocked(self).write({"mail_state": state, "mail_failure": reason})
        states = dict(self._fields["mail_state"]._description_selection(self.env))
        for agreement in self:
            agreement._note(
                self.env._(
                    "Version %(version)s of the kick-off agreement did not reach "
                    "%(spoc)s: %(reason)s",
                    version=agreement.version,
                    spoc=agreement.sent_partner_id.name,
                    reason=reason or states[state],
                )
            )

    def _get_spoc_url(self):
        """Return the link for the SPOC's mail.

        A SPOC who was never in the portal gets an invitation to it, which leads on to
        the agreement.
        """
        self.ensure_one()
        spoc_sudo = self.sudo().sent_partner_id  # sudo: whether the contact has a user
        if spoc_sudo.user_ids:
            return self.get_base_url() + self._get_page_path()
        return spoc_sudo.with_context(signup_valid=True)._get_signup_url_for_action(
            url=self._get_page_path()
        )[spoc_sudo.id]

    def action_send_again(self):
        """Send the version to the SPOC once more, where the mail got lost for example.

        :raises UserError: it is not waiting for the SPOC, or for another SPOC
        """
        self.ensure_one()
        self.project_id.check_access("write")
        if self.state != "sent":
            raise UserError(
                self.env._("Only a version that waits for the SPOC can be sent again.")
            )
        self.project_id._check_agreement_recipient()
        agreement_sudo = self.sudo()  # sudo: nobody may write agreements, checked above
        if agreement_sudo.sent_partner_id != agreement_sudo.spoc_id:
            raise UserError(
                self.env._(
                    "This version is addressed to %(former)s, and the SPOC is now "
                    "%(spoc)s. Conclude the kick-off again: the new version is "
                    "addressed to %(spoc)s.",
                    former=agreement_sudo.spoc_name,
                    spoc=agreement_sudo.spoc_id.name,
                )
            )
        agreement_sudo._send_mail()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Queued for %s.", agreement_sudo.sent_partner_id.name
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
