from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_list

from .project_flow_cycle import STEPS, VALIDATED_TEXTS

# The states of a phase in which its flows stay as they are.
LIVE_STATES = ("live", "complete")


class ProjectFlow(models.Model):
    _name = "project.flow"
    _description = "Business Flow"
    _inherit = ["project.phase.part.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "project_id, sequence, id"

    active = fields.Boolean(
        default=True,
        readonly=True,  # by setting aside and taking up again, with a reason
        copy=False,
        tracking=True,
        export_string_translation=False,
    )
    name = fields.Char(required=True, index="trigram", tracking=True)
    sequence = fields.Integer(default=10, export_string_translation=False)
    project_id = fields.Many2one(tracking=True)
    phase_id = fields.Many2one(
        copy=False,
        tracking=True,
        domain="[('project_id', '=?', project_id), "
        "('state', 'not in', ('live', 'complete'))]",
        help="The phase in which the flow goes live.",
    )
    phase_state = fields.Selection(related="phase_id.state", string="State of Phase")
    spoc_id = fields.Many2one(related="project_id.spoc_id")
    user_id = fields.Many2one(
        "res.users",
        string="Consultant",
        compute="_compute_user_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        tracking=True,
        domain="[('share', '=', False)]",
    )
    application_ids = fields.Many2many(
        "project.application",
        string="Applications",
        help="The applications that the flow passes through.",
    )
    template_id = fields.Many2one(
        "project.flow.template",
        string="Made From",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    # prefetch=False: long texts that no list or kanban shows
    as_is = fields.Html(
        string="AS-IS",
        prefetch=False,
        help="How the client works today, with limits and risks.",
    )
    to_be = fields.Html(
        string="TO-BE", prefetch=False, help="How the client will work with Odoo."
    )
    requirements = fields.Html(
        prefetch=False, help="What the flow must do to be validated."
    )
    delicate_points = fields.Html(
        prefetch=False, help="Where it may go wrong: exceptions, habits, people, data."
    )
    improvement_notes = fields.Html(
        string="Kept for Later",
        prefetch=False,
        copy=False,
        help="Feedback of the users that is not a sticking point: an improvement for a "
        "later phase.",
    )
    cycle_ids = fields.One2many(
        "project.flow.cycle", "flow_id", string="Cycles", readonly=True
    )
    current_cycle_id = fields.Many2one(
        "project.flow.cycle",
        compute="_compute_current_cycle",
        store=True,
        copy=False,
        index="btree_not_null",
    )
    cycle_count = fields.Integer(
        string="Number of Cycles",
        compute="_compute_current_cycle",
        store=True,
        aggregator="avg",
        copy=False,
        help="Times that the flow started from the analysis. More than two, and it "
        "goes round in circles.",
    )
    step = fields.Selection(
        STEPS,
        compute="_compute_step",
        store=True,
        readonly=False,  # moved in the kanban, see write
        copy=False,
        index=True,
        tracking=True,
        group_expand=True,
        help="Step of the current cycle. Steps only go forward, one by one; starting "
        "over takes a new cycle.",
    )
    is_validated = fields.Boolean(
        string="Validated by the SPOC",
        compute="_compute_is_validated",
        search="_search_is_validated",
    )
    is_changed = fields.Boolean(
        string="Changed since the Validation",
        compute="_compute_is_changed",
        store=True,
        copy=False,
        help="Texts that the SPOC validated were changed afterwards. Before the "
        "go-live the SPOC validates them again, in a new cycle.",
    )
    validation_changes = fields.Html(
        string="What Changed",
        compute="_compute_validation_changes",
        help="What was added and removed since the SPOC validated the flow.",
    )
    days_in_step = fields.Integer(
        compute="_compute_days_in_step",
        help="Whole days since the flow came to its step.",
    )
    poc_meeting_id = fields.Many2one(
        "calendar.event",
        string="Proof of Concept",
        compute="_compute_poc_meeting_id",
        inverse="_inverse_poc_meeting_id",
        search="_search_poc_meeting_id",
        domain="poc_domain",
        help="The session of the current cycle in which the flow is shown to the SPOC. "
        "Its recording is needed before the realisation starts.",
    )
    poc_domain = fields.Binary(
        compute="_compute_poc_domain", export_string_translation=False
    )
    next_action = fields.Char(
        string="What Comes Next",
        compute="_compute_next_action",
        help="What is missing before the flow can go to its next step.",
    )
    is_held_up = fields.Boolean(
        compute="_compute_next_action",
        export_string_translation=False,
        help="Something is missing before the next step.",
    )
    meeting_ids = fields.Many2many(
        "calendar.event",
        "calendar_event_project_flow_rel",
        "flow_id",
        "event_id",
        string="Meetings and Trainings",
        readonly=True,  # meetings say what they show or teach
        copy=False,
    )
    task_ids = fields.One2many("project.task", "flow_id", string="Tasks")
    development_ids = fields.One2many(
        "project.development.request", "flow_id", string="Development Requests"
    )
    import_ids = fields.One2many(
        "project.data.import", "flow_id", string="Data Imports"
    )
    timesheet_ids = fields.One2many(
        "account.analytic.line", "flow_id", export_string_translation=False
    )
    task_count = fields.Integer(
        compute="_compute_task_count", export_string_translation=False
    )
    spent_hours = fields.Float(
        compute="_compute_spent_hours",
        compute_sudo=True,  # the sum is for all who see the flow, its lines are not
    )

    @api.depends("project_id")
    def _compute_user_id(self):
        for flow in self:
            flow.user_id = flow.user_id or flow.project_id.user_id

    @api.depends("cycle_ids.number")
    def _compute_current_cycle(self):
        for flow in self:
            flow.current_cycle_id = flow.cycle_ids.sorted("number")[-1:]
            flow.cycle_count = len(flow.cycle_ids)

    @api.depends("current_cycle_id.step")
    def _compute_step(self):
        for flow in self:
            flow.step = flow.current_cycle_id.step or "analysis"

    @api.depends("current_cycle_id.result")
    def _compute_is_validated(self):
        for flow in self:
            flow.is_validated = flow.current_cycle_id.result == "validated"

    @api.model
    def _search_is_validated(self, operator, value):
        if operator != "in":
            return NotImplemented
        validated = Domain("current_cycle_id.result", "=", "validated")
        return Domain.OR(
            validated if is_validated else ~validated for is_validated in value
        )

    @api.depends("current_cycle_id.date_step")
    def _compute_days_in_step(self):
        now = fields.Datetime.now()
        for flow in self:
            since = flow.current_cycle_id.date_step
            flow.days_in_step = (now - since).days if since else 0

    @api.depends("current_cycle_id.poc_meeting_id")
    def _compute_poc_meeting_id(self):
        for flow in self:
            flow.poc_meeting_id = flow.current_cycle_id.poc_meeting_id

    def _inverse_poc_meeting_id(self):
        for flow in self:
            if flow.current_cycle_id:
                flow.current_cycle_id._set_poc(flow.poc_meeting_id)
            elif flow.poc_meeting_id:
                raise UserError(
                    self.env._(
                        "Create the flow first, and choose its proof of concept then."
                    )
                )

    @api.model
    def _search_poc_meeting_id(self, operator, value):
        return Domain("current_cycle_id.poc_meeting_id", operator, value)

    @api.depends("project_id", "cycle_ids.poc_meeting_id")
    def _compute_poc_domain(self):
        for flow in self:
            former = flow.cycle_ids - flow.current_cycle_id
            flow.poc_domain = [
                ("project_id", "=", flow.project_id.id),
                ("lifecycle_meeting", "=", "poc"),
                ("id", "not in", former.poc_meeting_id.ids),
            ]

    @api.depends("task_ids")
    def _compute_task_count(self):
        counts = dict(
            self.env["project.task"]._read_group(
                [("flow_id", "in", self.ids)], ["flow_id"], ["__count"]
            )
        )
        for flow in self:
            flow.task_count = counts.get(flow._origin, 0)

    @api.depends("timesheet_ids.unit_amount", "timesheet_ids.product_uom_id")
    def _compute_spent_hours(self):
        hours = self.env["account.analytic.line"]._read_hours("flow_id", self.ids)
        for flow in self:
            flow.spent_hours = hours.get((flow._origin,), 0)

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        default_step = self.env.context.get("default_step")
        for vals in vals_list:
            if (vals.pop("step", None) or default_step or "analysis") != "analysis":
                raise UserError(
                    self.env._(
                        "A new flow starts with the analysis of its first cycle. No "
                        "step of the way can be skipped."
                    )
                )
        flows = super().create(vals_list)
        flows._check_phase_open(flows.phase_id)
        flows._open_cycle()
        return flows

    def write(self, vals):
        vals = dict(vals)
        moves = "step" in vals
        step = vals.pop("step", None)
        if VALIDATED_TEXTS.keys() & vals.keys():
            self._check_not_live()
        phases = {flow: flow.phase_id for flow in self} if "phase_id" in vals else {}
        result = super().write(vals)
        moved = self.browse().concat(
            *(flow for flow in phases if flow.active and flow.phase_id != phases[flow])
        )
        moved._check_phase_open(moved.phase_id.union(*(phases[flow] for flow in moved)))
        moved._check_phase_started()
        if phases or VALIDATED_TEXTS.keys() & vals.keys():
            self._reopen_phase()
        if moves:
            self._move_to(step)
        return result

    def action_archive(self):
        """Refuse to hide flows without a word: they are set aside, with a reason."""
        raise UserError(
            self.env._(
                "A flow that is not wanted now is set aside: use “Set the Flow Aside” "
                "on its form, and say why."
            )
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_history(self):
        if blocked := self.filtered(lambda flow: flow._has_history()):
            raise UserError(
                self.env._(
                    "%(flows)s: what was done and said in their cycles stays. Use “Set "
                    "the Flow Aside” for a flow that is not wanted now.",
                    flows=format_list(self.env, blocked.mapped("name")),
                )
            )

    def _has_history(self):
        """Return whether the flow was worked on in a way that must be kept."""
        self.ensure_one()
        flow = self.sudo()  # time of colleagues counts, whoever deletes
        return (
            flow.cycle_count > 1
            or flow.step != "analysis"
            or flow.poc_meeting_id.held
            or bool(flow.current_cycle_id.training_ids)
            or bool(flow.timesheet_ids)
        )

    def _check_not_live(self):
        """Check that the texts which the SPOC validated may change.

        :raises UserError: for a flow that is live, with the ways that are left
        """
        if live := self.filtered(lambda flow: flow.phase_id.state in LIVE_STATES):
            raise UserError(
                self.env._(
                    "%(flow)s is live: what the SPOC validated stays as it is. Write "
                    "what should become different under “Kept for Later”, or plan a "
                    "new flow in the next phase.",
                    flow=live[0].name,
                )
            )

    def _check_phase_open(self, phases):
        """Check that flows neither join nor leave a phase that is live.

        :raises UserError: that names the phase
        """
        closed = phases.filtered(lambda phase: phase.state in LIVE_STATES)
        if self and closed:
            raise UserError(
                self.env._(
                    "%(phase)s is live: its flows stay as they are. Plan the rest in "
                    "the next phase.",
                    phase=closed[0].name,
                )
            )

    def _check_phase_started(self):
        """Check that flows beyond the analysis are in a phase that has started."""
        for flow in self:
            if flow.step != "analysis" and flow.phase_id.state not in (
                "in_progress",
                "ready",
            ):
                raise UserError(
                    self.env._(
                        "%(flow)s is beyond its analysis: it can only be in the phase "
                        "that is in progress. “Set the Flow Aside” moves it to a later "
                        "phase, where it starts over.",
                        flow=flow.name,
                    )
                )

    def _reopen_phase(self):
        """Take back that a phase is ready when a flow of it has something to do."""
        self.filtered(
            lambda flow: flow.active and (flow.step != "done" or flow.is_changed)
        ).phase_id.filtered(lambda phase: phase.state == "ready").action_back_to_work()
