import hashlib
import logging
import re

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..lifecycle.project_lock import unlocked

_logger = logging.getLogger(__name__)

REPORT = "project_lifecycle.report_kickoff_agreement"


class ProjectKickoffAgreement(models.Model):
    """The PDF of a version: made once as it was sent and once as it was signed.

    Both are attachments, which nobody may change as nobody may change the version, and
    the checksums on the version show that nobody did.
    """

    _inherit = "project.kickoff.agreement"

    pdf_id = fields.Many2one(
        "ir.attachment",
        string="PDF as Sent",
        readonly=True,
        ondelete="restrict",
        groups="base.group_user",
    )
    pdf_checksum = fields.Char(
        string="Checksum as Sent",
        readonly=True,
        groups="base.group_user",
        help="SHA-256 of the PDF as it was sent.",
    )
    signed_pdf_id = fields.Many2one(
        "ir.attachment",
        string="PDF as Signed",
        readonly=True,
        ondelete="restrict",
        groups="base.group_user",
    )
    signed_pdf_checksum = fields.Char(
        string="Checksum as Signed",
        readonly=True,
        groups="base.group_user",
        help="SHA-256 of the PDF as it was signed.",
    )

    def _get_pdf(self):
        """Return the PDF of this version, the one as signed where it is accepted.

        It is made when it is asked for first, and kept. ``self`` is sudo.

        :return: attachment (sudo)
        :raises UserError: the file is not the one that was kept
        """
        self.ensure_one()
        name = "signed_pdf" if self.signed_on else "pdf"
        if not self[f"{name}_id"]:
            self._make_pdf(name)
        attachment = self[f"{name}_id"]
        if self._get_checksum(attachment.raw) != self[f"{name}_checksum"]:
            raise UserError(
                self.env._(
                    "The file of %s is not the one that was kept: it was changed or "
                    "damaged. Restore it from a backup.",
                    self.display_name,
                )
            )
        return attachment

    @api.model
    def _get_checksum(self, raw):
        return hashlib.sha256(raw or b"").hexdigest()

    def _make_pdf(self, name):
        """Make and keep a PDF of this version from its frozen text.

        :param str name: ``pdf`` as it was sent, ``signed_pdf`` as it was signed
        """
        self.ensure_one()
        raw, _type = (
            unlocked(self.env["ir.actions.report"])
            .with_context(kickoff_agreement_pdf=name, lang=self.lang)
            ._render_qweb_pdf(REPORT, self.ids)
        )
        title = self.with_context(lang=self.lang).display_name
        attachment = self.env["ir.attachment"].create(
            {
                "name": re.sub(r"[/\\]", "-", f"{title}.pdf"),
                "raw": raw,
                "mimetype": "application/pdf",
                "res_model": self._name,
                "res_id": self.id,
            }
        )
        unlocked(self).write(
            {
                f"{name}_id": attachment.id,
                f"{name}_checksum": self._get_checksum(attachment.raw),
            }
        )

    @api.model
    def _cron_make_pdfs(self):
        """Make the PDFs that could not be made at once."""
        missing = self.search(
            [
                "|",
                *("&", ("sent_on", "!=", False), ("pdf_id", "=", False)),
                *("&", ("signed_on", "!=", False), ("signed_pdf_id", "=", False)),
            ]
        )
        IrCron = self.env["ir.cron"]
        IrCron._commit_progress(remaining=len(missing))
        for agreement in missing:
            try:
                with self.env.cr.savepoint():
                    if not agreement.pdf_id:
                        agreement._make_pdf("pdf")
                    agreement._get_pdf()
            except psycopg2.OperationalError:
                raise
            except Exception:
                _logger.exception(
                    "The PDF of agreement %s cannot be made", agreement.id
                )
            IrCron._commit_progress(1)

    def _get_report_base_filename(self):
        self.ensure_one()
        return self.display_name
