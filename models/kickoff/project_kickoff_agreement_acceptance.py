import base64
import logging

import psycopg2
from PIL import Image

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools.image import binary_to_image

from ..lifecycle.project_lock import unlocked

_logger = logging.getLogger(__name__)

# Characters of base64, about 2 MB
SIGNATURE_MAX_LENGTH = 3 * 1024 * 1024
SIGNATURE_FORMATS = ("PNG", "JPEG")
NAME_MAX_LENGTH = 100


class ProjectKickoffAgreement(models.Model):
    """Acceptance by the SPOC."""

    _inherit = "project.kickoff.agreement"

    def _accept(self, partner, name, signature):
        """Accept the version for the client, for good (`methodology.md` section 2).

        :param partner: who accepts; must be the SPOC that the version is addressed to,
            and the current user
        :param str name: the signatory's name, as he or she writes it
        :param str signature: base64 of a PNG or JPEG image
        :raises AccessError: somebody else than the SPOC accepts
        :raises UserError: the version is not to be accepted (any more), or name or
            signature are missing
        """
        self.ensure_one()
        self._check_signatory(partner)
        self._check_can_be_accepted()
        unlocked(self).write(
            {
                "state": "accepted",
                "signed_by": self._check_signed_by(name),
                "signed_on": fields.Datetime.now(),
                "signed_partner_id": partner.id,
                "signature": self._check_signature(signature),
            }
        )
        self._try_make_pdf()
        project = self.project_id.with_user(SUPERUSER_ID)
        # The firm reads it, in the language of its consultant
        project = project.with_context(lang=project.user_id.lang)
        project.message_post(
            author_id=partner.id,
            body=project.env._(
                "%(name)s accepted version %(version)s of the kick-off agreement.",
                name=self.signed_by,
                version=self.version,
            ),
            partner_ids=project.user_id.partner_id.ids,
        )
        project.activity_feedback(
            ["project_lifecycle.mail_activity_type_kickoff_agreement"]
        )

    def _try_make_pdf(self):
        """Make the PDF, and leave it for later when it fails: the signature counts."""
        cron = self.env.ref("project_lifecycle.ir_cron_kickoff_agreement_pdf")
        cron = cron.sudo()  # sudo: the SPOC has no rights on jobs
        if not self.env.registry.ready:  # no server gives the styles of pages yet
            cron._trigger()
            return
        try:
            with self.env.cr.savepoint():
                self._get_pdf()
        except psycopg2.OperationalError:
            raise  # Odoo tries the whole request again
        except Exception:
            _logger.warning(
                "The PDF of agreement %s will be made later", self.id, exc_info=True
            )
            cron._trigger()

    def _check_signatory(self, partner):
        """Check that this version is addressed to who signs it.

        :raises AccessError: somebody else than the SPOC
        :raises UserError: the SPOC has changed since
        """
        # Our own code may speak for the SPOC, a user only for himself or herself
        is_user = partner == self.env.user.partner_id or self.env.uid == SUPERUSER_ID
        if not partner or partner != self.spoc_id or not is_user:
            raise AccessError(
                self.env._(
                    "Only the SPOC can accept the agreement: %s.",
                    self.spoc_id.name or self.env._("nobody yet"),
                )
            )
        if self.state == "sent" and partner != self.sent_partner_id:
            raise UserError(
                self.env._(
                    "This version is addressed to %(former)s. Your consultant sends "
                    "you a new version, addressed to you.",
                    former=self.spoc_name,
                )
            )

    def _check_can_be_accepted(self):
        """Check that the version waits for its acceptance.

        :raises UserError: with what to do instead
        """
        if self.state == "outdated":
            raise UserError(
                self.env._(
                    "Version %(version)s is outdated. Read and accept the newest "
                    "version of the agreement instead.",
                    version=self.version,
                )
            )
        if self.state == "accepted":
            raise UserError(
                self.env._(
                    "%(name)s has already accepted this version of the agreement. It "
                    "needs no second signature.",
                    name=self.signed_by,
                )
            )
        if self.state != "sent":
            raise UserError(
                self.env._("This version was not sent, so it cannot be accepted.")
            )

    @api.model
    def _check_signed_by(self, name):
        """Return the name of the signatory, in one line.

        :raises UserError: it is not a name that can be read
        """
        name = " ".join(name.split()) if isinstance(name, str) else ""
        if (
            not any(char.isalpha() for char in name)
            or not name.isprintable()
            or len(name) > NAME_MAX_LENGTH
        ):
            raise UserError(self.env._("Write your name to accept the agreement."))
        return name

    @api.model
    def _check_signature(self, signature):
        """Return the signature as base64 when it is an image.

        :raises UserError: it is missing, too large or no image
        """
        if not signature:
            raise UserError(self.env._("Sign to accept the agreement."))
        unreadable = UserError(
            self.env._(
                "The signature is not a picture that can be read. Sign again, please."
            )
        )
        if not isinstance(signature, (str, bytes)):
            raise unreadable
        if len(signature) > SIGNATURE_MAX_LENGTH:
            raise UserError(
                self.env._("The signature is too large: use a smaller picture.")
            )
        try:
            image = binary_to_image(base64.b64decode(signature, validate=True))
            image.verify()  # a part of a picture opens, too
        except (
            Image.DecompressionBombError,
            OSError,
            SyntaxError,  # of the picture
            ValueError,
            UserError,
        ) as error:
            raise unreadable from error
        if image.format not in SIGNATURE_FORMATS:
            raise unreadable
        return signature
