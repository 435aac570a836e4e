from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..lifecycle.project_lock import is_manager, is_unlocked, unlocked
from ..lifecycle.words import says_something

# What a salesperson answers, who need not be a user of projects.
ANSWER_FIELDS = {"answer", "state"}
# What the system writes into its findings, and nobody else.
FOUND_FIELDS = {"description", "name", "severity", "type"}
PUBLISHED_FIELDS = {"published_name", "published_text"}
# What the activity of the owner tells or depends on.
ASSIGNED_FIELDS = {"description", "name", "owner_id", "state", "type"}
UNANSWERED_STATES = ("open", "challenged")
ANSWERED_STATES = ("resolved", "accepted")
SEVERITIES = [("low", "Low"), ("medium", "Medium"), ("high", "High")]


class ProjectRisk(models.Model):
    _name = "project.risk"
    _description = "Project Risk"
    _inherit = [
        "project.part.mixin",
        "project.internal.thread",
        "mail.activity.mixin",
    ]
    _order = "id desc"

    name = fields.Char(required=True, tracking=True)
    key = fields.Char(
        copy=False,
        readonly=True,
        export_string_translation=False,
        help="Technical name of what was found: it is raised once per project.",
    )
    gravity = fields.Float(
        copy=False,
        readonly=True,
        export_string_translation=False,
        help="How bad the finding is, in its own measure. Zero: its cause is gone.",
    )
    causes = fields.Json(
        copy=False,
        readonly=True,
        export_string_translation=False,
        help="What the finding is about. An answer holds for these causes only.",
    )
    description = fields.Text(help="What is wrong and which figures say so.")
    origin = fields.Selection(
        [
            ("feasibility", "Feasibility"),
            ("kickoff", "Kick-off"),
            ("spoc_change", "Change of SPOC"),
            ("go_live", "Go-live"),
            ("support", "Support"),
            ("manual", "Entered by Hand"),
        ],
        required=True,
        default="manual",
        readonly=True,
    )
    type = fields.Selection(
        [
            ("commercial", "Commercial"),
            ("scope", "Scope"),
            ("planning", "Planning"),
            ("people", "People"),
            ("technical", "Technical"),
        ],
        required=True,
        default="scope",
        tracking=True,
        help="A commercial risk is the salesperson's to solve with the client. The "
        "project does not go on to the client kick-off before it is answered.",
    )
    severity = fields.Selection(
        SEVERITIES,
        required=True,
        default="medium",
        tracking=True,
        help="A high risk keeps the project from the client kick-off until it is "
        "resolved, or accepted with an answer.",
    )
    owner_id = fields.Many2one(
        "res.users",
        compute="_compute_owner_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        tracking=True,
        domain="[('share', '=', False)]",
        help="Who answers for the risk: of a commercial one it is the salesperson.",
    )
    state = fields.Selection(
        [
            ("open", "Open"),
            ("challenged", "Challenged"),
            ("resolved", "Resolved"),
            ("accepted", "Accepted"),
        ],
        required=True,
        default="open",
        copy=False,
        tracking=True,
        group_expand=True,
        help="Challenged: somebody was asked about it. Resolved: it is out of the way. "
        "Accepted: the project goes on with it, and the answer says why.",
    )
    answer = fields.Text(
        copy=False,
        tracking=True,
        help="What is done about the risk, or why the project goes on with it. It "
        "is never shown to the client.",
    )
    answered_by_id = fields.Many2one(
        "res.users", copy=False, readonly=True, index="btree_not_null"
    )
    answered_on = fields.Datetime(copy=False, readonly=True)
    is_published = fields.Boolean(
        string="Shown to the Client",
        tracking=True,
        copy=False,
        help="The client reads the title and the text for the client, nothing else.",
    )
    published_name = fields.Char(
        string="Title for the Client",
        compute="_compute_published_name",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        help="How the client reads the risk, in the language of the client.",
    )
    published_text = fields.Text(
        string="Text for the Client",
        copy=False,
        help="What the client reads about the risk, in the language of the client. "
        "Internal advice has no place here.",
    )

    is_editable = fields.Boolean(
        compute="_compute_is_editable", export_string_translation=False
    )

    _project_key_uniq = models.UniqueIndex(
        "(project_id, key) WHERE key IS NOT NULL",
        "This risk of the project is known already.",
    )

    @api.depends("project_id", "type")
    def _compute_owner_id(self):
        for risk in self:
            # sudo: who answers may be known to those who may write a risk
            project = risk.project_id.sudo()
            risk.owner_id = project and project._get_risk_owner(risk.type)

    @api.depends("is_published")
    def _compute_published_name(self):
        for risk in self:
            risk.published_name = risk.published_name or (
                risk.is_published and risk.name
            )

    @api.depends("project_id")
    @api.depends_context("uid")
    def _compute_is_editable(self):
        editable = self.project_id._filtered_access("write")
        for risk in self:
            risk.is_editable = not risk.project_id or risk.project_id in editable

    @api.constrains("project_id")
    def _check_project(self):
        for risk in self:
            if risk.project_id.is_template:
                raise ValidationError(
                    self.env._(
                        "%s is a template: risks are raised on the projects that are "
                        "made from it.",
                        risk.project_id.name,
                    )
                )

    @api.constrains("owner_id")
    def _check_owner(self):
        for risk in self:
            if risk.owner_id.sudo().share:  # sudo: users of other companies
                raise ValidationError(
                    self.env._(
                        "%s is not a colleague: choose who answers for the risk in "
                        "the house.",
                        risk.owner_id.name,
                    )
                )

    @api.constrains("state", "answer")
    def _check_answer(self):
        for risk in self:
            if says_something(risk.answer):
                continue
            if risk.state == "accepted":
                raise ValidationError(
                    self.env._(
                        "Write the answer before accepting “%s”: it says why the "
                        "project goes on with this risk.",
                        risk.name,
                    )
                )
            if risk.state == "resolved" and risk.gravity:
                raise ValidationError(
                    self.env._(
                        "The cause of “%s” is still there. Remove it, and the finding "
                        "is resolved by itself; or write in the answer how it was "
                        "solved.",
                        risk.name,
                    )
                )
            if risk.state == "resolved" and not risk.key and risk._is_gating():
                raise ValidationError(
                    self.env._(
                        "Write in the answer how “%s” was solved with the client.",
                        risk.name,
                    )
                )

    # Create, write

    @api.model_create_multi
    def create(self, vals_list):
        risks = super().create(vals_list)
        risks._stamp_answers()
        risks._assign()
        return risks

    def write(self, vals):
        self._check_may_write(vals)
        reopened = self.browse()
        if vals.get("state") in UNANSWERED_STATES and "answer" not in vals:
            reopened = self.filtered(
                lambda risk: risk.answer and risk.state in ANSWERED_STATES
            )
        result = super().write(vals)
        # The answer did not do: it stays in the history, and a new one is asked for
        super(ProjectRisk, reopened).write({"answer": False})
        if vals.keys() & ANSWER_FIELDS:
            self._stamp_answers()
        if vals.keys() & ASSIGNED_FIELDS:
            self._assign()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_findings(self):
        found = self.filtered("key")
        if found and not is_unlocked(self.env):
            raise UserError(
                self.env._(
                    "“%s” was found by the system and stays in the history of the "
                    "project. Resolve it, or accept it with an answer.",
                    found[0].name,
                )
            )
        gating = self.filtered(lambda risk: not risk.key and risk._is_gating())
        if gating:
            raise UserError(
                self.env._(
                    "“%s” keeps the project from going on until it is answered. "
                    "Resolve it, or accept it with an answer, instead of deleting it.",
                    gating[0].name,
                )
            )

    def _stamp_answers(self):
        """Note who answered the risks and when."""
        answered = self.filtered(lambda risk: risk.state in ANSWERED_STATES)
        now = fields.Datetime.now()
        for risks, vals in (
            (answered, {"answered_by_id": self.env.uid, "answered_on": now}),
            (
                (self - answered).filtered("answered_on"),
                {"answered_by_id": False, "answered_on": False},
            ),
        ):
            if risks:
                unlocked(risks.sudo()).write(vals)

    def _write_found(self, vals):
        """Write what the system found: its history follows in one go."""
        quiet = unlocked(self.with_context(tracking_disable=True))
        return super(ProjectRisk, quiet).write(vals)

    # Who may change what

    def _is_gating(self):
        """Return whether the risk keeps the project from the client kick-off."""
        self.ensure_one()
        return self.type == "commercial" or self.severity == "high"

    def _check_may_write(self, vals):
        """Check who changes what: record rules tell whose risks may be written at all.

        :raises AccessError: with who may instead
        """
        if self.env.su:
            return
        self._check_content(vals)
        if "answer" in vals or vals.get("state") in ANSWERED_STATES:
            self._check_may_answer()
        if is_manager(self.env):
            return
        for risk in self:
            if risk._is_gating() and risk._is_belittled(vals):
                raise AccessError(
                    self.env._(
                        "“%s” keeps the project from going on until it is answered. "
                        "Only a project manager makes another kind of risk of it, or "
                        "another person's; answer it instead.",
                        risk.name,
                    )
                )

    def _check_content(self, vals):
        """Check that the text of a risk is changed by who runs the project, and that of
        a finding by the system only.

        :raises AccessError: other fields are among the values
        """
        names = vals.keys() - ANSWER_FIELDS
        if not names:
            return
        projects = self.project_id
        foreign = projects - projects._filtered_access("write")
        if foreign:
            raise AccessError(
                self.env._(
                    "On %(projects)s you answer risks: write the answer, and resolve "
                    "or accept the risk. The rest is changed by the consultant or a "
                    "project manager.",
                    # sudo: the names of projects whose risks the user answers
                    projects=", ".join(foreign.sudo().mapped("name")),
                )
            )
        found = self.filtered(
            lambda risk: risk.key
            and (
                names & FOUND_FIELDS
                or (risk.origin == "feasibility" and names & PUBLISHED_FIELDS)
            )
        )
        if found:
            raise AccessError(
                self.env._(
                    "“%s” was found by the system, which keeps its text and weight up "
                    "to date. Write the answer, or remove the cause.",
                    found[0].name,
                )
            )

    def _is_belittled(self, vals):
        """Return whether values take weight or its owner from a risk."""
        self.ensure_one()
        weights = [value for value, _label in SEVERITIES]
        severity = vals.get("severity", self.severity)
        is_lighter = severity in weights[: weights.index(self.severity)]
        is_other_kind = vals.get("type", self.type) != self.type
        is_taken_over = (
            self.type == "commercial"
            and vals.get("owner_id", self.owner_id.id) != self.owner_id.id
        )
        return is_lighter or is_other_kind or is_taken_over

    def _check_may_answer(self):
        """Check that who is responsible answers: the salesperson, when commercial.

        :raises AccessError: somebody else has to answer
        """
        if is_manager(self.env):
            return
        for risk in self:
            project_sudo = risk.project_id.sudo()  # sudo: who answers may be known
            if (
                self.env.user in risk.owner_id | project_sudo.salesperson_id
                or risk.type != "commercial"
                and risk.project_id.has_access("write")
            ):
                continue
            raise AccessError(
                self.env._(
                    "“%(risk)s” is answered by %(owner)s or a project manager.",
                    risk=risk.name,
                    owner=risk.owner_id.sudo().name or project_sudo.user_id.name or "",
                )
            )

    def _is_answered(self):
        """Return whether somebody answered for the risk."""
        self.ensure_one()
        return self.state in ANSWERED_STATES and says_something(self.answer)

    def _answer(self, answer):
        """Accept risks with an answer, as who is asked about them.

        :param str answer: why the project goes on with them, in plain text
        :raises AccessError: somebody else has to answer
        """
        self._check_may_answer()
        # sudo: who owns a risk need not be a consultant or a salesperson
        self.sudo().write({"answer": answer, "state": "accepted"})

    def action_challenge(self):
        """Ask the owner about the risk."""
        return self.write({"state": "challenged"})

    def action_resolve(self):
        """Say that the risk is out of the way.

        :raises ValidationError: its cause is still there and there is no answer
        """
        return self.write({"state": "resolved"})

    def action_accept(self):
        """Go on with the risk.

        :raises ValidationError: the answer that says why is missing
        """
        return self.write({"state": "accepted"})

    def action_reopen(self):
        """Take an answer back."""
        return self.write({"state": "open"})
