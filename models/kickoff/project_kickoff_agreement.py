import base64
import json

from PIL import Image

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import get_lang, json_default, plaintext2html
from odoo.tools.image import binary_to_image

CONCLUSIONS = [
    ("go", "Go"),
    ("adapted", "Go with Adaptations"),
    ("no_go", "No-go"),
]
# What a version says is never written again once its text is there.
FROZEN = {
    "project_id",
    "version",
    "conclusion",
    "feasibility_statement",
    "content",
    "snapshot",
    "changes",
    "lang",
}
SIGNED = {"signed_by", "signed_on", "signature", "signed_partner_id"}
# Characters of base64, about 2 MB
SIGNATURE_MAX_LENGTH = 3 * 1024 * 1024
SIGNATURE_FORMATS = ("PNG", "JPEG")


class ProjectKickoffAgreement(models.Model):
    """What firm and client agreed on in the kick-off, version by version.

    Versions are made by :meth:`~.ProjectProject._conclude_kickoff` and by nothing
    else: no group may create, write or delete them (`methodology.md` section 2).
    """

    _name = "project.kickoff.agreement"
    _description = "Kick-off Agreement"
    _order = "project_id, version desc"

    project_id = fields.Many2one(
        "project.project",
        required=True,
        index=True,
        ondelete="restrict",
        readonly=True,
    )
    company_id = fields.Many2one(
        related="project_id.company_id", store=True, precompute=True, index=True
    )
    partner_id = fields.Many2one(related="project_id.partner_id", string="Client")
    spoc_id = fields.Many2one(related="project_id.spoc_id")
    version = fields.Integer(required=True, readonly=True, aggregator=False)
    state = fields.Selection(
        [
            ("draft", "Not Sent"),
            ("sent", "Sent"),
            ("accepted", "Accepted"),
            ("outdated", "Outdated"),
        ],
        string="Status",
        required=True,
        default="draft",
        index=True,
        readonly=True,
        help="A version is sent to the SPOC, who accepts it, until a newer version "
        "takes its place. A no-go is not sent.",
    )
    conclusion = fields.Selection(CONCLUSIONS, required=True, readonly=True)
    feasibility_statement = fields.Text(
        required=True,
        readonly=True,
        help="The consultant's statement that the project is feasible, and what it "
        "needs to be.",
    )
    content = fields.Html(
        readonly=True,
        help="The text as it was when the version was made, in the SPOC's language.",
    )
    changes = fields.Text(
        string="What Changed",
        readonly=True,
        help="What is different from the version before, one change a line.",
    )
    snapshot = fields.Json(
        readonly=True,
        export_string_translation=False,
        groups="base.group_user",
        help="The points and the scope as the text says them, to compare with.",
    )
    lang = fields.Char(string="Language", readonly=True)
    sent_on = fields.Datetime(readonly=True, copy=False)
    sent_partner_id = fields.Many2one(
        "res.partner", string="Sent To", readonly=True, ondelete="restrict"
    )
    signed_by = fields.Char(
        string="Accepted By", readonly=True, help="The name as the SPOC wrote it."
    )
    signed_partner_id = fields.Many2one(
        "res.partner", string="Signatory", readonly=True, ondelete="restrict"
    )
    signed_on = fields.Datetime(string="Accepted On", readonly=True)
    signature = fields.Image(readonly=True, max_width=1024, max_height=1024)
    pending_changes = fields.Text(
        string="Changed Since",
        compute="_compute_pending_changes",
        compute_sudo=True,
        groups="base.group_user",
        help="What the project says now and this version does not, one change a line. "
        "Only a new version can agree on it.",
    )

    _project_version_uniq = models.Constraint(
        "UNIQUE(project_id, version)",
        "This version of the agreement is already there.",
    )

    # ------------------------------------------------------------------
    # Computed fields
    # ------------------------------------------------------------------
    @api.depends("project_id.name", "version")
    def _compute_display_name(self):
        for agreement in self:
            agreement.display_name = self.env._(
                "%(project)s: kick-off agreement, version %(version)s",
                # sudo: the SPOC may not read every project that is his or hers
                project=agreement.project_id.sudo().name,
                version=agreement.version,
            )

    @api.depends(
        lambda self: [
            "state",
            "snapshot",
            *(
                f"project_id.{path}.{name}"
                for _model, path, names in self._get_snapshot_fields().values()
                for name in names
            ),
        ]
    )
    def _compute_pending_changes(self):
        for agreement in self:
            agreement.pending_changes = (
                agreement.state in ("sent", "accepted")
                and "\n".join(
                    self._compare(
                        agreement.snapshot, self._take_snapshot(agreement.project_id)
                    )
                )
            ) or False

    # ------------------------------------------------------------------
    # Nothing that was sent or accepted changes
    # ------------------------------------------------------------------
    def write(self, vals):
        if not self.env.su:
            raise AccessError(
                self.env._(
                    "An agreement cannot be changed. Conclude the kick-off again to "
                    "make a new version."
                )
            )
        if vals.keys() & FROZEN and any(self.mapped("content")):
            raise AccessError(
                self.env._(
                    "The text of an agreement cannot be changed. Conclude the kick-off "
                    "again to make a new version."
                )
            )
        if vals.keys() & SIGNED and any(self.mapped("signed_on")):
            raise AccessError(
                self.env._("The signature of an agreement cannot be changed.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise AccessError(
            self.env._(
                "An agreement cannot be deleted: all its versions stay readable."
            )
        )

    # ------------------------------------------------------------------
    # Versions
    # ------------------------------------------------------------------
    @api.model
    def _create_version(self, project, conclusion, feasibility_statement):
        """Make the next version of a project's agreement, which outdates the others.

        :param project: one project, checked by the caller; ``self`` is sudo
        :param str conclusion: one of ``CONCLUSIONS``
        :param str feasibility_statement: plain text
        :return: the version, not sent yet, with its text in the SPOC's language
        """
        former = self.search([("project_id", "=", project.id)])
        # A language that is not installed (any more) falls back to the user's
        lang = get_lang(self.env, project.spoc_id.lang or project.partner_id.lang).code
        agreement = self.create(
            {
                "project_id": project.id,
                "version": (former[:1].version or 0) + 1,
                "conclusion": conclusion,
                "feasibility_statement": feasibility_statement,
            }
        ).with_context(lang=lang)
        project_sudo = agreement.project_id
        snapshot = self._take_snapshot(project_sudo)
        compared = former.filtered("sent_on")[:1]
        agreement.write(
            {
                "lang": lang,
                "snapshot": snapshot,
                "changes": "\n".join(agreement._get_changes(compared, snapshot))
                if compared
                else False,
                "content": self.env["ir.qweb"]
                .with_context(lang=lang)
                ._render(
                    "project_lifecycle.kickoff_agreement_content",
                    agreement._get_content_values(),
                ),
            }
        )
        former.write({"state": "outdated"})
        return agreement.with_env(self.env)

    def _get_content_values(self):
        """Return what the template of the text is rendered with.

        Only what the client may read: visible points without the internal notes, and
        published risks.
        """
        self.ensure_one()
        project = self.project_id
        return {
            "agreement": self,
            "project": project,
            "points": project._get_agreement_points().grouped("section"),
            "risks": project.risk_ids.filtered(
                lambda risk: risk.is_published and risk.state != "resolved"
            ),
        }

    @api.model
    def _get_snapshot_fields(self):
        """Return what versions are compared by.

        :return: dict from the name of a section to the model of its records, their path
            from the project, and the names of their fields that were agreed on
        """
        return {
            "points": (
                "project.checklist.item",
                "checklist_ids.item_ids",
                ["name", "state", "answer"],
            ),
            "scope": (
                "project.scope.line",
                "scope_line_ids",
                [
                    "application_id",
                    "wave",
                    "reason",
                    "customisation_wanted",
                    "as_is",
                    "to_be",
                ],
            ),
        }

    @api.model
    def _get_snapshot_records(self, project, section, path):
        """Return the records of a section that the client sees."""
        if section == "points":
            return project._get_agreement_points()
        return project.mapped(path)

    @api.model
    def _take_snapshot(self, project):
        """Return what a project says now: raw values, the same in every language.

        :return: dict by section and by record id of ``name`` (in the language of the
            context) and ``values``
        """
        # Not read(), which fetches records one by one
        snapshot = {
            section: {
                str(record.id): {
                    "name": record.display_name,
                    "values": {
                        name: record._fields[name].convert_to_read(
                            record[name], record, use_display_name=False
                        )
                        for name in names
                    },
                }
                for record in self._get_snapshot_records(project, section, path)
            }
            for section, (_model, path, names) in self._get_snapshot_fields().items()
        }
        return json.loads(json.dumps(snapshot, default=json_default))

    @api.model
    def _compare(self, former, current):
        """Return the differences of two snapshots in words, a sentence each."""
        sentences = []
        for section, (model, _path, _names) in self._get_snapshot_fields().items():
            before = (former or {}).get(section, {})
            after = current.get(section, {})
            for key in before.keys() | after.keys():
                sentences.append(
                    (
                        section,
                        int(key),
                        self._compare_record(
                            section,
                            self.env[model],
                            before.get(key),
                            after.get(key),
                        ),
                    )
                )
        order = list(self._get_snapshot_fields())
        return [
            sentence
            for _section, _key, sentence in sorted(
                sentences, key=lambda entry: (order.index(entry[0]), entry[1])
            )
            if sentence
        ]

    @api.model
    def _compare_record(self, section, model, before, after):
        """Return how one record of a section differs in two snapshots, or None."""
        if not before:
            return self._get_added_sentence(section, after["name"])
        if not after:
            return self._get_removed_sentence(section, before["name"])
        changed = [
            model._fields[name]._description_string(self.env)
            for name, value in after["values"].items()
            if before["values"].get(name) != value
        ]
        if not changed:
            return None
        return self._get_changed_sentence(section, after["name"], ", ".join(changed))

    @api.model
    def _get_added_sentence(self, section, name):
        if section == "points":
            return self.env._("New point: %s", name)
        return self.env._("Added to the scope: %s", name)

    @api.model
    def _get_removed_sentence(self, section, name):
        if section == "points":
            return self.env._("Point left out: %s", name)
        return self.env._("Removed from the scope: %s", name)

    @api.model
    def _get_changed_sentence(self, section, name, labels):
        if section == "points":
            return self.env._("Point changed: %(point)s", point=name)
        return self.env._(
            "Changed in the scope: %(line)s (%(fields)s)", line=name, fields=labels
        )

    def _get_changes(self, former, snapshot):
        """Return what this version says differently from a former one, in words."""
        self.ensure_one()
        changes = []
        if former.conclusion != self.conclusion:
            labels = dict(self._fields["conclusion"]._description_selection(self.env))
            changes.append(
                self.env._(
                    "The conclusion is “%(new)s” instead of “%(former)s”.",
                    new=labels[self.conclusion],
                    former=labels[former.conclusion],
                )
            )
        if former.feasibility_statement != self.feasibility_statement:
            changes.append(self.env._("The feasibility statement was rewritten."))
        return (changes + self._compare(former.snapshot, snapshot)) or [
            self.env._("Nothing in the points and the scope.")
        ]

    # ------------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------------
    def _publish(self):
        """Let the SPOC read and accept this version, and its consultant follow it up.

        ``self`` is sudo.
        """
        self.ensure_one()
        self.write(
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
                    spoc=self.spoc_id.name,
                    version=self.version,
                )
            ),
        )

    def _send_mail(self):
        """Send the version to the SPOC, in the SPOC's language and with the PDF."""
        self.ensure_one()
        template = self.env.ref("project_lifecycle.mail_template_kickoff_agreement")
        template.send_mail(self.id)
        self.project_id.message_post(
            body=self.env._(
                "Version %(version)s of the kick-off agreement was sent to %(spoc)s "
                "(%(email)s).",
                version=self.version,
                spoc=self.spoc_id.name,
                email=self.spoc_id.email,
            )
        )

    def _get_page_path(self):
        """Return the path of the page on which the SPOC reads and accepts."""
        self.ensure_one()
        return f"/my/projects/{self.project_id.id}/lifecycle/agreement/{self.id}"

    def _get_spoc_url(self):
        """Return the link for the SPOC's mail.

        A SPOC who was never in the portal gets an invitation to it, which leads on to
        the agreement.
        """
        self.ensure_one()
        spoc_sudo = self.sudo().spoc_id  # sudo: whether the contact has a user
        if spoc_sudo.user_ids:
            return self.get_base_url() + self._get_page_path()
        return spoc_sudo.with_context(signup_valid=True)._get_signup_url_for_action(
            url=self._get_page_path()
        )[spoc_sudo.id]

    def _get_report_base_filename(self):
        self.ensure_one()
        return self.display_name

    # ------------------------------------------------------------------
    # Acceptance
    # ------------------------------------------------------------------
    def _accept(self, partner, name, signature):
        """Accept the version for the client, for good (`methodology.md` section 2).

        :param partner: who accepts; must be the SPOC
        :param str name: the signatory's name, as he or she writes it
        :param str signature: base64 of a PNG or JPEG image
        :raises AccessError: somebody else than the SPOC accepts
        :raises UserError: the version is not to be accepted (any more), or name or
            signature are missing
        """
        self.ensure_one()
        if not partner or partner != self.spoc_id:
            raise AccessError(
                self.env._(
                    "Only the SPOC can accept the agreement: %s.",
                    self.spoc_id.name or self.env._("nobody yet"),
                )
            )
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
        if not isinstance(name, str) or not name.strip():
            raise UserError(self.env._("Write your name to accept the agreement."))
        self.write(
            {
                "state": "accepted",
                "signed_by": name.strip(),
                "signed_on": fields.Datetime.now(),
                "signed_partner_id": partner.id,
                "signature": self._check_signature(signature),
            }
        )
        project = self.project_id.with_user(SUPERUSER_ID)
        project.message_post(
            author_id=partner.id,
            body=self.env._(
                "%(name)s accepted version %(version)s of the kick-off agreement.",
                name=self.signed_by,
                version=self.version,
            ),
            partner_ids=project.user_id.partner_id.ids,
        )
        project.activity_feedback(
            ["project_lifecycle.mail_activity_type_kickoff_agreement"]
        )

    @api.model
    def _check_signature(self, signature):
        """Return the signature as base64 when it is an image.

        :raises UserError: it is missing, too large or no image
        """
        if not signature:
            raise UserError(self.env._("Sign to accept the agreement."))
        unreadable = UserError(
            self.env._(
                "The signature is no picture that can be read. Sign again, please."
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

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------
    def action_send_again(self):
        """Send the version to the SPOC once more, after a change of SPOC for example.

        :raises UserError: it is not waiting for the SPOC
        """
        self.ensure_one()
        self.project_id.check_access("write")
        if self.state != "sent":
            raise UserError(
                self.env._("Only a version that waits for the SPOC can be sent again.")
            )
        self.project_id._check_agreement_recipient()
        agreement = self.sudo()  # sudo: nobody may write agreements, checked above
        agreement._publish()
        agreement._send_mail()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("Sent to %s.", self.spoc_id.name),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def action_open_page(self):
        """Open the page as the SPOC sees it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": self._get_page_path(),
            "target": "new",
        }
