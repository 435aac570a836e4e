from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import format_date, format_list

from ..lifecycle.project_lock import is_manager, unlocked
from ..lifecycle.words import get_words
from .project_phase import CURRENT_STATES

# What may follow each state, and nothing else, whoever asks.
NEXT_STATES = {
    "planned": ("in_progress",),
    "in_progress": ("planned", "ready"),
    "ready": ("in_progress", "live"),
    "live": ("complete",),
    "complete": (),
}
# Stages of the lifecycle in which phases are worked on, and in which they go live.
WORK_STAGES = ("kickoff", "implementation", "go_live")
LIVE_STAGES = ("implementation", "go_live")


class ProjectPhase(models.Model):
    _inherit = "project.phase"

    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("in_progress", "In Progress"),
            ("ready", "Ready to Go Live"),
            ("live", "Live, in Follow-up"),
            ("complete", "Complete"),
        ],
        required=True,
        readonly=True,
        default="planned",
        copy=False,
        tracking=True,
        group_expand=True,
    )
    date_start_real = fields.Date(
        string="Started On",
        readonly=True,
        copy=False,
        tracking=True,
        help="Noted when the phase was started. A project manager corrects it.",
    )
    date_go_live_real = fields.Date(
        string="Went Live On",
        readonly=True,
        copy=False,
        tracking=True,
        help="Noted when the phase went live. A project manager corrects it.",
    )
    completion_statement = fields.Text(
        string="What the Client Said",
        readonly=True,
        copy=False,
        help="The words of the SPOC with which the go-live was agreed to be complete.",
    )
    completion_evidence = fields.Text(
        string="Where It Was Said",
        readonly=True,
        copy=False,
        help="Where the SPOC said so, when a consultant recorded it: an e-mail, the "
        "minutes of a meeting, a link.",
    )
    completed_by_id = fields.Many2one(
        "res.partner",
        string="Agreed With",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )
    completed_on = fields.Datetime(
        string="Agreed Complete On", readonly=True, copy=False
    )
    completion_recorded_by_id = fields.Many2one(
        "res.users",
        string="Recorded By",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )

    # The rule is checked with its reasons on each start of a phase. This is for two
    # people who start two phases at the same moment.
    _one_current_uniq = models.UniqueIndex(
        "(project_id) WHERE state IN ('in_progress', 'ready', 'live')",
        "Another phase of this project has just been started. A project has one "
        "current phase: reload the page.",
    )

    @api.constrains("date_start_real", "date_go_live_real")
    def _check_real_dates(self):
        # A day ahead: the client may be in a time zone where it is tomorrow already.
        today = fields.Date.add(fields.Date.today(), days=1)
        for phase in self:
            start, go_live = phase.date_start_real, phase.date_go_live_real
            for date in (start, go_live):
                if date and date > today:
                    raise ValidationError(
                        self.env._(
                            "%(date)s is in the future: %(phase)s cannot have started "
                            "or gone live then. Use the planned dates for that.",
                            date=format_date(self.env, date),
                            phase=phase.name,
                        )
                    )
            if start and go_live and go_live < start:
                raise ValidationError(
                    self.env._(
                        "%(phase)s cannot have gone live on %(go_live)s, before it "
                        "started on %(start)s.",
                        phase=phase.name,
                        go_live=format_date(self.env, go_live),
                        start=format_date(self.env, start),
                    )
                )

    def action_start(self):
        """Start a planned phase.

        :raises UserError: while a former phase is not agreed complete, or the project
            is in a stage in which no phase starts
        """
        return self._start()

    def action_take_back_start(self):
        """Plan a phase again that was started by mistake.

        :raises UserError: once something was done in it, with what to do instead
        """
        self._check_next_state("planned")
        for phase in self:
            if points := phase._get_history(with_dropped=False):
                raise UserError(
                    self.env._(
                        "The start of %(phase)s cannot be taken back:\n%(points)s",
                        phase=phase.name,
                        points="\n".join(f"• {point}" for point in points),
                    )
                )
        return self._enter_state("planned", date_start_real=False)

    def action_back_to_work(self):
        """Take back that a phase is ready: something was left to do."""
        self._check_next_state("in_progress", former="ready")
        return self._enter_state("in_progress")

    def _start(self, date=None):
        """Start planned phases.

        :param date: day of the start (default: today in the user's time zone)
        :raises UserError: with what must come first
        """
        self._check_next_state("in_progress", former="planned")
        self._check_can_start()
        return self._enter_state(
            "in_progress", date_start_real=date or fields.Date.context_today(self)
        )

    def _set_ready(self):
        """Say that phases are ready for their go-live.

        :raises UserError: with what is left to do
        """
        self._check_next_state("ready")
        self._check_stage(WORK_STAGES)
        self._check_ready()
        return self._enter_state("ready")

    def _set_live(self, date=None):
        """Set phases live, and their milestones reached.

        The rule (methodology, section 4): the decision is the consultant's, and only a
        phase that is ready goes live. Afterwards it is in follow-up, until the client
        agrees that the go-live is complete.

        :param date: day of the go-live (default: today in the user's time zone)
        :raises UserError: for a phase that is not ready, with what is left to do
        """
        self._check_next_state("live")
        self._check_can_go_live()
        return self._enter_state(
            "live", date_go_live_real=date or fields.Date.context_today(self)
        )

    def _complete(self, statement, evidence=None):
        """Record that the client agrees that the go-live is complete.

        It is the SPOC's to agree: the SPOC does it, or a consultant records it with
        the SPOC's words and says where they can be found. It opens the way for the
        next phase and cannot be taken back.

        :param str statement: the words of the SPOC, plain text
        :param str evidence: where the SPOC said so; needed unless the SPOC is the user
        :raises UserError: for a phase that is not live, a project without SPOC, or
            with what is missing
        :raises AccessError: for users who are neither the SPOC nor run the project
        """
        self._check_next_state("complete")
        self._check_stage(LIVE_STAGES)
        statement, evidence = get_words(statement), get_words(evidence)
        for phase in self:  # each with its own SPOC
            phase._check_agreed(statement, evidence)
            phase._enter_state(
                "complete",
                completion_statement=statement,
                completion_evidence=evidence,
                # sudo: the contacts of the client may be hidden
                completed_by_id=phase.project_id.sudo().spoc_id.id,
                completed_on=fields.Datetime.now(),
                completion_recorded_by_id=self.env.uid,
            )
        return True

    def action_correct_dates(self):
        """Ask a manager for the days on which the phase really started or went live.

        :raises AccessError: for users who are not project managers
        """
        self.ensure_one()
        self._check_may_correct_dates()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.implementation_phase_dates_action"
        ) | {
            "context": {
                "default_phase_id": self.id,
                "default_date_start_real": self.date_start_real,
                "default_date_go_live_real": self.date_go_live_real,
            }
        }

    def _check_may_correct_dates(self):
        """Check that the user corrects what the system noted.

        :raises AccessError: for users who are not project managers
        """
        self.check_access("write")
        if not is_manager(self.env):
            raise AccessError(
                self.env._(
                    "Only project managers correct the days on which a phase started "
                    "or went live."
                )
            )

    def _correct_dates(self, start, go_live, reason):
        """Correct the days on which the phase really started and went live.

        :param start: day of the start
        :param go_live: day of the go-live, for a phase that is live
        :param str reason: why, plain text; it is noted in the chatter
        :raises AccessError: for users who are not project managers
        :raises UserError: for a day of something that has not happened, for none of
            something that has, or without a reason
        """
        self.ensure_one()
        self._check_may_correct_dates()
        reason = get_words(reason)
        if not reason:
            raise UserError(self.env._("Write down why the days are corrected."))
        if bool(start) != bool(self.date_start_real) or bool(go_live) != bool(
            self.date_go_live_real
        ):
            raise UserError(
                self.env._(
                    "The days are corrected of what has happened, and of nothing else: "
                    "use the buttons of the phase to start it or to go live."
                )
            )
        unlocked(self).write({"date_start_real": start, "date_go_live_real": go_live})
        self.message_post(
            body=self.env._("Days corrected: %s", reason), subtype_xmlid="mail.mt_note"
        )
        return True

    def _enter_state(self, state, **noted):
        """Write a state, after its checks, with what is noted together with it."""
        unlocked(self).write({"state": state} | noted)
        # Before another phase starts in this transaction: the index is immediate.
        self.flush_recordset(["state"])
        self._push_to_milestones()
        return True

    def _check_next_state(self, state, former=None):
        """Check that the user may move these phases and that they may pass on.

        :param str state: the state to enter
        :param str former: the only state to come from, where there are several
        :raises UserError: with what may follow instead
        """
        self.check_access("write")
        labels = dict(self._fields["state"]._description_selection(self.env))
        for phase in self:
            allowed = NEXT_STATES[phase.state]
            if state in allowed and former in (None, phase.state):
                continue
            if not allowed:
                raise UserError(
                    self.env._(
                        "%(phase)s is complete: the client agreed, and that stays.",
                        phase=phase.name,
                    )
                )
            raise UserError(
                self.env._(
                    "%(phase)s is “%(state)s”: it cannot become “%(next)s” now. "
                    "What may follow: %(allowed)s.",
                    phase=phase.name,
                    state=labels[phase.state],
                    next=labels[state],
                    allowed=format_list(
                        self.env, [labels[name] for name in allowed], "or"
                    ),
                )
            )

    def _check_stage(self, stages):
        """Check that the projects are where phases are worked on, or go live.

        :param stages: the stages of the lifecycle in which that is so
        :raises UserError: with where the project is and what to do
        """
        for project in self.project_id.sudo():  # sudo: where it is may be known
            if project.is_template:
                raise UserError(
                    self.env._(
                        "%(project)s is a template: its phases start in the projects "
                        "made from it.",
                        project=project.name,
                    )
                )
            if not project.active:
                raise UserError(
                    self.env._(
                        "%(project)s is archived: restore it before going on with its "
                        "phases.",
                        project=project.name,
                    )
                )
            stage = project.lifecycle_stage
            if stage not in stages:
                raise UserError(
                    self.env._(
                        "%(project)s is in the stage “%(stage)s”: its phases wait. "
                        "Move the project to its implementation first.",
                        project=project.name,
                        stage=project.stage_id.name or "",
                    )
                )
            if stage == "kickoff" and project.kickoff_conclusion not in (
                "go",
                "adapted",
            ):
                raise UserError(
                    self.env._(
                        "The kick-off of %(project)s is not concluded: no phase starts "
                        "before it is agreed that the project is feasible. Conclude "
                        "the kick-off first.",
                        project=project.name,
                    )
                )

    def _check_can_start(self):
        """Check that these planned phases may start (methodology, section 4).

        A phase starts only when the go-live of the former one is agreed complete.

        :raises UserError: with the phase that stands before
        """
        self._check_stage(WORK_STAGES)
        for project, phases in self.grouped("project_id").items():
            if len(phases) > 1:
                raise UserError(
                    self.env._(
                        "Only one phase of %(project)s can be in progress at a time. "
                        "Start the first one.",
                        project=project.name,
                    )
                )
            # Not the cached one2many: phases may have just been created or ordered.
            # sudo: a phase stands before this one whoever sees it
            everyone = self.sudo().search([("project_id", "=", project.id)])
            current = everyone.filtered(lambda phase: phase.state in CURRENT_STATES)
            former = current or everyone[: everyone.ids.index(phases.id)].filtered(
                lambda phase: phase.state != "complete"
            )
            if former:
                raise UserError(
                    self.env._(
                        "%(phase)s cannot start yet: first agree with the client that "
                        "the go-live of %(former)s is complete.",
                        phase=phases.name,
                        former=former[0].name,
                    )
                )

    def _check_ready(self):
        """Check that nothing is left to do before the go-live.

        :raises UserError: with the open points of the first phase that has some
        """
        for phase, points in self._get_open_points().items():
            if points:
                raise UserError(
                    self.env._(
                        "%(phase)s is not ready to go live:\n%(points)s",
                        phase=phase.name,
                        points="\n".join(f"• {point}" for point in points),
                    )
                )

    def _check_can_go_live(self):
        """Check that these ready phases may go live today.

        :raises UserError: with what is left to do
        """
        self._check_stage(LIVE_STAGES)
        self._check_ready()

    def _get_open_points(self):
        """Return what keeps each phase from being ready for its go-live.

        :return: dict from phase to a list of sentences, empty when it is ready
        """
        # sudo: what is left to do counts, whoever sees it
        return {
            phase: [
                *phase.sudo()._get_open_flow_points(),
                *phase.sudo()._get_open_import_points(),
                *phase.sudo()._get_open_development_points(),
            ]
            for phase in self
        }

    def _get_open_flow_points(self):
        """Return what is left to do in the flows of the phase, in sentences."""
        self.ensure_one()
        if not self.flow_ids:
            return [self.env._("It has no business flows yet.")]
        return self.flow_ids._get_open_points()

    def _get_open_import_points(self):
        """Return which data needed to start is missing, in sentences.

        Data of no phase is needed by each go-live until somebody says by which one.
        """
        self.ensure_one()
        missing = self.project_id.import_ids.filtered(
            lambda data: data.needed_to_start and not data.imported_on
        )
        points = []
        if imports := missing.filtered(lambda data: data.phase_id == self):
            points.append(
                self.env._(
                    "Data needed to start and not imported yet: %s.",
                    format_list(self.env, imports.mapped("name")),
                )
            )
        missing -= imports
        if imports := missing.filtered(lambda data: data.phase_id.state != "planned"):
            points.append(
                self.env._(
                    "Data needed to start that is in no phase to come: %s. Import it, "
                    "or choose its phase.",
                    format_list(self.env, imports.mapped("name")),
                )
            )
        return points

    def _get_open_development_points(self):
        """Return which developments the MVP cannot do without, in sentences."""
        self.ensure_one()
        if self.wave != "mvp":
            return []
        requests = self.project_id.development_ids.filtered(
            lambda request: request.wave == "mvp"
            and request.phase_id.state != "planned"
        )
        points = []
        if undecided := requests.filtered(lambda r: r.decision == "to_decide"):
            points.append(
                self.env._(
                    "Development requests for the MVP to be decided: %s.",
                    format_list(self.env, undecided.mapped("name")),
                )
            )
        if undone := requests.filtered(
            lambda r: r.decision == "approved" and r.task_id.state != "1_done"
        ):
            points.append(
                self.env._(
                    "Developments that the MVP cannot do without, not done yet: %s. "
                    "Close their tasks, or leave them to the improvements.",
                    format_list(self.env, undone.mapped("name")),
                )
            )
        return points

    def _check_agreed(self, statement, evidence):
        """Check that the client agreed that the go-live is complete.

        :param str statement: the SPOC's words
        :param str evidence: where they can be found
        :raises UserError: without them or without a SPOC
        """
        self.ensure_one()
        project = self.project_id.sudo()  # the contacts of the client may be hidden
        if not project.spoc_id:
            raise UserError(
                self.env._(
                    "%(project)s has no SPOC who could agree that the go-live is "
                    "complete. Name the SPOC on the project.",
                    project=project.name,
                )
            )
        is_spoc = self.env.user.partner_id == project.spoc_id
        if self.env.user.share and not is_spoc:
            # Pages of the portal act as superuser: still it takes the SPOC
            raise AccessError(
                self.env._("Only the SPOC agrees that a go-live is complete.")
            )
        if not statement:
            raise UserError(
                self.env._(
                    "Write down what the SPOC said: without the client's agreement a "
                    "go-live is not complete, and the phase stays in follow-up."
                )
            )
        if not is_spoc and not evidence:
            raise UserError(
                self.env._(
                    "Say where the SPOC said so: an e-mail, the minutes of a meeting, "
                    "a link."
                )
            )
