import hashlib
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import format_date, mute_logger

from odoo.addons.base.models.ir_mail_server import MailDeliveryException
from odoo.addons.mail.tests.common import MailCase

from .common import SIGNATURE
from .kickoff_agreement_common import AgreementCommon


@tagged("post_install", "-at_install")
class TestAgreementMail(AgreementCommon, MailCase):
    """The agreement goes to the SPOC by mail, in the SPOC's language, with its PDF."""

    def _send(self):
        with self.mock_mail_gateway():
            agreement = self._conclude_kickoff(self.project)
        mail = self._new_mails.filtered(lambda mail: mail.model == agreement._name)
        return agreement, mail

    def test_mail_with_pdf_and_link(self):
        agreement, mail = self._send()
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.recipient_ids, self.spoc)
        self.assertFalse(mail.email_to)
        self.assertFalse(mail.email_cc)
        self.assertIn("version 1", mail.subject)
        self.assertIn(agreement._get_page_path(), mail.body_html)
        self.assertIn("is queued for Beatriz", self.project.message_ids[0].body)
        attachment = mail.attachment_ids
        self.assertEqual(len(attachment), 1)
        self.assertIn("version 1", attachment.name)
        self.assertIn(b"Orders are kept in spreadsheets", attachment.raw)

    def test_mail_in_the_language_of_the_spoc(self):
        self.spoc.lang = "es_ES"
        template = self.env.ref("project_lifecycle.mail_template_kickoff_agreement")
        template.with_context(lang="es_ES").subject = "Acuerdo de kick-off"
        agreement, mail = self._send()
        self.assertEqual(mail.subject, "Acuerdo de kick-off")
        title = agreement.with_context(lang="es_ES").display_name
        self.assertEqual(mail.attachment_ids.name, f"{title}.pdf")

    def test_spoc_without_a_user_is_invited_to_the_portal(self):
        self.contact_user.unlink()
        self.contact.email = "pablo@olivar.example.com"
        self.project.spoc_id = self.contact
        agreement, mail = self._send()
        self.assertIn("/web/signup?", mail.body_html)
        self.assertIn("token=", mail.body_html)
        self.assertTrue(mail.auto_delete, "Nobody else shall find the invitation")
        self.assertNotIn("token=", "".join(self.project.message_ids.mapped("body")))
        self.assertEqual(agreement.sent_partner_id, self.contact)

    def test_second_mail_says_what_changed(self):
        self._send()
        self.line.reason = "Orders on tablets"
        _agreement, mail = self._send()
        self.assertIn("Changed in the scope: Sales (Reason)", mail.body_html)

    def _deliver(self, mail):
        with self.mock_mail_gateway(mail_unlink_sent=True):
            mail.send()

    def test_sent_is_said_once_it_was_sent(self):
        agreement, mail = self._send()
        self.assertEqual(agreement.mail_state, "queued")
        self._deliver(mail)
        self.assertEqual(agreement.mail_state, "sent")
        note = self.project.message_ids[0]
        self.assertIn("was sent to Beatriz Soler", note.body)
        self.assertTrue(note.subtype_id.internal)
        self.assertFalse(mail.exists())

    def test_mail_that_is_not_delivered_shows(self):
        agreement, mail = self._send()
        with (
            self.mock_mail_gateway(),
            patch.object(
                type(self.env["ir.mail_server"]),
                "send_email",
                side_effect=MailDeliveryException("Mailbox unknown"),
            ),
            mute_logger("odoo.addons.mail.models.mail_mail"),
        ):
            mail.send()
        self.assertEqual(agreement.mail_state, "failed")
        self.assertEqual(self.project.kickoff_agreement_mail_state, "failed")
        self.assertIn("did not reach Beatriz", self.project.message_ids[0].body)
        self.assertIn("Mailbox unknown", agreement.mail_failure)
        with self.mock_mail_gateway():
            agreement.with_user(self.consultant).action_send_again()
        self.assertEqual(agreement.mail_state, "queued")
        self.assertFalse(agreement.mail_failure)

    def test_cancelled_and_deleted_mails_show(self):
        for change in ("cancel", "unlink"):
            with self.subTest(change):
                agreement, mail = self._send()
                getattr(mail, change)()
                self.assertEqual(agreement.mail_state, "cancelled")

    def test_bounced_mail_shows(self):
        agreement, mail = self._send()
        reference = mail.message_id
        self._deliver(mail)
        self.env["mail.thread"]._routing_handle_bounce(
            None,
            {
                "bounced_email": self.spoc.email,
                "bounced_partner": self.spoc,
                "bounced_msg_ids": [reference],
                "bounced_message": self.env["mail.message"],
                "body": "<p>Mailbox full</p>",
                **dict.fromkeys(("email_from", "to", "message_id"), "x"),
            },
        )
        self.assertEqual(agreement.mail_state, "bounced")
        self.assertEqual(agreement.mail_failure, "Mailbox full")


