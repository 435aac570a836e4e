from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_list

from ..kickoff.project_scope_line import WAVES
from ..lifecycle.project_lock import unlocked
from ..lifecycle.words import says_something

# What each decision rests on.
NEEDED_FIELDS = {
    "to_decide": (),
    "rejected": ("workaround",),
    "approved": ("value", "workaround", "specification", "developer_id"),
}
# What was decided on, and stays until it is decided again.
DECIDED_FIELDS = (
    "need",
    "value",
    "workaround",
    "specification",
    "wave",
    "mvp_reason",
)


class ProjectDevelopmentRequest(models.Model):
    """Something that the standard does not do, to be challenged before it is built."""

    _name = "project.development.request"
    _description = "Development Request"
    _inherit = ["project.phase.part.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "project_id, decision_sequence, id"

    name = fields.Char(required=True, tracking=True)
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
        compute="_compute_phase_id",
        store=True,
        readonly=False,
        precompute=True,
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
        WAVES,
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
        readonly=True,
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

    @api.depends("flow_id", "phase_id")
    def _compute_project_id(self):
        for request in self:
            request.project_id = request.project_id or request.flow_id.project_id
        return super()._compute_project_id()

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

    @api.constrains("wave", "mvp_reason")
    def _check_wave(self):
        for request in self:
            if request.wave == "mvp" and not says_something(request.mvp_reason):
                raise ValidationError(
                    self.env._(
                        "Write down why the MVP cannot do without %(request)s, or "
                        "leave it to the improvements.",
                        request=request.name,
                    )
                )

    @api.constrains("project_id", "flow_id")
    def _check_flow(self):
        self._check_same_project("flow_id")

    @api.constrains("phase_id", "wave")
    def _check_wave_of_phase(self):
        for request in self:
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

    @api.constrains("decision", *NEEDED_FIELDS["approved"])
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
        needed = NEEDED_FIELDS[self.decision]
        labels = self.fields_get(needed, ["string"])
        return [
            labels[name]["string"]
            for name in needed
            if not self[name]
            or (self._fields[name].type == "html" and not says_something(self[name]))
        ]

    def write(self, vals):
        changed = [name for name in DECIDED_FIELDS if name in vals]
        decided = changed and self.filtered(lambda r: r.decision != "to_decide")
        before = {request: [request[name] for name in changed] for request in decided}
        result = super().write(vals)
        for request, values in before.items():
            if values != [request[name] for name in changed]:
                raise UserError(
                    self.env._(
                        "%(request)s is decided: what the decision rests on stays. Use "
                        "“Decide Again” to change it, and put details for the "
                        "developer in the task.",
                        request=request.name,
                    )
                )
        if "developer_id" in vals:
            for request in self.filtered(lambda r: r.decision == "approved"):
                # sudo: the developer's task goes with the request
                request.task_id.sudo().user_ids = request.developer_id
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_decided(self):
        # Also when it is to be decided again: the client was told something
        decided = self.filtered(lambda r: r.decision != "to_decide" or r.task_id)
        if decided:
            raise UserError(
                self.env._(
                    "The decision on %(requests)s was told to the client and stays.",
                    requests=format_list(self.env, decided.mapped("name")),
                )
            )

    def _decide(self, decision):
        """Decide on requests: by the current user, now.

        :param str decision: ``approved``, ``rejected``, or ``to_decide`` once more
        :raises AccessError: for users who do not run the project
        :raises UserError: for requests that are decided already, or whose development
            has begun
        :raises ValidationError: with what the decision needs and is missing
        """
        self.check_access("write")
        again = decision == "to_decide"
        if again:
            self._check_can_reopen()
        for request in self:
            if request.decision == decision:
                continue
            if not again and request.decision != "to_decide":
                raise UserError(
                    self.env._(
                        "%s is decided already. Use “Decide Again” first.",
                        request.name,
                    )
                )
            if again:
                request._post_reopened()
            unlocked(request).write(
                {
                    "decision": decision,
                    "decided_by_id": not again and self.env.uid,
                    "decided_on": not again and fields.Datetime.now(),
                }
            )
            request._update_task()
        return True

    def _check_can_reopen(self):
        """Check that nobody has worked on what is to be decided again.

        :raises UserError: with the task on which time was logged
        """
        tasks = self.sudo().task_id  # time of colleagues counts
        if worked := tasks.filtered(
            lambda task: task.timesheet_ids or task.state == "1_done"
        ):
            raise UserError(
                self.env._(
                    "The developer has already worked on %s: the decision stays.",
                    worked[0].name,
                )
            )

    def _post_reopened(self):
        """Note which decision is taken back."""
        self.ensure_one()
        labels = dict(self._fields["decision"]._description_selection(self.env))
        self.message_post(
            body=self.env._(
                "Decided again. Before: %(decision)s, by %(user)s.",
                decision=labels[self.decision],
                user=self.decided_by_id.name,
            ),
            subtype_xmlid="mail.mt_note",
        )

    def _update_task(self):
        """Bring the task of the developer in line with the decision."""
        self.ensure_one()
        task = self.task_id.sudo()  # the developer's task goes with the decision
        if self.decision != "approved":
            task.state = "1_canceled"
        elif task:
            task.write(self._prepare_task_values() | {"state": "01_in_progress"})
        else:
            unlocked(self).task_id = task.create(self._prepare_task_values())

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

    def action_approve(self):
        """Approve requests: the developer gets a task with the specification.

        :raises ValidationError: without value, workaround considered, specification or
            developer, and for the MVP without the reason why it is indispensable
        """
        return self._decide("approved")

    def action_reject(self):
        """Reject requests: the client works with the workaround.

        :raises ValidationError: without a workaround
        """
        return self._decide("rejected")

    def action_reopen(self):
        """Decide again, as long as nobody has worked on it."""
        return self._decide("to_decide")
