from odoo import api, fields, models
from odoo.exceptions import AccessError

CONCLUSIONS = [
    ("go", "Go"),
    ("adapted", "Go with Adaptations"),
    ("no_go", "No-go"),
]


class ProjectKickoffAgreement(models.Model):
    """What firm and client agreed on in the kick-off, version by version.

    Versions are made by :meth:`~.ProjectProject._conclude_kickoff` and by nothing
    else: no group may create, write or delete them, and all their fields are locked
    (`methodology.md` section 2). What the client reads is kept as it was, whole:
    parties, headings, text and its PDF.
    """

    _name = "project.kickoff.agreement"
    _description = "Kick-off Agreement"
    _inherit = ["project.part.mixin"]
    _order = "project_id, version desc"

    project_id = fields.Many2one(ondelete="restrict", readonly=True)
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
    project_name = fields.Char(readonly=True, help="As it was called then.")
    client_name = fields.Char(readonly=True, help="As it was called then.")
    spoc_name = fields.Char(
        string="SPOC's Name", readonly=True, help="As it was written then."
    )
    firm_name = fields.Char(readonly=True, help="As it was called then.")
    firm_logo = fields.Image(readonly=True, max_width=512, max_height=256)
    heading = fields.Html(
        readonly=True,
        help="Parties, date and what changed, as they were when the version was made, "
        "in the SPOC's language.",
    )
    content = fields.Html(
        readonly=True,
        help="The text as it was when the version was made, in the SPOC's language.",
    )
    compared_version = fields.Integer(
        readonly=True,
        aggregator=False,
        help="The version that the changes are told against: the last one that was "
        "accepted, else the last one that was sent.",
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
        help="What the text says, to compare with.",
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

    _project_version_uniq = models.Constraint(
        "UNIQUE(project_id, version)",
        "Somebody else has concluded this kick-off at the same time. Read the newest "
        "version of the agreement.",
    )

    @api.depends("project_name", "version")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for agreement in self:
            agreement.display_name = self.env._(
                "%(project)s: kick-off agreement, version %(version)s",
                project=agreement.project_name,
                version=agreement.version,
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise AccessError(
            self.env._(
                "An agreement cannot be deleted: all its versions stay readable."
            )
        )

    def _get_page_path(self):
        """Return the path of the page on which the SPOC reads and accepts."""
        self.ensure_one()
        return f"/my/projects/{self.project_id.id}/lifecycle/agreement/{self.id}"

    def action_open_page(self):
        """Open the page as the SPOC sees it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": self._get_page_path(),
            "target": "new",
        }
