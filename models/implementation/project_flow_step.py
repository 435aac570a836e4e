from difflib import ndiff

from markupsafe import Markup

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_list, html2plaintext, is_html_empty
from odoo.tools.misc import clean_context

from ..lifecycle.project_lock import unlocked
from ..lifecycle.words import get_words
from .project_flow import LIVE_STATES
from .project_flow_cycle import STEPS, VALIDATED_TEXTS
from .project_phase_state import WORK_STAGES

# Started over as often as this, and the flow goes round in circles: a risk.
MANY_TIMES = 2


class ProjectFlow(models.Model):
    """The steps and cycles of a flow: methodology.md, section 3."""

    _inherit = "project.flow"

    def _open_cycle(self):
        """Open the next cycle of each flow, at its analysis.

        More than two cycles are a risk: hours run out in circles.
        """
        # sudo: nobody has the right to write cycles. Without the defaults of the
        # client, which could skip a step.
        env = self.env(su=True, context=clean_context(self.env.context))
        env["project.flow.cycle"].create(
            [{"flow_id": flow.id, "number": flow.cycle_count + 1} for flow in self]
        )
        circling = self.filtered(lambda flow: flow._get_restarts() >= MANY_TIMES)
        if circling:
            # sudo: the system raises it, whoever recorded the rejection
            self.env["project.risk"].sudo()._raise_risks(
                [flow._prepare_cycles_risk() for flow in circling]
            )
        self._reopen_phase()

    def _get_restarts(self):
        """Return how often the SPOC or the users made the flow start over."""
        self.ensure_one()
        if self.cycle_count <= MANY_TIMES:
            return 0
        return len(
            self.sudo().cycle_ids.filtered(
                lambda cycle: cycle.result in ("rejected", "refined")
            )
        )

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
                "The business flow %(flow)s had to start over %(count)s times. Find "
                "out why before going on: a need that was not understood, a SPOC who "
                "cannot decide, or a scope that grows.",
                flow=self.name,
                count=self._get_restarts(),
            ),
            "owner_id": self.project_id.user_id.id,
        }

    def _get_cycle_at(self, start):
        """Return the cycle of the flow in which a meeting began.

        :param start: start of the meeting
        """
        self.ensure_one()
        return (
            self.sudo()
            .cycle_ids.filtered(lambda cycle: cycle._may_count(start))
            .sorted("number")[-1:]
        )

    # What was validated

    @api.depends(
        "current_cycle_id.result",
        *VALIDATED_TEXTS,
        *(f"current_cycle_id.{name}" for name in VALIDATED_TEXTS.values()),
    )
    def _compute_is_changed(self):
        for flow in self:
            flow.is_changed = bool(flow._get_changed_texts())

    @api.depends(
        "current_cycle_id.result",
        *VALIDATED_TEXTS,
        *(f"current_cycle_id.{name}" for name in VALIDATED_TEXTS.values()),
    )
    def _compute_validation_changes(self):
        for flow in self:
            parts = [
                Markup("<p><strong>%s</strong></p>%s") % (label, flow._mark(old, new))
                for label, (old, new) in flow._get_changed_texts().items()
            ]
            flow.validation_changes = Markup().join(parts) or False

    def _get_changed_texts(self):
        """Return what the SPOC validated in the current cycle and differs now.

        :return: dict from label to a pair: what was validated, what it is now
        """
        self.ensure_one()
        cycle = self.current_cycle_id
        if cycle.result != "validated":
            return {}
        return {
            self._fields[name]._description_string(self.env): (cycle[kept], self[name])
            for name, kept in VALIDATED_TEXTS.items()
            if (cycle[kept] or "") != (self[name] or "")
            and not (is_html_empty(cycle[kept]) and is_html_empty(self[name]))
        }

    @api.model
    def _mark(self, old, new):
        """Return the lines that were removed from and added to a text, as HTML."""
        tags = {"-": Markup("<del>%s</del>"), "+": Markup("<ins>%s</ins>")}
        lines = ndiff(
            html2plaintext(old or "").splitlines(),
            html2plaintext(new or "").splitlines(),
        )
        marked = [tags[line[0]] % line[2:] for line in lines if line[0] in tags]
        if not marked:
            return self.env._("The format or a picture.")
        return Markup("<br>").join(marked)

    def _get_open_points(self):
        """Return what keeps the phase of these flows from its go-live.

        :return: list of sentences
        """
        points = []
        if pending := self.filtered(lambda flow: flow.step != "done"):
            points.append(
                self.env._(
                    "Not validated and trained yet: %s.",
                    format_list(self.env, pending.mapped("name")),
                )
            )
        if changed := self.filtered("is_changed"):
            points.append(
                self.env._(
                    "Changed since the SPOC validated it: %s. Start a new cycle, or "
                    "restore what was validated.",
                    format_list(self.env, changed.mapped("name")),
                )
            )
        if undecided := self._get_undecided():
            points.append(
                self.env._(
                    "Development requests to decide: %s.",
                    format_list(self.env, undecided.mapped("name")),
                )
            )
        return points

    def _get_undecided(self):
        """Return those of these flows with development requests to decide."""
        # sudo: that a decision is missing may be known
        groups = (
            self.env["project.development.request"]
            .sudo()
            ._read_group(
                [("flow_id", "in", self.ids), ("decision", "=", "to_decide")],
                ["flow_id"],
            )
        )
        return self.browse([flow.id for (flow,) in groups])

    def action_restore_validated(self):
        """Bring back the texts of flows that the SPOC validated."""
        for flow in self.filtered("is_changed"):
            cycle = flow.current_cycle_id
            flow.write({name: cycle[kept] for name, kept in VALIDATED_TEXTS.items()})
            flow.message_post(
                body=self.env._("What the SPOC validated was restored."),
                subtype_xmlid="mail.mt_note",
            )
        return True

    # Steps

    @api.depends(
        "active",
        "step",
        "phase_id.state",
        "is_changed",
        "current_cycle_id.poc_meeting_id",
        "current_cycle_id.training_ids",
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
        for flow in self:
            missing = obstacles[flow]
            flow.is_held_up = bool(missing)
            if missing:
                flow.next_action = missing[0]
            else:
                is_live = flow.phase_id.state in LIVE_STATES
                flow.next_action = not is_live and todo.get(flow.step)

    def _get_obstacles(self):
        """Return what is missing before each flow can go to its next step.

        The rules are those of methodology.md, section 3. It takes the same few queries
        for any number of flows.

        :return: dict from flow to a list of sentences, empty when it may go on
        """
        cycles = self.current_cycle_id
        poc_problems = cycles.filtered(
            lambda cycle: cycle.step == "analysis"
        )._get_poc_problems()
        undecided = self._get_undecided()
        trained = {
            (cycle.id, kind)
            for cycle, kind in self.env["calendar.event"]
            .sudo()  # private meetings count as well
            ._read_group(
                [("training_cycle_ids", "in", cycles.ids)],
                ["training_cycle_ids", "lifecycle_meeting"],
            )
        }
        return {
            flow: flow._get_missing(
                poc_problems.get(flow.current_cycle_id),
                flow._origin in undecided,
                {
                    kind
                    for kind in ("spoc_training", "user_training")
                    if (flow.current_cycle_id._origin.id, kind) in trained
                },
            )
            for flow in self
        }

    def _get_missing(self, poc_problem, is_undecided, trained):
        """Return what is missing before this flow can go to its next step.

        :param poc_problem: what is missing with its proof of concept, or None
        :param bool is_undecided: whether it has development requests to decide
        :param set trained: the kinds of training held in its current cycle
        """
        self.ensure_one()
        if not self.active:
            return [self.env._("It is set aside: take it up again.")]
        missing = []
        if self.step in ("analysis", "realisation") and (
            self.phase_id.state not in ("in_progress", "ready")
        ):
            missing.append(
                self.env._("Start its phase.")
                if self.phase_id
                else self.env._("Plan it in a phase.")
            )
        if self.is_changed:
            missing.append(
                self.env._(
                    "It was changed since the SPOC validated it: start a new cycle, or "
                    "restore what was validated."
                )
            )
        if is_undecided and self.step not in ("analysis", "validation"):
            missing.append(self.env._("Decide on its development requests."))
        if self.step == "analysis" and poc_problem:
            missing.append(poc_problem)
        elif self.step == "realisation" and "spoc_training" not in trained:
            missing.append(
                self.env._(
                    "Train the SPOC in this cycle, and mark the SPOC training as held."
                )
            )
        elif self.step == "validation":
            missing.append(
                self.env._(
                    "Record the answer of the SPOC: validated, or sent back with "
                    "feedback."
                )
            )
        elif self.step == "training" and "user_training" not in trained:
            missing.append(
                self.env._(
                    "Train the end users, and mark the end-user training as held."
                )
            )
        return missing

    def _move_to(self, step):
        """Move flows to a step of their current cycle.

        Steps go forward one by one, whoever asks and however: methodology.md,
        section 3. Moving a flow to the step where it is changes nothing.

        :param str step: the step to enter
        :raises AccessError: for users who do not run the project
        :raises UserError: for a step back, a skipped step, or with what is missing
        """
        self.check_access("write")
        steps = [name for name, _label in STEPS]
        labels = dict(self._fields["step"]._description_selection(self.env))
        if step not in steps:
            raise UserError(
                self.env._("There is no step “%s”: choose one of the flow's.", step)
            )
        moving = self.filtered(lambda flow: flow.step != step)
        moving.phase_id._check_stage(WORK_STAGES)
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
        :raises AccessError: for users who do not run the project
        :raises UserError: before the end-user training, after the go-live, or without
            feedback
        """
        self.check_access("write")
        self._check_not_set_aside()
        for flow in self:
            if flow.step not in ("training", "done"):
                raise UserError(
                    self.env._(
                        "The users of %(flow)s have not been trained yet: there is no "
                        "feedback of theirs.",
                        flow=flow.name,
                    )
                )
            if flow.phase_id.state in LIVE_STATES:
                raise UserError(
                    self.env._(
                        "%(flow)s is live: feedback does not overturn it. Keep it as "
                        "an improvement for a later phase.",
                        flow=flow.name,
                    )
                )
        feedback = get_words(feedback)
        if not feedback:
            raise UserError(
                self.env._(
                    "Write down what the users said: the next cycle starts from it."
                )
            )
        self.current_cycle_id._close("refined", feedback)
        self._open_cycle()

    # Not wanted now

    def _check_not_set_aside(self):
        """Check that flows are not set aside.

        :raises UserError: that names one that is
        """
        if aside := self.filtered(lambda flow: not flow.active):
            raise UserError(
                self.env._("%s is set aside: take it up again first.", aside[0].name)
            )

    def _set_aside(self, reason, phase=None):
        """Set flows aside that are not wanted now; their history stays.

        :param str reason: why, plain text
        :param phase: the later phase in which they start over, if it is known
        :raises AccessError: for users who do not run the project
        :raises UserError: for a flow that is live, or without a reason
        """
        self.check_access("write")
        self._check_not_set_aside()
        self._check_phase_open(self.phase_id)
        reason = get_words(reason)
        if not reason:
            raise UserError(
                self.env._("Write down why the flow is not wanted now, for the record.")
            )
        self.current_cycle_id._close("set_aside", reason)
        if phase:
            self._open_cycle()
            self.write({"phase_id": phase.id})
        else:
            unlocked(self).write({"active": False})

    def action_take_up(self):
        """Take up flows that were set aside: they start over, with a new cycle.

        :raises AccessError: for users who do not run the project
        """
        flows = self.filtered(lambda flow: not flow.active)
        # Its phase may have gone live without it
        flows.filtered(lambda flow: flow.phase_id.state in LIVE_STATES).phase_id = False
        unlocked(flows).write({"active": True})
        flows._open_cycle()
        return True
