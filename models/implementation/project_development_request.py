from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_list, is_html_empty

# What a decision says, which only the decision itself sets.
DECISION_FIELDS = {"decided_by_id", "decided_on", "task_id"}


class ProjectDevelopmentRequest(models.Model):
    """Something that the standard does not do, to be challenged before it is built."""

    _name = "project.development.request"
    _description = "Development Request"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "project_id, decision_sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    project_id = fields.Many2one(
        "project.project",
        compute="_compute_project_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
        domain="[('is_lifecycle', '=', True)]",
    )
    company_id = fields.Many2one(related="project_id.company_id")
    flow_id = fields.Many2one(
        "project.flow",
        string="Business Flow",
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        tracking=True,
        domain="[('project_id', '=?', project_id)]",
    )
    phase_id = fields.Many2one(
        "project.phase",
        compute="_compute_phase_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        domain="[('project_id', '=', project_id), ('wave', '=', wave)]",
    )
    need = fields.Html(
        required=True, help="What the client has to do and the standard does not offer."
    )
    value = fields.Html(
        string="Business Value", help="What the client gains with it, best in figures."
    )
    workaround = fields.Html(
        string="Workaround Considered",
        help="How it can be done with the standard. A rejected request is answered "
        "with it.",
    )
    wave = fields.Selection(
        [("mvp", "MVP"), ("improvement", "Improvements")],
        required=True,
        default="improvement",
        tracking=True,
        help="Developments come with the improvements, unless the MVP cannot do "
        "without.",
    )
    mvp_reason = fields.Text(
        string="Why the MVP Needs It",
        help="Why the client cannot start to work without this development.",
    )
    decision = fields.Selection(
        [
            ("to_decide", "To Decide"),
            ("approved", "Approved"),
            ("rejected", "Rejected"),
        ],
        required=True,
        default="to_decide",
        copy=False,
        tracking=True,
        index=True,
        group_expand=True,
    )
    decision_sequence = fields.Integer(
        compute="_compute_decision_sequence",
        store=True,
        export_string_translation=False,
    )
    specification = fields.Html(help="What exactly the developer is to build.")
    developer_id = fields.Many2one(
        "res.users",
        index="btree_not_null",
        tracking=True,
        domain="[('share', '=', False)]",
    )
    decided_by_id = fields.Many2one(
        "res.users", copy=False, readonly=True, ondelete="restrict"
    )
    decided_on = fields.Datetime(copy=False, readonly=True)
    task_id = fields.Many2one(
        "project.task",
        string="Development Task",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The task of the developer, made when the request is approved.",
    )

    # ------------------------------------------------------------------
    # Computed fields
    # ------------------------------------------------------------------
    @api.depends("flow_id")
    def _compute_project_id(self):
        for request in self:
            request.project_id = request.project_id or request.flow_id.project_id

    @api.depends("flow_id.phase_id", "wave")
    def _compute_phase_id(self):
        for request in self:
            phase = request.flow_id.phase_id or request.phase_id
            request.phase_id = phase.wave == request.wave and phase

    @api.depends("decision")
    def _compute_decision_sequence(self):
        order = [name for name, _label in self._fields["decision"].selection]
        for request in self:
            request.decision_sequence = order.index(request.decision or "to_decide")

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------
    @api.constrains("wave", "mvp_reason")
    def _check_wave(self):
        for request in self:
            if request.wave == "mvp" and not (request.mvp_reason or "").strip():
                raise ValidationError(
                    self.env._(
                        "Write down why the MVP cannot do without %(request)s, or "
                        "leave it to the improvements.",
                        request=request.name,
                    )
                )

    @api.constrains("project_id", "flow_id", "phase_id", "wave")
    def _check_belonging(self):
        for request in self:
            for part in (request.flow_id, request.phase_id):
                if part and part.project_id != request.project_id:
                    raise ValidationError(
                        self.env._(
                            "%(part)s belongs to %(other)s, and %(request)s to "
                            "%(project)s. Choose one of its own project.",
                            part=part.name,
                            other=part.project_id.name,
                            request=request.name,
                            project=request.project_id.name,
                        )
                    )
            if request.phase_id and request.phase_id.wave != request.wave:
                raise ValidationError(
                    self.env._(
                        "%(request)s and the phase %(phase)s are not in the same wave. "
                        "Choose another phase, or another wave.",
                        request=request.name,
                        phase=request.phase_id.name,
                    )
                )

    @api.constrains("developer_id")
    def _check_developer(self):
        for request in self:
            developer = request.developer_id
            if developer and (developer.share or not developer.active):
                raise ValidationError(
                    self.env._(
                        "%(developer)s cannot be the developer: choose an active "
                        "internal user, who gets the task.",
                        developer=developer.name,
                    )
                )

    @api.constrains("decision", "workaround", "value", "specification", "developer_id")
    def _check_decision(self):
        for request in self:
            if missing := request._get_missing():
                raise ValidationError(
                    self.env._(
                        "%(request)s cannot be decided like this. Add first: "
                        "%(missing)s.",
                        request=request.name,
                        missing=format_list(self.env, missing),
                    )
                )

    def _get_missing(self):
        """Return what the decision on this request needs and is missing."""
        self.ensure_one()
        needed = {
            "to_decide": (),
            "rejected": ("workaround",),
            "approved": ("value", "workaround", "specification", "developer_id"),
        }[self.decision]
        labels = self.fields_get(needed, ["string"])
        return [
            labels[name]["string"]
            for name in needed
            if not self[name]
            or (self._fields[name].type == "html" and is_html_empty(self[name]))
        ]

    # ------------------------------------------------------------------
    # Create, write, delete
    # ------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        context = self.env.context
        vals_list = [
            {name: False for name in DECISION_FIELDS}
            | {"decision": context.get("default_decision") or "to_decide"}
            | vals
            for vals in vals_list
        ]
        for vals in vals_list:
            if vals["decision"] != "to_decide" or any(map(vals.get, DECISION_FIELDS)):
                raise UserError(
                    self.env._(
                        "A new development request is still to be decided: challenge "
                        "it first, then approve or reject it."
                    )
                )
        return super().create(vals_list)

    def write(self, vals):
        if DECISION_FIELDS & vals.keys():
            raise UserError(
                self.env._(
                    "Who decided, when, and the task of the developer are noted by the "
                    "decision itself."
                )
            )
        if "project_id" in vals and any(
            request.project_id.id != vals["project_id"] for request in self
        ):
            raise UserError(self.env._("A development request stays in its project."))
        decided = self.filtered(
            lambda request: request.decision != vals.get("decision", request.decision)
        )
        if vals.get("decision") == "to_decide":
            decided._check_can_reopen()
        result = super().write(vals)
        if decided:
            decided._note_decision()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_decided(self):
        decided = self.filtered(lambda request: request.decision != "to_decide")
        if decided:
            raise UserError(
                self.env._(
                    "The decision on %(requests)s was told to the client and stays.",
                    requests=format_list(self.env, decided.mapped("name")),
                )
            )

    def _check_can_reopen(self):
        """Check that nobody has worked on what is to be decided again.

        :raises UserError: with the task on which time was logged
        """
        tasks = self.sudo().task_id  # time of colleagues counts
        if worked := tasks.filtered(lambda task: task.timesheet_ids or task.is_closed):
            raise UserError(
                self.env._(
                    "The developer has already worked on %s: the decision stays.",
                    worked[0].name,
                )
            )

    def _note_decision(self):
        """Note who decided and when, and tell the developer."""

        for request in self:
            is_open = request.decision == "to_decide"
            values = {
                "decided_by_id": False if is_open else self.env.uid,
                "decided_on": False if is_open else fields.Datetime.now(),
            }
            task = request.task_id.sudo()  # the developer's task goes with the decision
            if request.decision == "approved":
                if task:
                    task.state = "01_in_progress"
                else:
                    values["task_id"] = (
                        self.env["project.task"]
                        .sudo()
                        .create(request._prepare_task_values())
                        .id
                    )
            elif task:
                task.state = "1_canceled"
            request._write_noted(values)

    def _write_noted(self, values):
        """Write what the decision notes, which nobody else may."""
        return super().write(values)

    def _prepare_task_values(self):
        """Return the task of the developer of an approved request."""
        self.ensure_one()
        work_type = self.env.ref(
            "project_lifecycle.work_type_development", raise_if_not_found=False
        )
        return {
            "name": self.name,
            "project_id": self.project_id.id,
            "phase_id": self.phase_id.id,
            "flow_id": self.flow_id.id,
            "user_ids": self.developer_id.ids,
            "description": self.specification,
            "work_type_id": work_type and work_type.id,
        }

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------
    def action_approve(self):
        """Approve requests: the developer gets a task with the specification.

        :raises ValidationError: without value, workaround considered, specification or
            developer, and for the MVP without the reason why it is indispensable
        """
        return self.write({"decision": "approved"})

    def action_reject(self):
        """Reject requests: the client works with the workaround.

        :raises ValidationError: without a workaround
        """
        return self.write({"decision": "rejected"})

    def action_reopen(self):
        """Decide again, as long as nobody has worked on it."""
        return self.write({"decision": "to_decide"})