@tagged("post_install", "-at_install")
class TestAgreementFrozen(AgreementCommon):
    """What was sent or signed stays whole, with its parties, headings and PDF."""

    def _rename_all(self):
        self.project.name = "Renamed project"
        self.client.write({"name": "Renamed client", "street": "New street 1"})
        self.spoc.name = "Renamed SPOC"
        self.env.company.write({"name": "Renamed firm", "street": "New street 2"})
        self.consultant.name = "Renamed consultant"
        self.line.reason = "Renamed reason"
        self.env.flush_all()
        self.env.invalidate_all()

    def test_parties_and_headings(self):
        self.client.street = "Camino del Olivar 7"
        firm = self.env.company.name
        agreement = self._accept_agreement(self.project)
        for text in (
            *("Almazara ERP", "Almazara del Olivar", "Camino del Olivar 7"),
            *("Beatriz Soler", firm, "Version 1", "Kick-off agreement"),
        ):
            self.assertIn(text, agreement.heading)
        today = format_date(self.env, self.project._get_today(), agreement.lang)
        self.assertIn(f"({today})", " ".join(agreement.heading.split()))
        before = (agreement.heading, agreement.content, agreement.display_name)
        self._rename_all()
        self.assertEqual(
            (agreement.heading, agreement.content, agreement.display_name), before
        )
        shown, _type = self.env["ir.actions.report"]._render_qweb_html(
            "project_lifecycle.report_kickoff_agreement", agreement.ids
        )
        self.assertIn(b"Almazara ERP", shown)
        self.assertNotIn(b"Renamed", shown)
        self.assertNotIn(b"New street", shown)

    @freeze_time("2026-03-02 23:30:00")
    def test_day_is_that_of_the_consultant(self):
        self.consultant.tz = "Europe/Madrid"
        agreement = self._conclude_kickoff(self.project)
        self.assertIn("(03/03/2026)", agreement.heading)

    def test_pictures_are_kept_with_the_text(self):
        files = self.env["ir.attachment"].with_user(self.consultant)
        hidden = files.with_user(self.colleague).create(
            {"name": "own.png", "datas": SIGNATURE}
        )
        picture, text = files.create(
            [
                {
                    "name": "board.png",
                    "datas": SIGNATURE,
                    "res_model": self.standard._name,
                    "res_id": self.standard.id,
                },
                {"name": "notes.txt", "raw": b"Not a picture"},
            ]
        )
        sources = [
            f"/web/image/{file.id}?access_token=1"
            for file in files.browse((picture | hidden | text).ids)
        ]
        self.standard.answer = "".join(f'<img src="{source}">' for source in sources)
        agreement = self._conclude_kickoff(self.project)
        picture.unlink()
        self.assertIn('src="data:image/png;base64,', agreement.content)
        for source, is_kept in zip(sources, (True, False, False), strict=True):
            self.assertEqual(source not in agreement.content, is_kept, source)
        self.assertTrue(agreement.is_current)

    def test_pdf_is_kept_and_served_for_ever(self):
        agreement = self._conclude_kickoff(self.project)
        sent = agreement.pdf_id
        self.assertTrue(sent)
        self.assertFalse(agreement.signed_pdf_id)
        agreement._accept(self.spoc, "Beatriz", SIGNATURE)
        signed = agreement.signed_pdf_id
        self.assertNotEqual(signed, sent)
        self.assertIn(b"Accepted by", signed.raw)
        for attachment, checksum in (
            (sent, agreement.pdf_checksum),
            (signed, agreement.signed_pdf_checksum),
        ):
            self.assertEqual(hashlib.sha256(attachment.raw).hexdigest(), checksum)
        raw = signed.raw
        self._rename_all()
        for user in (self.consultant, self.manager, self.salesperson, self.spoc_user):
            printed, _type = (
                self.env["ir.actions.report"]
                .with_user(user)
                .sudo(user == self.spoc_user)
                .with_context(kickoff_agreement_pdf="pdf")  # as a link may say
                ._render_qweb_pdf(
                    "project_lifecycle.report_kickoff_agreement", agreement.ids
                )
            )
            self.assertEqual(printed, raw)

    def test_nobody_changes_the_files(self):
        agreement = self._accept_agreement(self.project)
        attachments = agreement.pdf_id | agreement.signed_pdf_id
        for user in (
            *(self.consultant, self.manager, self.salesperson, self.spoc_user),
            self.env.ref("base.user_admin"),
        ):
            for attachment in attachments.with_user(user):
                for values in (
                    {"raw": b"Free of charge"},
                    {"res_id": 0},
                    {"res_model": "res.partner", "res_id": user.partner_id.id},
                    {"public": True},
                    {"name": "Another"},
                ):
                    with self.subTest(user=user.login, values=values):
                        with self.assertRefused(AccessError, ""):
                            attachment.write(values)
                with self.subTest(user=user.login), self.assertRefused(AccessError, ""):
                    attachment.unlink()
        agreement.signed_pdf_id.sudo().raw = b"Damaged"
        with self.assertRefused(UserError, "not the one that was kept"):
            agreement._get_pdf()

    def test_others_do_not_reach_the_files(self):
        agreement = self._accept_agreement(self.project)
        attachment = agreement.signed_pdf_id
        self.assertTrue(attachment.with_user(self.consultant).has_access("read"))
        for user in (self.contact_user, self.stranger_user):
            self.assertFalse(attachment.with_user(user).has_access("read"))

    def test_signature_counts_without_its_pdf(self):
        agreement = self._conclude_kickoff(self.project)
        cron = self.env.ref("project_lifecycle.ir_cron_kickoff_agreement_pdf")
        broken = patch.object(
            type(self.env["ir.actions.report"]),
            "_render_qweb_pdf",
            side_effect=UserError("wkhtmltopdf is gone"),
        )
        with (
            broken,
            mute_logger(
                "odoo.addons.project_lifecycle.models.kickoff"
                ".project_kickoff_agreement_acceptance"
            ),
        ):
            agreement._accept(self.spoc, "Beatriz", SIGNATURE)
        self.assertEqual(agreement.state, "accepted")
        self.assertFalse(agreement.signed_pdf_id)
        triggers = self.env["ir.cron.trigger"].sudo()
        self.assertTrue(triggers.search([("cron_id", "=", cron.id)]))
        self._rename_all()
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        agreement.invalidate_recordset()
        self.assertIn(b"Almazara ERP", agreement.signed_pdf_id.raw)
        self.assertNotIn(b"Renamed", agreement.signed_pdf_id.raw)


