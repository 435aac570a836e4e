from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import float_compare, plaintext2html

# What the salesperson of a project answers, who need not be a user of projects.
ANSWER_FIELDS = {"answer", "state"}
# What tells the risks that the addon raises by itself from those of people.
TECHNICAL_FIELDS = {"gravity", "key"}
# What the activity of the owner tells or depends on.
ASSIGNED_FIELDS = {"description", "name", "owner_id", "project_id", "state", "type"}
UNANSWERED_STATES = ("open", "challenged")


class ProjectRisk(models.Model):
    _name = "project.risk"
    _description = "Project Risk"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    project_id = fields.Many2one(
        "project.project",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
        domain="[('is_lifecycle', '=', True), ('is_template', '=', False)]",
    )
    partner_id = fields.Many2one(related="project_id.partner_id", string="Client")
    company_id = fields.Many2one(
        related="project_id.company_id", store=True, index="btree_not_null"
    )
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
        [("low", "Low"), ("medium", "Medium"), ("high", "High")],
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
        help="What is done about the risk, or why the project goes on with it.",
    )
    is_published = fields.Boolean(
        string="Shown to the Client",
        tracking=True,
        copy=False,
        help="The client reads the name, the description and the answer.",
    )

    is_editable = fields.Boolean(
        compute="_compute_is_editable", export_string_translation=False
    )

    _project_key_uniq = models.UniqueIndex(
        "(project_id, key) WHERE key IS NOT NULL",
        "This risk of the project is known already.",
    )

    # ------------------------------------------------------------------
    # Computed fields
    # ------------------------------------------------------------------
    @api.depends("project_id", "type")
    def _compute_owner_id(self):
        for risk in self:
            # sudo: who answers may be known to those who may write a risk
            project = risk.project_id.sudo()
            risk.owner_id = (
                risk.type == "commercial" and project.salesperson_id
            ) or project.user_id

    @api.depends("project_id")
    @api.depends_context("uid")
    def _compute_is_editable(self):
        editable = self.project_id._filtered_access("write")
        for risk in self:
            risk.is_editable = not risk.project_id or risk.project_id in editable

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------
    @api.constrains("project_id")
    def _check_project(self):
        for risk in self:
            project = risk.project_id
            if not project.is_lifecycle or project.is_template:
                raise ValidationError(
                    self.env._(
                        "%s is no client implementation project: risks are for those "
                        "only.",
                        project.name,
                    )
                )

    @api.constrains("state", "answer")
    def _check_answer(self):
        for risk in self:
            if (risk.answer or "").strip():
                continue
            if risk.state == "accepted":
                raise ValidationError(
                    self.env._(
                        "Write the answer before accepting “%s”: it says why the "
                        "project goes on with this risk.",
                        risk.name,
                    )
                )
            if risk.state == "resolved" and not risk.key and risk.type == "commercial":
                raise ValidationError(
                    self.env._(
                        "Write in the answer how “%s” was solved with the client.",
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

    # ------------------------------------------------------------------
    # Create, write
    # ------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_not_technical(
                {name for name in TECHNICAL_FIELDS if vals.get(name)}
                | {
                    name
                    for name in TECHNICAL_FIELDS
                    if f"default_{name}" in self.env.context
                }
            )
        risks = super().create(vals_list)
        risks._assign()
        return risks

    def write(self, vals):
        self._check_not_technical(vals.keys())
        self._check_may_write(vals)
        reopened = self.browse()
        if vals.get("state") in UNANSWERED_STATES and "answer" not in vals:
            reopened = self.filtered(
                lambda risk: risk.answer and risk.state not in UNANSWERED_STATES
            )
        result = super().write(vals)
        # The answer did not do: it stays in the history, and a new one is asked for
        super(ProjectRisk, reopened).write({"answer": False})
        if "project_id" in vals:
            self.check_access("write")  # nothing goes to the projects of others
        is_assigned_later = self.env.su and self.env.context.get("risk_assign_later")
        if vals.keys() & ASSIGNED_FIELDS and not is_assigned_later:
            self._assign()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_findings(self):
        if found := self.filtered("key"):
            raise UserError(
                self.env._(
                    "“%s” was found by the system and stays in the history of the "
                    "project. Resolve it, or accept it with an answer.",
                    found[0].name,
                )
            )

    def _check_not_technical(self, names):
        """Keep people from writing what the addon tells its own findings by.

        :raise AccessError: such a field is among the values
        """
        if not self.env.su and TECHNICAL_FIELDS & names:
            raise AccessError(
                self.env._("Only the system itself raises its findings, with figures.")
            )

    def _check_may_write(self, vals):
        """Check that who only answers for a risk changes nothing but the answer.

        Record rules let the salesperson write the risks of the own projects.

        :raise AccessError: other fields are among the values
        """
        if self.env.su or vals.keys() <= ANSWER_FIELDS:
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
        if vals.keys() & {"origin", "project_id"} and any(risk.key for risk in self):
            raise AccessError(
                self.env._(
                    "A finding of the system stays with its project. Enter another "
                    "risk for the other project."
                )
            )

    # ------------------------------------------------------------------
    # Raising and answering
    # ------------------------------------------------------------------
    @api.model
    def _raise_risks(self, vals_list):
        """Raise risks once per project and key, in one batch.

        What is there already stays as it is, above all what was answered.

        :param vals_list: list of dicts with at least ``project_id``, ``key``, ``name``,
            ``origin``, ``type`` and ``severity``
        :return: the risks (sudo), new and known, in the order of ``vals_list``
        """
        Risk = self.sudo()  # whoever does what makes a risk need not see risks
        keys = [(vals["project_id"], vals["key"]) for vals in vals_list]
        known = Risk._get_by_key({key[0] for key in keys}, {key[1] for key in keys})
        new = {
            key: vals
            for key, vals in zip(keys, vals_list, strict=True)
            if key not in known
        }
        created = Risk.create(list(new.values()))
        known |= dict(zip(new, created, strict=True))
        return Risk.union(*(known[key] for key in keys))

    @api.model
    def _get_by_key(self, project_ids, keys):
        """Return the risks with these keys, by project id and key."""
        risks = self.search_fetch(
            [("project_id", "in", list(project_ids)), ("key", "in", list(keys))],
            [
                "answer",
                "description",
                "gravity",
                "key",
                "name",
                "owner_id",
                "project_id",
                "severity",
                "state",
                "type",
            ],
        )
        return {(risk.project_id.id, risk.key): risk for risk in risks}

    def _is_answered(self):
        """Return whether somebody answered for the risk."""
        self.ensure_one()
        return self.state not in UNANSWERED_STATES and bool((self.answer or "").strip())

    @api.model
    def _update_findings(self, project_ids, keys, found, tolerances):
        """Bring the automatic findings of projects up to date, in one batch.

        New causes raise a risk. A finding nobody answered yet follows the figures; it
        is resolved by itself when its cause is gone, and opens again when that comes
        back. One that was answered stays so, unless the figures get worse.

        :param project_ids: ids of the projects that were looked at
        :param keys: keys of all findings that were looked for
        :param found: dict from (project id, key) to the values of the risk, among them
            ``gravity``, which is above zero
        :param tolerances: dict from key to how much worse is not worth reopening
        """
        Risk = self.sudo()  # findings are the system's, whoever changes their inputs
        known = Risk._get_by_key(project_ids, keys)
        gone, changed, reopened = Risk, Risk, Risk
        answers = {}
        # The history is written in one go below, with the reason
        quietly = {"risk_assign_later": True, "tracking_disable": True}
        for (project_id, key), risk in known.items():
            vals = found.get((project_id, key))
            if not vals:
                if risk.state in UNANSWERED_STATES:
                    gone += risk
                continue
            is_worse = (
                float_compare(
                    vals["gravity"],
                    # what was resolved by itself has nothing to be compared with
                    risk.gravity + (tolerances.get(key, 0) if risk.gravity else 0),
                    precision_digits=2,
                )
                > 0
            )
            if risk._is_answered() and not is_worse:
                continue
            values = {
                name: value
                for name, value in vals.items()
                if name not in ("key", "origin", "project_id")
                and (risk[name].id if name == "owner_id" else risk[name]) != value
            }
            if risk.state not in UNANSWERED_STATES:
                values["state"] = "open"
                if risk.answer:
                    answers[risk.id] = risk.answer
                reopened += risk
            if values:
                risk.with_context(**quietly).write(values)
                changed += risk
        gone.with_context(**quietly).write({"gravity": 0, "state": "resolved"})
        (changed + gone)._assign()
        (reopened + gone)._log_found_state(answers)
        Risk.create([vals for key, vals in found.items() if key not in known])

    def _log_found_state(self, answers):
        """Write into the history of findings why the system changed their state.

        :param answers: dict from the id of a risk to the answer that did not do
        """
        bodies = {}
        for risk in self:
            env = risk.with_context(lang=risk.owner_id.lang or self.env.lang).env
            bodies[risk.id] = (
                env._("The cause is gone: resolved by the system.")
                if risk.state == "resolved"
                else env._(
                    "Opened again by the system: the cause is back, or worse than when "
                    "it was answered."
                )
            )
            if risk.id in answers:
                bodies[risk.id] += "\n" + env._("The answer was: %s", answers[risk.id])
        if bodies:
            root = self.env.ref("base.partner_root")
            self._message_log_batch(bodies, author_id=root.id)

    def _assign(self):
        """Give each unanswered risk one activity of its owner, and close the others."""
        if not self:
            return
        activity_type = self.env.ref("project_lifecycle.mail_activity_type_risk")
        Activity = self.env["mail.activity"].sudo()  # those of others, too
        activities = Activity.search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("activity_type_id", "=", activity_type.id),
            ]
        )
        by_risk = activities.grouped("res_id")
        model_id = self.env["ir.model"]._get_id(self._name)
        deadline = activity_type._get_date_deadline()
        values, obsolete = [], Activity
        for risk in self.sudo():  # sudo: as above
            planned = by_risk.get(risk.id, Activity)
            if risk.state not in UNANSWERED_STATES:
                obsolete += planned  # the chatter tells the change of the state
                continue
            kept = planned.filtered(lambda a, risk=risk: a.user_id == risk.owner_id)[:1]
            obsolete += planned - kept
            told = {
                "summary": risk.name,
                "note": plaintext2html(risk.description or ""),
            }
            if kept:
                kept.write(told)
            elif risk.owner_id:
                values.append(
                    told
                    | {
                        "activity_type_id": activity_type.id,
                        "automated": True,
                        "date_deadline": deadline,
                        "res_id": risk.id,
                        "res_model_id": model_id,
                        "user_id": risk.owner_id.id,
                    }
                )
        obsolete.unlink()
        # One mail per activity would be a query per risk, and a flood when many
        # projects change at once: the owners see them among their activities.
        Activity.with_context(mail_activity_quick_update=True).create(values)

    def _tell_managers(self):
        """Give the project director, or else the project managers, an activity each.

        Once per risk: it is for what they must know, whoever owns the risk.
        """
        if not self:
            return
        activity_type = self.env.ref(
            "project_lifecycle.mail_activity_type_risk_manager"
        )
        # sudo: those of others, too, and whoever made the risk
        Activity = self.env["mail.activity"].sudo()
        told = Activity.with_context(active_test=False).search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("activity_type_id", "=", activity_type.id),
            ]
        )
        told_ids = set(told.mapped("res_id"))
        model_id = self.env["ir.model"]._get_id(self._name)
        Activity.create(
            [
                {
                    "activity_type_id": activity_type.id,
                    "automated": True,
                    "date_deadline": activity_type._get_date_deadline(),
                    "res_id": risk.id,
                    "res_model_id": model_id,
                    "summary": risk.name,
                    "note": plaintext2html(risk.description or ""),
                    "user_id": manager.id,
                }
                for risk in self.sudo()  # sudo: as above
                if risk.id not in told_ids
                for manager in (
                    risk.project_id.company_id or self.env.company
                )._get_project_managers()
            ]
        )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------
    def action_challenge(self):
        """Ask the owner about the risk."""
        return self.write({"state": "challenged"})

    def action_resolve(self):
        """Say that the risk is out of the way.

        :raise ValidationError: its cause is still there and there is no answer
        """
        return self.write({"state": "resolved"})

    def action_accept(self):
        """Go on with the risk.

        :raise ValidationError: the answer that says why is missing
        """
        return self.write({"state": "accepted"})

    def action_reopen(self):
        """Take an answer back."""
        return self.write({"state": "open"})
