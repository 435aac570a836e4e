from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Domain

from ..lifecycle.words import get_words
from .project_phase_state import WORK_STAGES

# The steps of a cycle, in the order in which they are passed.
STEPS = [
    ("analysis", "Analysis and Design"),
    ("realisation", "Realisation"),
    ("validation", "Validation by the SPOC"),
    ("training", "End-user Training"),
    ("done", "Done"),
]
# How a cycle may end.
RESULTS = [
    ("validated", "Validated"),
    ("rejected", "Sent Back"),
    ("refined", "Refined after Training"),
    ("set_aside", "Set Aside"),
]
# The steps that a cycle only reaches with a training of each kind.
STEPS_AFTER_TRAINING = {
    "spoc_training": ("validation", "training", "done"),
    "user_training": ("done",),
}
# The texts of a flow that the SPOC validates, and where the cycle keeps them.
VALIDATED_TEXTS = {
    "to_be": "validated_to_be",
    "requirements": "validated_requirements",
    "delicate_points": "validated_delicate_points",
}


class ProjectFlowCycle(models.Model):
    """One round of a business flow, from its analysis to an answer of the SPOC.

    Only the newest cycle of a flow is open. A cycle is history: nobody has the right to
    write one, the methods of flows and cycles do it with ``sudo`` after their checks.
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
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        copy=False,
        help="The session in which the flow was shown to the SPOC. Its recording is "
        "needed before the realisation starts.",
    )
    recording_url = fields.Char(
        related="poc_meeting_id.recording_url", string="Recording", related_sudo=True
    )
    training_ids = fields.Many2many(
        "calendar.event",
        "calendar_event_project_flow_cycle_rel",
        "cycle_id",
        "event_id",
        string="Trainings",
        readonly=True,
        copy=False,
        help="The trainings that were held in this cycle: they count for it and for "
        "no other cycle of the flow.",
    )
    result = fields.Selection(RESULTS, readonly=True, index="btree_not_null")
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
    # prefetch=False: long texts that no list shows
    validated_to_be = fields.Html(
        string="Validated TO-BE",
        readonly=True,
        prefetch=False,
        help="The TO-BE as it was when the SPOC validated the flow.",
    )
    validated_requirements = fields.Html(
        readonly=True,
        prefetch=False,
        help="The requirements as they were when the SPOC validated the flow.",
    )
    validated_delicate_points = fields.Html(
        readonly=True,
        prefetch=False,
        help="The delicate points as they were when the SPOC validated the flow.",
    )

    _number_uniq = models.Constraint(
        "UNIQUE (flow_id, number)",
        "This cycle of the flow has just been opened by somebody else: reload the "
        "page.",
    )

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
        domains = [
            Domain("date_end", "=" if is_open else "!=", False) for is_open in value
        ]
        return Domain.OR(domains)

    @api.depends("number", "flow_id")
    def _compute_display_name(self):
        for cycle in self:
            cycle.display_name = self.env._(
                "%(flow)s, cycle %(number)s",
                flow=cycle.flow_id.name,
                number=cycle.number,
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The cycles of a flow are its history and stay."))

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

    # The meetings of a cycle

    def _may_count(self, start):
        """Return whether a meeting that began then can be one of this cycle.

        What was shown or taught before a new cycle started was another state of the
        flow. Nothing comes before the first cycle.

        :param start: start of the meeting
        """
        self.ensure_one()
        return self.number == 1 or start >= self.date_start

    def _is_validated_before(self, start):
        """Return whether the SPOC had validated this cycle when a meeting began.

        Meetings are planned by the minute.

        :param start: start of the meeting
        """
        self.ensure_one()
        return (
            self.result in ("validated", "refined")
            and bool(self.decided_on)
            and start >= self.decided_on.replace(second=0)
        )

    def _get_poc_problems(self):
        """Return what is missing with the proofs of concept of cycles.

        :return: dict from cycle to a sentence; cycles without a problem are missing
        """
        problems = {}
        cycles = self.sudo()  # private meetings count as well
        recorded = cycles.poc_meeting_id._filter_recorded()
        for cycle in cycles:
            meeting = cycle.poc_meeting_id
            if not meeting:
                problem = self.env._(
                    "Show the flow to the SPOC: plan its proof of concept."
                )
            elif not (meeting.held and meeting.active):
                problem = self.env._("Hold the proof of concept, and mark it as held.")
            elif meeting not in recorded:
                problem = self.env._(
                    "Add the link to the recording of the proof of concept."
                )
            elif not cycle._may_count(meeting.start):
                problem = self.env._(
                    "The proof of concept was shown before this cycle started: show "
                    "the flow again."
                )
            else:
                continue
            problems[cycle.sudo(False)] = problem
        return problems

    def _check_poc(self, meeting):
        """Check that a meeting can be the proof of concept of these cycles.

        :param meeting: the meeting (sudo)
        :raises ValidationError: for a meeting of something else
        """
        for cycle in self:
            flow = cycle.flow_id
            if (
                meeting.project_id != cycle.project_id
                or meeting.lifecycle_meeting != "poc"
                or (meeting.flow_ids and flow not in meeting.flow_ids)
            ):
                raise ValidationError(
                    self.env._(
                        "Choose a proof of concept of %(project)s that shows "
                        "“%(flow)s”: the meeting that was given is another one.",
                        project=cycle.project_id.name,
                        flow=flow.name,
                    )
                )
            if meeting in (flow.cycle_ids - cycle).poc_meeting_id or (
                not cycle._may_count(meeting.start)
            ):
                raise ValidationError(
                    self.env._(
                        "This proof of concept was shown in an earlier cycle of "
                        "%(flow)s. A new cycle has a new one.",
                        flow=flow.name,
                    )
                )

    def _set_poc(self, meeting):
        """Take a meeting as the proof of concept of cycles, or none.

        The caller has checked that the user may change the flows.

        :param meeting: the meeting, may be empty
        :raises UserError: for cycles that are not in their analysis
        :raises ValidationError: for a meeting of something else
        """
        # sudo: nobody has the right to write cycles; private meetings count as well
        cycles, meeting = self.sudo(), meeting.sudo()
        cycles._check_current()
        for cycle in cycles:
            if cycle.step != "analysis":
                raise UserError(
                    self.env._(
                        "%(cycle)s is beyond its analysis: its proof of concept stays.",
                        cycle=cycle.display_name,
                    )
                )
        if meeting:
            cycles._check_poc(meeting)
        cycles.poc_meeting_id = meeting
        if missing := meeting and cycles.flow_id - meeting.flow_ids:
            meeting.flow_ids = [Command.link(flow.id) for flow in missing]

    def _check_evidence(self):
        """Check that no cycle lost a meeting with which it went on.

        :raises UserError: with the flow that has gone on
        """
        # sudo: private meetings count as well
        cycles = self.sudo().with_context(active_test=False).exists()
        recorded = cycles.poc_meeting_id._filter_recorded()
        for cycle in cycles:
            poc = cycle.poc_meeting_id
            if cycle.step != "analysis" and not (
                poc.held
                and poc.active
                and poc in recorded
                and poc.lifecycle_meeting == "poc"
                and poc.project_id == cycle.project_id
                and cycle.flow_id in poc.flow_ids
            ):
                raise UserError(
                    self.env._(
                        "%(cycle)s went on with this proof of concept: the meeting "
                        "stays as held, with its recording.",
                        cycle=cycle.display_name,
                    )
                )
            held = {
                training.lifecycle_meeting
                for training in cycle.training_ids
                if training.held and training.active
            }
            for kind, steps in STEPS_AFTER_TRAINING.items():
                if cycle.step in steps and kind not in held:
                    raise UserError(
                        self.env._(
                            "%(cycle)s went on after this training: the training stays "
                            "as held.",
                            cycle=cycle.display_name,
                        )
                    )

    def _forget_other_meetings(self):
        """Drop the proofs of concept that no longer are ones of their flows.

        Only cycles in their analysis have such: see :meth:`_check_evidence`.
        """
        # sudo: private meetings count as well
        for cycle in self.sudo().with_context(active_test=False).exists():
            poc = cycle.poc_meeting_id
            if cycle.step == "analysis" and not (
                poc.active
                and poc.lifecycle_meeting == "poc"
                and poc.project_id == cycle.project_id
                and cycle.flow_id in poc.flow_ids
            ):
                cycle.poc_meeting_id = False

    # Steps and results

    def _enter_step(self, step):
        """Note that cycles come to a step; the flow has checked that they may.

        :param str step: the step to enter
        """
        now = fields.Datetime.now()
        vals = {"step": step, "date_step": now}
        if step == "done":
            vals["date_end"] = now
        self.sudo().write(vals)  # sudo: nobody has the right to write cycles

    def _prepare_snapshot(self):
        """Return what of the flow the SPOC validates, to be kept on its cycle."""
        self.ensure_one()
        return {kept: self.flow_id[name] for name, kept in VALIDATED_TEXTS.items()}

    def _decide(self, result, feedback=None, statement=None, evidence=None):
        """Record whether the SPOC validates the flow in this cycle.

        It is the SPOC's act (methodology.md, section 3): the SPOC does it, or a
        consultant records it with the SPOC's words and says where they can be found.
        Validated, the flow goes on to the training of the end users, and what was
        validated is kept. Sent back, the cycle is closed and the next one opens at the
        analysis.

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
        spoc = cycle.project_id.spoc_id.filtered("active")
        is_spoc = bool(spoc) and self.env.user.partner_id == spoc
        if not is_spoc:
            # Pages of the portal act as superuser: still it takes the SPOC
            if self.env.user.share:
                raise AccessError(
                    self.env._("Only the SPOC of the project validates its flows.")
                )
            self.flow_id.check_access("write")
        cycle._check_decision(result, spoc)
        feedback, statement, evidence = map(get_words, (feedback, statement, evidence))
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
            vals |= cycle._prepare_snapshot()
        else:
            vals |= {"date_end": now}
        cycle.write(vals)
        cycle._post_result()
        if result == "rejected":
            cycle.flow_id._open_cycle()
        return True

    def _check_decision(self, result, spoc):
        """Check that this cycle waits for the answer of a SPOC.

        :param str result: ``validated`` or ``rejected``
        :param spoc: the SPOC of the project, empty without an active one
        :raises UserError: with the reason
        """
        self.ensure_one()
        self._check_current()
        if result not in ("validated", "rejected"):
            raise UserError(
                self.env._("The SPOC validates a flow or sends it back with feedback.")
            )
        if not self.flow_id.active:
            raise UserError(
                self.env._(
                    "%s is set aside: take it up again first.", self.flow_id.name
                )
            )
        if self.step != "validation":
            raise UserError(
                self.env._(
                    "%(cycle)s is not waiting for a validation: it passes analysis, "
                    "realisation and the training of the SPOC first, and is answered "
                    "once.",
                    cycle=self.display_name,
                )
            )
        self.flow_id.phase_id._check_stage(WORK_STAGES)
        if not spoc:
            raise UserError(
                self.env._(
                    "%(project)s has no SPOC who could validate its flows. Name the "
                    "SPOC on the project.",
                    project=self.project_id.name,
                )
            )
        if result == "validated" and self.flow_id._get_undecided():
            raise UserError(
                self.env._(
                    "%s has development requests to decide: without them nobody knows "
                    "what is validated.",
                    self.flow_id.name,
                )
            )

    def _close(self, result, feedback):
        """Close cycles with words, for another reason than an answer of the SPOC.

        The SPOC's validation of a closed cycle stays on record.

        :param str result: ``refined`` or ``set_aside``
        :param str feedback: why, plain text
        """
        now = fields.Datetime.now()
        for cycle in self.sudo():  # sudo: nobody has the right to write cycles
            cycle.write(
                {
                    "result": result,
                    "feedback": feedback,
                    "date_end": cycle.date_end or now,
                }
            )
            cycle._post_result()

    def _post_result(self):
        """Note on the flow how the cycle ended, as plain text and for internal eyes."""
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
        elif self.result == "refined":
            body = self.env._(
                "Cycle %(number)s: the users' feedback takes a new cycle. %(words)s",
                number=self.number,
                words=self.feedback,
            )
        else:
            body = self.env._(
                "Set aside in cycle %(number)s: %(words)s",
                number=self.number,
                words=self.feedback,
            )
        self.flow_id.message_post(body=body, subtype_xmlid="mail.mt_note")