@tagged("post_install", "-at_install")
class TestAgreementMatches(AgreementCommon):
    """The gate asks for what was accepted and still says what the project says."""

    def test_every_change_shuts_the_gate(self):
        pack = self._create_pack(self.project, 80)
        phase = self.env["project.phase"].create(
            {"project_id": self.project.id, "name": "MVP"}
        )
        agreement = self._accept_agreement(self.project)
        self.assertTrue(agreement.is_current)
        self.contact.email = "pablo@olivar.example.com"
        for change, words in (
            (lambda: self.line.write({"reason": "Tablets"}), "Sales (Reason)"),
            (lambda: self.standard.write({"answer": "<p>No</p>"}), "Standard first"),
            (lambda: self.standard.write({"is_client_visible": False}), "left out"),
            (lambda: self.standard.unlink(), "left out"),
            (lambda: self._create_point("New", "agreed"), "New point"),
            (lambda: pack.write({"purchased_hours": 60}), "60:00 instead of 80:00"),
            (lambda: self._create_pack(self.project, 10), "90:00 instead of 80:00"),
            (lambda: phase.write({"date_go_live": "2030-01-01"}), "MVP"),
            (lambda: phase.unlink(), "Phase left out"),
            (lambda: self.project.write({"spoc_id": self.contact.id}), "SPOC"),
        ):
            with self.subTest(words):
                savepoint = self.cr.savepoint()
                change()
                self.assertIn(words, agreement.pending_changes)
                self.assertFalse(agreement.is_current)
                with self.assertRefused(UserError, "accepted the agreement as"):
                    self.project.with_user(
                        self.consultant
                    ).stage_id = self.stage_implementation
                savepoint.close(rollback=True)
                self.env.invalidate_all()
        self.project.with_user(self.consultant).stage_id = self.stage_implementation

    def test_time_logged_is_no_change(self):
        self._create_pack(self.project, 80)
        agreement = self._accept_agreement(self.project)
        self.env["hr.employee"].create(
            {"name": "Consultant", "user_id": self.consultant.id}
        )
        self.env["account.analytic.line"].with_user(self.consultant).create(
            {"project_id": self.project.id, "unit_amount": 8, "name": "Kick-off"}
        )
        self.assertTrue(agreement.is_current)

    def test_a_no_go_after_the_acceptance_shuts_the_gate(self):
        self._accept_agreement(self.project)
        self._conclude_kickoff(self.project, "no_go")
        with self.assertRefused(UserError, "accepted the agreement as"):
            self.project.stage_id = self.stage_implementation

    def test_changes_are_told_against_the_accepted_version(self):
        self._accept_agreement(self.project)
        self.line.reason = "Second"
        second = self._conclude_kickoff(self.project)
        self.standard.answer = "<p>Third</p>"
        third = self._conclude_kickoff(self.project)
        self.assertEqual((second.compared_version, third.compared_version), (1, 1))
        self.assertIn("Sales (Reason)", third.changes)
        self.assertIn("Standard first", third.changes)
        self.assertIn("since version 1", " ".join(third.heading.split()))

    def test_statement_has_words(self):
        for blank in ("", " ", "\u200b", "..."):
            with self.assertRefused(UserError, "in your own words"):
                self._conclude_kickoff(self.project, feasibility_statement=blank)
        with self.assertRefused(UserError, "cannot be used for"):
            self._conclude_kickoff(self.project, conclusion="perhaps")

    def test_points_are_settled_first(self):
        mandatory = self._create_point("Action plan", "to_discuss", is_mandatory=True)
        for conclusion in ("go", "adapted"):
            with self.assertRefused(UserError, "Action plan"):
                self._conclude_kickoff(self.project, conclusion)
        mandatory.write({"state": "agreed", "needs_answer": True})
        with self.assertRefused(UserError, "Action plan"):
            self._conclude_kickoff(self.project)
        mandatory.answer = "<p>Weekly</p>"
        for state in ("to_discuss", "not_applicable"):
            self.time.state = state
            for conclusion in ("go", "adapted"):
                with self.assertRefused(UserError, "how time is deducted"):
                    self._conclude_kickoff(self.project, conclusion)
        self.time.code = False
        with self.assertRefused(UserError, "no point about how time"):
            self._conclude_kickoff(self.project)
        self.checklist.item_ids.unlink()
        with self.assertRefused(UserError, "no point about how time"):
            self._conclude_kickoff(self.project)
