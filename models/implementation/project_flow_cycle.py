from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

# The steps of a cycle, in the order in which they are passed.
STEPS = [
    ("analysis", "Analysis and Design"),
    ("realisation", "Realisation"),
    ("validation", "Validation by the SPOC"),
    ("training", "End-user Training"),
    ("done", "Done"),
]
# What a consultant may write by hand while the cycle is open.
OPEN_FIELDS = {"poc_meeting_id"}


class CyclePass:
    """What lets the code of flows write their cycles.

    It travels in the context, which RPC clients may fill as they like, but they can
    only send JSON and never an instance of this class.
    """

    @classmethod
    def is_in(cls, env):
        """Return whether the code of flows is at work."""
        return isinstance(env.context.get("flow_cycle_pass"), cls)


class ProjectFlowCycle(models.Model):
    """One round of a business flow, from its analysis to an answer of the SPOC.

    Only the newest cycle of a flow is open. A cycle is history: nobody edits it.
    """

    _name = "project.flow.cycle"
    _description = "Cycle of a Business Flow"
    _order = "flow_id, number desc, id desc"
    _rec_name = "number"
    _check_company_auto = True

    flow_id = fields.Many2one(
        "project.flow", required=True, index=True, ondelete="cascade", readonly=True
    )
    number = fields.Integer(required=True, readonly=True, aggregator=None)
    project_id = fields.Many2one(
        related="flow_id.project_id", store=True, precompute=True, index=True
    )
    company_id = fields.Many2one(related="project_id.company_id")
    phase_id = fields.Many2one(
        related="flow_id.phase_id", store=True, precompute=True, index="btree_not_null"
    )
    step = fields.Selection(
        STEPS, required=True, default="analysis", readonly=True, index=True
    )
    date_start = fields.Datetime(
        required=True, default=fields.Datetime.now, readonly=True
    )
    date_step = fields.Datetime(
        string="In this Step Since",
        required=True,
        default=fields.Datetime.now,
        readonly=True,
    )
    date_end = fields.Datetime(readonly=True)
    duration = fields.Float(
        string="Days",
        compute="_compute_duration",
        help="Days from the start of the cycle to its end, or until now.",
    )
    is_open = fields.Boolean(compute="_compute_is_open", search="_search_is_open")
    poc_meeting_id = fields.Many2one(
        "calendar.event",
        string="Proof of Concept",
        index="btree_not_null",
        ondelete="restrict",
        copy=False,
        help="The session in which the flow was shown to the SPOC. Its recording is "
        "needed before the realisation starts.",
    )
    recording_url = fields.Char(
        related="poc_meeting_id.recording_url", string="Recording", related_sudo=True
    )
    result = fields.Selection(
        [
            ("validated", "Validated"),
            ("rejected", "Sent Back"),
            ("refined", "Refined after Training"),
        ],
        readonly=True,
        index="btree_not_null",
    )
    feedback = fields.Text(
        readonly=True,
        help="Why the flow was sent back, in the words of the SPOC or of the users.",
    )
    statement = fields.Text(
        string="Words of the SPOC",
        readonly=True,
        help="With which words the SPOC validated the flow.",
    )
    evidence = fields.Text(
        readonly=True,
        help="Where the SPOC said so, when a consultant recorded it: an e-mail, the "
        "minutes of a meeting, a link.",
    )
    decided_by_id = fields.Many2one(
        "res.partner", string="Decided By", readonly=True, ondelete="restrict"
    )
    decided_on = fields.Datetime(readonly=True)
    recorded_by_id = fields.Many2one(
        "res.users", string="Recorded By", readonly=True, ondelete="restrict"
    )

    _number_uniq = models.Constraint(
        "UNIQUE (flow_id, number)",
        "This cycle of the flow has just been opened by somebody else: reload the "
        "page.",
    )

    # ------------------------------------------------------------------
    # Computed fields
    # ------------------------------------------------------------------
    @api.depends("date_start", "date_end")
    def _compute_duration(self):
        now = fields.Datetime.now()
        for cycle in self:
            time = (cycle.date_end or now) - (cycle.date_start or now)
            cycle.duration = time.total_seconds() / 86400

    @api.depends("date_end")
    def _compute_is_open(self):
        for cycle in self:
            cycle.is_open = not cycle.date_end

    @api.model
    def _search_is_open(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [("date_end", "=", False)]

    @api.depends("number", "flow_id")
    def _compute_display_name(self):
        for cycle in self:
            cycle.display_name = self.env._(
                "%(flow)s, cycle %(number)s",
                flow=cycle.flow_id.name,
                number=cycle.number,
            )

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------
    @api.constrains("poc_meeting_id")
    def _check_poc_meeting(self):
        for cycle in self.filtered("poc_meeting_id"):
            meeting = cycle.poc_meeting_id.sudo()  # private meetings count as well
            if (
                meeting.project_id != cycle.project_id
                or meeting.lifecycle_meeting != "poc"
            ):
                raise ValidationError(
                    self.env._(
                        "Choose a proof of concept of %(project)s: the meeting that "
                        "was given is another one.",
                        project=cycle.project_id.name,
                    )
                )
            if meeting in (cycle.flow_id.cycle_ids - cycle).poc_meeting_id:
                raise ValidationError(
                    self.env._(
                        "This proof of concept was shown in an earlier cycle of "
                        "%(flow)s. A new cycle has a new one.",
                        flow=cycle.flow_id.name,
                    )
                )

    # ------------------------------------------------------------------
    # Create, write, delete
    # ------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        if not CyclePass.is_in(self.env):
            raise UserError(
                self.env._(
                    "Cycles are opened by the system: the first one with the flow, the "
                    "next ones when the SPOC sends it back."
                )
            )
        return super().create(vals_list)

    def write(self, vals):
        if CyclePass.is_in(self.env):
            return super().write(vals)
        vals = dict(vals)
        # The two questions a cycle is there for have their own answers.
        step, result = vals.pop("step", None), vals.pop("result", None)
        answer = {
            name: vals.pop(name)
            for name in ("feedback", "statement", "evidence")
            if result and name in vals
        }
        if vals.keys() - OPEN_FIELDS:
            raise UserError(
                self.env._(
                    "A cycle keeps what happened in it: nobody changes it by hand. Use "
                    "the buttons of the flow."
                )
            )
        self._check_current()
        if vals and (beyond := self.filtered(lambda c: c.step != "analysis")):
            raise UserError(
                self.env._(
                    "%(cycle)s is beyond its analysis: its proof of concept stays.",
                    cycle=beyond[0].display_name,
                )
            )
        done = super().write(vals) if vals else True
        if step:
            for flow in self.flow_id:
                flow._move_to(step)
        if result:
            for cycle in self:
                cycle._decide(result, **answer)
        return done

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The cycles of a flow are its history and stay."))

    def copy(self, default=None):  # pylint: disable=method-required-super
        raise UserError(
            self.env._("A cycle cannot be duplicated. Duplicate its flow instead.")
        )

    def _check_current(self):
        """Check that these are the open cycles of their flows.

        :raises UserError: for an outdated one
        """
        for cycle in self:
            if cycle.date_end or cycle != cycle.flow_id.current_cycle_id:
                raise UserError(
                    self.env._(
                        "%(cycle)s is closed and stays as it is. The flow is in its "
                        "cycle %(number)s now: reload the page.",
                        cycle=cycle.display_name,
                        number=cycle.flow_id.current_cycle_id.number,
                    )
                )

    # ------------------------------------------------------------------
    # Steps
    # ------------------------------------------------------------------
    def _get_poc_problems(self):
        """Return what is missing with the proofs of concept of cycles.

        :return: dict from cycle to a sentence; cycles without a problem are missing
        """
        Event = self.env["calendar.event"].sudo()  # private meetings count as well
        # Searches, since reading a private meeting gives nothing of it to others
        held = Event.search(
            [("id", "in", self.poc_meeting_id.ids), ("held", "=", True)]
        )
        recorded = Event.search(
            [("id", "in", held.ids), ("recording_url", "!=", False)]
        )
        problems = {}
        for cycle in self:
            if not cycle.poc_meeting_id:
                problems[cycle] = self.env._(
                    "Show the flow to the SPOC: plan its proof of concept."
                )
            elif cycle.poc_meeting_id.id not in held.ids:
                problems[cycle] = self.env._(
                    "Hold the proof of concept, and mark it as held."
                )
            elif cycle.poc_meeting_id.id not in recorded.ids:
                problems[cycle] = self.env._(
                    "Add the link to the recording of the proof of concept."
                )
        return problems

    def _enter_step(self, step):
        """Note that cycles come to a step; the flow has checked that they may.

        :param str step: the step to enter
        """
        now = fields.Datetime.now()
        vals = {"step": step, "date_step": now}
        if step == "done":
            vals["date_end"] = now
        self.with_context(flow_cycle_pass=CyclePass()).write(vals)

    def _decide(self, result, feedback=None, statement=None, evidence=None):
        """Record whether the SPOC validates the flow in this cycle.

        It is the SPOC's act (methodology.md, section 3): the SPOC does it, or a
        consultant records it with the SPOC's words and says where they can be found.
        Validated, the flow goes on to the training of the end users. Sent back, the
        cycle is closed and the next one opens at the analysis.

        :param str result: ``validated`` or ``rejected``
        :param str feedback: what must become different, plain text; needed to reject
        :param str statement: the words of the SPOC; a validation that somebody else
            records needs them
        :param str evidence: where the SPOC said so; needed unless the SPOC is the user
        :raises UserError: with what is missing, or for an outdated cycle
        :raises AccessError: for users who are neither the SPOC nor run the project
        """
        self.ensure_one()
        # sudo: the SPOC reads no internal records; the rights are checked below
        cycle = self.sudo()
        spoc = cycle.project_id.spoc_id
        is_spoc = bool(spoc) and self.env.user.partner_id == spoc
        if not is_spoc:
            # Pages of the portal act as superuser: still it takes the SPOC
            if self.env.user.share:
                raise AccessError(
                    self.env._("Only the SPOC of the project validates its flows.")
                )
            self.flow_id.check_access("write")
        cycle._check_current()
        if result not in ("validated", "rejected"):
            raise UserError(
                self.env._("The SPOC validates a flow or sends it back with feedback.")
            )
        if cycle.step != "validation":
            raise UserError(
                self.env._(
                    "%(cycle)s is not waiting for a validation: it passes analysis, "
                    "realisation and the training of the SPOC first, and is answered "
                    "once.",
                    cycle=cycle.display_name,
                )
            )
        if not spoc:
            raise UserError(
                self.env._(
                    "%(project)s has no SPOC who could validate its flows. Name the "
                    "SPOC on the project.",
                    project=cycle.project_id.name,
                )
            )
        feedback, statement, evidence = (
            (text or "").strip() for text in (feedback, statement, evidence)
        )
        if result == "rejected" and not feedback:
            raise UserError(
                self.env._(
                    "Write down what must become different: a flow is sent back with "
                    "feedback, which the next cycle starts from."
                )
            )
        if not is_spoc and result == "validated" and not statement:
            raise UserError(
                self.env._(
                    "Write down the words with which the SPOC validated the flow: the "
                    "validation is the SPOC's, you only record it."
                )
            )
        if not is_spoc and not evidence:
            raise UserError(
                self.env._(
                    "Say where the SPOC said so: an e-mail, the minutes of a meeting, "
                    "a link."
                )
            )
        now = fields.Datetime.now()
        vals = {
            "result": result,
            "feedback": feedback,
            "statement": statement,
            "evidence": evidence,
            "decided_by_id": spoc.id,
            "decided_on": now,
            "recorded_by_id": self.env.user.id,
        }
        if result == "validated":
            vals |= {"step": "training", "date_step": now}
        else:
            vals |= {"date_end": now}
        cycle.with_context(flow_cycle_pass=CyclePass()).write(vals)
        cycle._post_decision()
        if result == "rejected":
            cycle.flow_id._open_cycle()
        return True

    def _close_refined(self, feedback):
        """Close cycles because of the feedback of the users, and open the next ones.

        The SPOC's validation of the closed cycle stays on record.

        :param str feedback: what the users said, plain text
        :raises UserError: without feedback
        """
        feedback = (feedback or "").strip()
        if not feedback:
            raise UserError(
                self.env._(
                    "Write down what the users said: the next cycle starts from it."
                )
            )
        self.with_context(flow_cycle_pass=CyclePass()).write(
            {
                "result": "refined",
                "feedback": feedback,
                "date_end": fields.Datetime.now(),
            }
        )
        for cycle in self:
            cycle._post_decision()
        self.flow_id._open_cycle()

    def _post_decision(self):
        """Tell the followers of the flow what was decided, as plain text."""
        self.ensure_one()
        if self.result == "validated":
            body = self.env._(
                "Cycle %(number)s validated by %(spoc)s. %(words)s",
                number=self.number,
                spoc=self.decided_by_id.name,
                words=self.statement or "",
            )
        elif self.result == "rejected":
            body = self.env._(
                "Cycle %(number)s sent back by %(spoc)s: %(words)s",
                number=self.number,
                spoc=self.decided_by_id.name,
                words=self.feedback,
            )
        else:
            body = self.env._(
                "Cycle %(number)s: the users' feedback takes a new cycle. %(words)s",
                number=self.number,
                words=self.feedback,
            )
        self.flow_id.message_post(body=body)
