from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tools import format_list
from odoo.tools.misc import clean_context

from .project_flow_cycle import STEPS, CyclePass

# What the flow reads from its cycles, which nobody writes.
CYCLE_FIELDS = {"current_cycle_id", "cycle_count", "cycle_ids"}
# More cycles than this, and the flow goes round in circles: a risk for the project.
MANY_CYCLES = 2


class ProjectFlow(models.Model):
    _name = "project.flow"
    _description = "Business Flow"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "project_id, sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, index="trigram", tracking=True)
    sequence = fields.Integer(default=10, export_string_translation=False)
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
        tracking=True,
        domain="[('is_lifecycle', '=', True)]",
    )
    phase_id = fields.Many2one(
        "project.phase",
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        copy=False,
        tracking=True,
        domain="[('project_id', '=?', project_id), "
        "('state', 'not in', ('live', 'complete'))]",
        help="The phase in which the flow goes live.",
    )
    phase_state = fields.Selection(related="phase_id.state", string="State of Phase")
    company_id = fields.Many2one(related="project_id.company_id")
    partner_id = fields.Many2one(related="project_id.partner_id", string="Client")
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
        help="Feedback of the users that is no sticking point: an improvement for a "
        "later phase.",
    )
    cycle_ids = fields.One2many("project.flow.cycle", "flow_id", string="Cycles")
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
    days_in_step = fields.Integer(
        compute="_compute_days_in_step",
        help="Whole days since the flow came to its step.",
    )
    poc_meeting_id = fields.Many2one(
        related="current_cycle_id.poc_meeting_id", readonly=False, domain="poc_domain"
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

    # ------------------------------------------------------------------
    # Computed fields
    # ------------------------------------------------------------------
    @api.depends("phase_id")
    def _compute_project_id(self):
        for flow in self:
            flow.project_id = flow.project_id or flow.phase_id.project_id

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

    @api.depends("step", "current_cycle_id.result")
    def _compute_is_validated(self):
        for flow in self:
            flow.is_validated = flow.current_cycle_id.result == "validated"

    @api.model
    def _search_is_validated(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain("current_cycle_id.result", "=", "validated")

    @api.depends("current_cycle_id.date_step")
    def _compute_days_in_step(self):
        now = fields.Datetime.now()
        for flow in self:
            since = flow.current_cycle_id.date_step
            flow.days_in_step = (now - since).days if since else 0

    @api.depends("project_id", "cycle_ids.poc_meeting_id")
    def _compute_poc_domain(self):
        for flow in self:
            former = flow.cycle_ids - flow.current_cycle_id
            flow.poc_domain = [
                ("project_id", "=", flow.project_id.id),
                ("lifecycle_meeting", "=", "poc"),
                ("id", "not in", former.poc_meeting_id.ids),
            ]

    @api.depends(
        "step",
        "phase_id.state",
        "current_cycle_id.poc_meeting_id",
        "meeting_ids",
        "development_ids.decision",
    )
    def _compute_next_action(self):
        obstacles = self._get_obstacles()
        todo = {
            "analysis": self.env._("Start the realisation."),
            "realisation": self.env._("Present it to the SPOC for validation."),
            "training": self.env._("Close the flow, with the feedback of the users."),
            "done": self.env._("Ready for the go-live of its phase."),
        }
        live = ("live", "complete")
        for flow in self:
            missing = obstacles[flow]
            flow.is_held_up = bool(missing)
            if missing:
                flow.next_action = missing[0]
            else:
                is_live = flow.phase_id.state in live
                flow.next_action = not is_live and todo.get(flow.step)

    @api.depends("task_ids")
    def _compute_task_count(self):
        counts = dict(
            self.env["project.task"]._read_group(
                [("flow_id", "in", self.ids)], ["flow_id"], ["__count"]
            )
        )
        for flow in self:
            flow.task_count = counts.get(flow._origin, 0)

    @api.depends("timesheet_ids.unit_amount")
    def _compute_spent_hours(self):
        hours = dict(
            self.env["account.analytic.line"]._read_group(
                [("flow_id", "in", self.ids)], ["flow_id"], ["unit_amount:sum"]
            )
        )
        for flow in self:
            flow.spent_hours = hours.get(flow._origin, 0)

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------
    @api.constrains("project_id")
    def _check_project(self):
        for flow in self:
            if not flow.project_id.is_lifecycle:
                raise ValidationError(
                    self.env._(
                        "%(project)s is not a client implementation: it has no "
                        "business flows.",
                        project=flow.project_id.name,
                    )
                )

    @api.constrains("project_id", "phase_id")
    def _check_phase(self):
        for flow in self:
            if flow.phase_id and flow.phase_id.project_id != flow.project_id:
                raise ValidationError(
                    self.env._(
                        "%(phase)s is a phase of %(other)s, but the flow %(flow)s "
                        "belongs to %(project)s. Choose one of its own phases.",
                        phase=flow.phase_id.name,
                        other=flow.phase_id.project_id.name,
                        flow=flow.name,
                        project=flow.project_id.name,
                    )
                )

    # ------------------------------------------------------------------
    # Create, write, delete
    # ------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        default_step = self.env.context.get("default_step")
        for vals in vals_list:
            step = vals.pop("step", None) or default_step or "analysis"
            given = [name for name in CYCLE_FIELDS if vals.pop(name, None)]
            if step != "analysis" or given:
                raise UserError(
                    self.env._(
                        "A new flow starts with the analysis of its first cycle. No "
                        "step of the way can be skipped."
                    )
                )
            # Also against default values of the context
            vals |= dict.fromkeys(CYCLE_FIELDS, False)
        flows = super().create(vals_list)
        flows._check_phase_open(flows.phase_id)
        flows._open_cycle()
        return flows

    def write(self, vals):
        vals = dict(vals)
        if CYCLE_FIELDS & vals.keys():
            raise UserError(
                self.env._(
                    "Cycles are opened and closed by the steps of the flow and by the "
                    "SPOC's answers, never by hand."
                )
            )
        if "project_id" in vals and any(
            flow.project_id.id != vals["project_id"] for flow in self
        ):
            raise UserError(
                self.env._("A flow stays in its project. Describe it again there.")
            )
        step = vals.pop("step", None)
        if "phase_id" in vals:
            moved = self.filtered(lambda flow: flow.phase_id.id != vals["phase_id"])
            moved._check_phase_open(
                moved.phase_id | moved.phase_id.browse(vals["phase_id"] or [])
            )
        result = super().write(vals)
        if "phase_id" in vals and moved:
            moved._check_phase_started()
            moved._reopen_phase()
        if step:
            self._move_to(step)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_history(self):
        if blocked := self.filtered(lambda flow: flow._has_history()):
            raise UserError(
                self.env._(
                    "%(flows)s: what was done and said in their cycles stays. Move "
                    "such a flow to a phase of improvements when it is not wanted now.",
                    flows=format_list(self.env, blocked.mapped("name")),
                )
            )

    def _has_history(self):
        """Return whether the flow was worked on in a way that must be kept."""
        self.ensure_one()
        flow = self.sudo()  # time of colleagues counts, whoever deletes
        return (
            flow.cycle_count > 1 or flow.step != "analysis" or bool(flow.timesheet_ids)
        )

    def _check_phase_open(self, phases):
        """Check that flows neither join nor leave a phase that is live.

        :raises UserError: that names the phase
        """
        closed = phases.filtered(lambda phase: phase.state in ("live", "complete"))
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
                        "that is in progress.",
                        flow=flow.name,
                    )
                )

    def _reopen_phase(self):
        """Take back that a phase is ready when a flow of it has something to do."""
        self.filtered(lambda flow: flow.step != "done").phase_id.filtered(
            lambda phase: phase.state == "ready"
        ).action_back_to_work()

    # ------------------------------------------------------------------
    # Steps and cycles
    # ------------------------------------------------------------------
    def _open_cycle(self):
        """Open the next cycle of each flow, at its analysis.

        More than two cycles are a risk: hours run out in circles.
        """
        number = {flow: flow.cycle_count + 1 for flow in self}
        self.env["project.flow.cycle"].with_context(
            # Without the defaults of the client, which could skip a step
            clean_context(self.env.context),
            flow_cycle_pass=CyclePass(),
        ).create([{"flow_id": flow.id, "number": number[flow]} for flow in self])
        circling = self.filtered(lambda flow: number[flow] > MANY_CYCLES)
        if circling:
            # sudo: the system raises it, whoever recorded the rejection
            self.env["project.risk"].sudo()._raise_risks(
                [flow._prepare_cycles_risk() for flow in circling]
            )
        self._reopen_phase()

    def _prepare_cycles_risk(self):
        """Return the risk of a flow that goes round in circles."""
        self.ensure_one()
        return {
            "project_id": self.project_id.id,
            "key": f"flow_cycles_{self.id}",
            "name": self.env._("%s goes round in circles", self.name),
            "origin": "implementation",
            "type": "planning",
            "severity": "high",
            "description": self.env._(
                "The SPOC sent the business flow %(flow)s back %(count)s times. Find "
                "out why before going on: a need that was not understood, a SPOC who "
                "cannot decide, or a scope that grows.",
                flow=self.name,
                count=self.cycle_count - 1,
            ),
            "owner_id": self.project_id.user_id.id,
        }

    def _get_obstacles(self):
        """Return what is missing before each flow can go to its next step.

        The rules are those of methodology.md, section 3. It takes the same few queries
        for any number of flows.

        :return: dict from flow to a list of sentences, empty when it may go on
        """
        cycles = self.current_cycle_id
        poc_problems = cycles._get_poc_problems()
        undecided = dict(
            self.env["project.development.request"]
            .sudo()  # that a decision is missing may be known
            ._read_group(
                [("flow_id", "in", self.ids), ("decision", "=", "to_decide")],
                ["flow_id"],
                ["__count"],
            )
        )
        trained = set(
            self.env["calendar.event"]
            .sudo()  # private meetings count as well
            ._read_group(
                [
                    ("flow_ids", "in", self.ids),
                    ("held", "=", True),
                    ("lifecycle_meeting", "in", ("spoc_training", "user_training")),
                ],
                ["flow_ids", "lifecycle_meeting"],
            )
        )
        trained = {(flow.id, kind) for flow, kind in trained}
        self.project_id.sudo().mapped("spoc_id.name")  # one query for all
        result = {}
        for flow in self:
            flow_id = flow._origin.id
            missing = result[flow] = []
            if flow.step in ("analysis", "realisation") and (
                flow.phase_id.state not in ("in_progress", "ready")
            ):
                missing.append(
                    self.env._("Start its phase.")
                    if flow.phase_id
                    else self.env._("Plan it in a phase.")
                )
            if flow.step == "analysis":
                if problem := poc_problems.get(flow.current_cycle_id):
                    missing.append(problem)
            elif flow.step == "realisation":
                if undecided.get(flow._origin):
                    missing.append(self.env._("Decide on its development requests."))
                if (flow_id, "spoc_training") not in trained:
                    missing.append(
                        self.env._(
                            "Train the SPOC, and mark the SPOC training as held."
                        )
                    )
            elif flow.step == "validation":
                missing.append(
                    self.env._(
                        "Record the answer of the SPOC: validated, or sent back with "
                        "feedback."
                    )
                )
            elif flow.step == "training" and (flow_id, "user_training") not in trained:
                missing.append(
                    self.env._(
                        "Train the end users, and mark the end-user training as held."
                    )
                )
        return result

    def _move_to(self, step):
        """Move flows to a step of their current cycle.

        Steps go forward one by one, whoever asks and however: methodology.md,
        section 3. Moving a flow to the step where it is changes nothing.

        :param str step: the step to enter
        :raises UserError: for a step back, a skipped step, or with what is missing
        """
        steps = [name for name, _label in STEPS]
        labels = dict(self._fields["step"]._description_selection(self.env))
        if step not in steps:
            raise UserError(
                self.env._("There is no step “%s”: choose one of the flow's.", step)
            )
        moving = self.filtered(lambda flow: flow.step != step)
        for flow in moving:
            distance = steps.index(step) - steps.index(flow.step)
            if distance < 0:
                raise UserError(
                    self.env._(
                        "%(flow)s is in “%(step)s”: steps only go forward. To start "
                        "over, record what the SPOC or the users said: that opens a "
                        "new cycle.",
                        flow=flow.name,
                        step=labels[flow.step],
                    )
                )
            if distance > 1:
                raise UserError(
                    self.env._(
                        "%(flow)s cannot go from “%(step)s” to “%(next)s”: no step can "
                        "be skipped. The next one is “%(following)s”.",
                        flow=flow.name,
                        step=labels[flow.step],
                        next=labels[step],
                        following=labels[steps[steps.index(flow.step) + 1]],
                    )
                )
        for flow, missing in moving._get_obstacles().items():
            if missing:
                raise UserError(
                    self.env._(
                        "%(flow)s cannot go to “%(next)s” yet:\n%(missing)s",
                        flow=flow.name,
                        next=labels[step],
                        missing="\n".join(f"• {sentence}" for sentence in missing),
                    )
                )
        moving.current_cycle_id._enter_step(step)

    def _decide(self, result, **answer):
        """Record the answer of the SPOC on the current cycle of the flow.

        See :meth:`~.ProjectFlowCycle._decide`.
        """
        self.ensure_one()
        return self.current_cycle_id._decide(result, **answer)

    def _refine(self, feedback):
        """Open a new cycle because of the feedback of the trained users.

        Feedback may refine a flow until its phase goes live. Afterwards it is sorted
        in the follow-up, and does not overturn the flow that just went live.

        :param str feedback: what the users said, plain text
        :raises UserError: before the end-user training, after the go-live, or without
            feedback
        """
        for flow in self:
            if flow.step not in ("training", "done"):
                raise UserError(
                    self.env._(
                        "The users of %(flow)s have not been trained yet: there is no "
                        "feedback of theirs.",
                        flow=flow.name,
                    )
                )
            if flow.phase_id.state in ("live", "complete"):
                raise UserError(
                    self.env._(
                        "%(flow)s is live: feedback does not overturn it. Keep it as "
                        "an improvement for a later phase.",
                        flow=flow.name,
                    )
                )
        self.current_cycle_id._close_refined(feedback)

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------
    def action_next_step(self):
        """Move each flow to its next step.

        :raises UserError: with what is missing
        """
        steps = [name for name, _label in STEPS]
        for step, flows in self.grouped("step").items():
            if step != "done":
                flows._move_to(steps[steps.index(step) + 1])
        return True

    def _action_decision(self, result):
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.implementation_flow_decision_action"
        ) | {
            "context": {
                "default_cycle_id": self.current_cycle_id.id,
                "default_result": result,
            }
        }

    def action_validate(self):
        """Ask for the words with which the SPOC validated the flow."""
        return self._action_decision("validated")

    def action_reject(self):
        """Ask for the feedback with which the SPOC sent the flow back."""
        return self._action_decision("rejected")

    def action_refine(self):
        """Ask for the feedback of the users that takes a new cycle."""
        return self._action_decision("refined")

    def _prepare_meeting_context(self, kind):
        """Return the context to plan a meeting of these flows."""
        project = self.project_id[:1]
        labels = dict(
            self.env["calendar.event"]
            ._fields["lifecycle_meeting"]
            ._description_selection(self.env)
        )
        people = self.env.user.partner_id | project.user_id.partner_id
        names = format_list(self.env, self.mapped("name"))
        return {
            "default_project_id": project.id,
            "default_lifecycle_meeting": kind,
            "default_flow_ids": [Command.set(self.ids)],
            "default_name": f"{labels[kind]}: {names}",
            "default_partner_ids": (people | project.spoc_id).ids,
            # Stock Odoo would link the event to what is open as a document
            "default_res_model_id": False,
            "default_res_id": False,
        }

    def action_plan_poc(self):
        """Plan the proof of concept of the flow."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Proof of Concept"),
            "res_model": "calendar.event",
            "view_mode": "form",
            "context": self._prepare_meeting_context("poc"),
        }

    def action_view_trainings(self):
        """Open the trainings of the flow, and plan the one that comes next."""
        self.ensure_one()
        kind = "spoc_training"
        if self.step in ("training", "done"):
            kind = "user_training"
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.implementation_training_action"
        )
        return action | {
            "domain": [
                ("flow_ids", "in", self.ids),
                ("lifecycle_meeting", "in", ("spoc_training", "user_training")),
            ],
            "context": self._prepare_meeting_context(kind),
        }

    def action_view_tasks(self):
        """Open the tasks of the flow."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "project.action_view_all_task"
        )
        return action | {
            "domain": [("flow_id", "=", self.id)],
            "context": {
                "default_project_id": self.project_id.id,
                "default_phase_id": self.phase_id.id,
                "default_flow_id": self.id,
            },
        }
