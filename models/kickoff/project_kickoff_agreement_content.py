import base64
import json
import re

from lxml.html import fromstring, tostring
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_round, format_duration, get_lang, json_default
from odoo.tools.image import image_data_uri, image_process

from ..lifecycle.project_lock import unlocked

# What pictures in the text are reduced to, in pixels.
PICTURE_SIZE = (1024, 1024)


class ProjectKickoffAgreement(models.Model):
    """What a version says, and how it differs from another and from the project."""

    _inherit = "project.kickoff.agreement"

    pending_changes = fields.Text(
        string="Changed Since",
        compute="_compute_pending_changes",
        compute_sudo=True,
        groups="base.group_user",
        help="What the project says now and this version does not, one change a line. "
        "Only a new version can agree on it.",
    )
    is_current = fields.Boolean(
        string="Matches the Project",
        compute="_compute_is_current",
        store=True,  # gates ask the database
        groups="base.group_user",
        help="The version holds, and says what the project says: points, scope, hours, "
        "dates and parties.",
    )

    @api.depends(lambda self: self._get_snapshot_depends())
    def _compute_pending_changes(self):
        for agreement in self:
            agreement.pending_changes = "\n".join(agreement._get_pending()) or False

    @api.depends(lambda self: self._get_snapshot_depends())
    def _compute_is_current(self):
        for agreement in self:
            agreement.is_current = (
                agreement.state in ("sent", "accepted") and not agreement._get_pending()
            )

    def _get_pending(self):
        """Return what the project says now and this version does not, in words."""
        self.ensure_one()
        if self.state not in ("sent", "accepted"):
            return []
        return self._compare(self.snapshot, self._take_snapshot(self.project_id))

    @api.model
    def _get_snapshot_depends(self):
        """Return the fields that decide whether a version matches its project."""
        names = [
            f"project_id.{path}{name}"
            for _model, path, names in self._get_snapshot_fields().values()
            for name in names
            if name != "pack_purchased_hours"
        ]
        # Not the hours of the project, which are computed along with the time logged
        packs = ["project_id.pack_ids.purchased_hours", "project_id.pack_ids.cancelled"]
        return ["state", "snapshot", *names, *packs]

    @api.model
    def _create_version(self, project, conclusion, feasibility_statement):
        """Make the next version of a project's agreement, which outdates the others.

        :param project: one project, checked by the caller; ``self`` is sudo
        :param str conclusion: one of ``CONCLUSIONS``
        :param str feasibility_statement: plain text
        :return: the version, not sent yet, with its text in the SPOC's language
        """
        former = self.search([("project_id", "=", project.id)])
        compared = (former.filtered("signed_on") or former.filtered("sent_on"))[:1]
        # A language that is not installed (any more) falls back to the user's
        lang = get_lang(self.env, project.spoc_id.lang or project.partner_id.lang).code
        project_sudo = self.env["project.project"].browse(project.id)
        company = project_sudo.company_id or self.env.company
        agreement = (
            unlocked(self)
            .create(
                {
                    "project_id": project.id,
                    "version": (former[:1].version or 0) + 1,
                    "conclusion": conclusion,
                    "feasibility_statement": feasibility_statement,
                    "lang": lang,
                    "project_name": project_sudo.name,
                    "client_name": project_sudo.partner_id.commercial_partner_id.name,
                    "spoc_name": project_sudo.spoc_id.name,
                    "firm_name": company.name,
                    "firm_logo": company.logo,
                    "compared_version": compared.version,
                }
            )
            .with_env(self.env)
            .with_context(lang=lang)
        )
        snapshot = self._take_snapshot(agreement.project_id)
        changes = agreement._get_changes(compared, snapshot) if compared else []
        unlocked(agreement).write(
            {"snapshot": snapshot, "changes": "\n".join(changes) or False}
        )
        values = agreement._get_content_values() | {
            "company": company,
            "today": agreement.project_id._get_today(),
        }
        Qweb = self.env["ir.qweb"].with_context(lang=lang)
        unlocked(agreement).write(
            {
                name: self._keep_pictures(
                    Qweb._render(f"project_lifecycle.kickoff_agreement_{name}", values)
                )
                for name in ("heading", "content")
            }
        )
        unlocked(former).write({"state": "outdated"})
        return agreement.with_env(self.env)

    @api.model
    def _keep_pictures(self, html):
        """Return a text with its pictures inside instead of as links.

        What they link to can be deleted or replaced, and the client may not see it. A
        picture that the user may not see either stays a link.
        """
        Attachment = self.env["ir.attachment"].sudo(False)
        tree = fromstring(f"<div>{html}</div>")
        for image in tree.iter("img"):
            found = re.match(r"/web/(?:image|content)/(\d+)", image.get("src") or "")
            attachment = Attachment.browse(int(found[1])) if found else Attachment
            if attachment.exists() and attachment.has_access("read"):
                try:
                    picture = image_process(attachment.raw, size=PICTURE_SIZE)
                except UserError:  # not a picture
                    continue
                image.set("src", image_data_uri(base64.b64encode(picture)))
        return Markup("").join(
            Markup(tostring(child, encoding="unicode")) for child in tree
        )

    def _get_content_values(self):
        """Return what the templates of heading and text are rendered with.

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
            from the project with a dot at the end, and the names of their fields that
            were agreed on
        """
        return {
            "parties": ("project.project", "", ["partner_id", "spoc_id"]),
            "points": (
                "project.checklist.item",
                "checklist_ids.item_ids.",
                ["name", "state", "answer", "is_client_visible"],
            ),
            "hours": ("project.project", "", ["pack_purchased_hours"]),
            "scope": (
                "project.scope.line",
                "scope_line_ids.",
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
        return project.mapped(path.rstrip(".")) if path else project

    @api.model
    def _get_snapshot_value(self, record, name):
        """Return a raw value of a record, the same in every language."""
        field = record._fields[name]
        value = field.convert_to_read(record[name], record, use_display_name=False)
        return float_round(value, 2) if field.type == "float" else value

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
                        name: self._get_snapshot_value(record, name) for name in names
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
            if former and section not in former:
                continue  # versions made by an earlier release did not keep it
            before = (former or {}).get(section, {})
            after = current.get(section, {})
            for key in sorted(before.keys() | after.keys(), key=int):
                sentences.append(
                    self._compare_record(
                        section, self.env[model], before.get(key), after.get(key)
                    )
                )
        return [sentence for sentence in sentences if sentence]

    @api.model
    def _compare_record(self, section, model, before, after):
        """Return how one record of a section differs in two snapshots, or None."""
        if not before:
            return self._get_added_sentence(section, after["name"])
        if not after:
            return self._get_removed_sentence(section, before["name"])
        changed = [
            name
            for name, value in after["values"].items()
            # what an earlier release did not keep is not compared
            if name in before["values"] and before["values"][name] != value
        ]
        if not changed:
            return None
        if section == "hours":
            return self.env._(
                "Hours bought: %(new)s instead of %(former)s",
                new=format_duration(after["values"]["pack_purchased_hours"]),
                former=format_duration(before["values"]["pack_purchased_hours"]),
            )
        labels = [model._fields[name]._description_string(self.env) for name in changed]
        return self._get_changed_sentence(section, after["name"], ", ".join(labels))

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
        if section == "parties":
            return self.env._("The parties of the agreement changed: %s", labels)
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
            self.env._("Nothing of what was agreed on.")
        ]
