from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_date, format_list

# States in which a phase is the one that the project works on: until its go-live is
# agreed complete it stays in follow-up, and no new phase starts.
CURRENT_STATES = ("in_progress", "ready", "live")
# What may follow each state, and nothing else, whoever writes it.
NEXT_STATES = {
    "planned": ("in_progress",),
    "in_progress": ("ready",),
    "ready": ("in_progress", "live"),
    "live": ("complete",),
    "complete": (),
}
# What the phase itself notes when its state changes.
COMPLETION_FIELDS = {"completion_statement", "completed_by_id", "completed_on"}


class ProjectPhase(models.Model):
    _name = "project.phase"
    _description = "Implementation Phase"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "project_id, wave desc, sequence, id"  # MVP first, then improvements
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    sequence = fields.Integer(default=10, export_string_translation=False)
    project_id = fields.Many2one(
        "project.project",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
        tracking=True,
        domain="[('is_lifecycle', '=', True)]",
    )
    company_id = fields.Many2one(related="project_id.company_id")
    partner_id = fields.Many2one(related="project_id.partner_id", string="Client")
    user_id = fields.Many2one(related="project_id.user_id", string="Consultant")
    wave = fields.Selection(
        [("mvp", "MVP"), ("improvement", "Improvements")],
        required=True,
        default="mvp",
        tracking=True,
        help="The MVP goes live first: standard and critical needs. Improvements "
        "follow: secondary applications, advanced settings, developments.",
    )
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("in_progress", "In Progress"),
            ("ready", "Ready to Go Live"),
            ("live", "Live, in Follow-up"),
            ("complete", "Complete"),
        ],
        required=True,
        default="planned",
        copy=False,
        tracking=True,
        group_expand=True,
    )
    date_start = fields.Date(
        string="Planned Start",
        copy=False,
        tracking=True,
        help="Day on which the work on the phase should start.",
    )
    date_go_live = fields.Date(
        string="Planned Go-live",
        copy=False,
        tracking=True,
        help="Day on which the client should start to use the phase for real. It is "
        "the deadline of the milestone.",
    )
    date_start_real = fields.Date(string="Started On", copy=False, tracking=True)
    date_go_live_real = fields.Date(string="Went Live On", copy=False, tracking=True)
    milestone_id = fields.Many2one(
        "project.milestone",
        copy=False,
        index=True,
        ondelete="set null",  # only when the project goes with both of them
        readonly=True,
        help="The milestone of this phase in the project: same name, the go-live as "
        "deadline, reached when the phase is live.",
    )
    description = fields.Html(string="Objectives")
    completion_statement = fields.Text(
        string="What the Client Said",
        copy=False,
        help="The words of the SPOC with which the go-live was agreed to be complete.",
    )
    completed_by_id = fields.Many2one(
        "res.partner", string="Agreed With", copy=False, ondelete="restrict"
    )
    completed_on = fields.Datetime(string="Agreed Complete On", copy=False)
    flow_ids = fields.One2many("project.flow", "phase_id", string="Business Flows")
    task_ids = fields.One2many("project.task", "phase_id", string="Tasks")
    timesheet_ids = fields.One2many(
        "account.analytic.line", "phase_id", export_string_translation=False
    )
    scope_line_ids = fields.One2many(
        "project.scope.line",
        "phase_id",
        string="Scope",
        help="The applications that the phase brings.",
    )
    development_ids = fields.One2many(
        "project.development.request", "phase_id", string="Development Requests"
    )
    import_ids = fields.One2many(
        "project.data.import", "phase_id", string="Data Imports"
    )
    planned_hours = fields.Float(
        tracking=True, help="Hours that the phase should take, all work included."
    )
    spent_hours = fields.Float(
        compute="_compute_hours",
        compute_sudo=True,  # the sum is for all who see the phase, its lines are not
        help="Hours logged on the phase by everybody.",
    )
    remaining_hours = fields.Float(
        compute="_compute_hours",
        compute_sudo=True,
        help="Planned hours less the hours spent. Negative: more than was planned.",
    )
    hours_by_work_type = fields.Json(
        compute="_compute_hours",
        compute_sudo=True,
        export_string_translation=False,
        help="What the hours were spent on: id, name, colour and hours of each work "
        "type, most hours first.",
    )
    hours_progress = fields.Float(
        string="Hours Used (%)", compute="_compute_hours", compute_sudo=True
    )
    flow_count = fields.Integer(
        compute="_compute_flow_count", export_string_translation=False
    )
    done_flow_count = fields.Integer(
        compute="_compute_flow_count", export_string_translation=False
    )
    progress = fields.Integer(
        compute="_compute_flow_count",
        help="Share of the business flows that are validated and trained, in percent.",
    )
    task_count = fields.Integer(
        compute="_compute_task_count", export_string_translation=False
    )
    training_ids = fields.Many2many(
        "calendar.event",
        string="Trainings",
        compute="_compute_training_ids",
        compute_sudo=True,  # private trainings count as well
    )
    training_count = fields.Integer(
        compute="_compute_training_ids",
        compute_sudo=True,
        export_string_translation=False,
    )
    is_late = fields.Boolean(
        compute="_compute_is_late",
        search="_search_is_late",
        help="Its planned go-live has passed and it is not live.",
    )

    _milestone_uniq = models.UniqueIndex(
        "(milestone_id) WHERE milestone_id IS NOT NULL",
        "This milestone belongs to another phase: each phase has its own.",
    )
    # The rule is checked with its reasons on each start of a phase. This is for two
    # people who start two phases at the same moment.
    _one_current_uniq = models.UniqueIndex(
        "(project_id) WHERE state IN ('in_progress', 'ready', 'live')",
        "Another phase of this project has just been started. A project has one "
        "current phase: reload the page.",
    )
    _planned_hours_positive = models.Constraint(
        "CHECK (planned_hours >= 0)",
        "The planned hours of a phase cannot be negative.",
    )

    # ------------------------------------------------------------------
    # Computed fields
    # ------------------------------------------------------------------
    @api.depends(
        "planned_hours", "timesheet_ids.unit_amount", "timesheet_ids.work_type_id"
    )
    def _compute_hours(self):
        by_type = {phase_id: [] for phase_id in self.ids}
        # One query for any number of phases
        for phase, work_type, hours in self.env["account.analytic.line"]._read_group(
            [("phase_id", "in", self.ids)],
            ["phase_id", "work_type_id"],
            ["unit_amount:sum"],
        ):
            by_type[phase.id].append((work_type, hours))
        for phase in self:
            groups = by_type.get(phase.id or phase._origin.id, [])
            spent = sum(hours for _work_type, hours in groups)
            phase.spent_hours = spent
            phase.remaining_hours = phase.planned_hours - spent
            phase.hours_progress = (
                100 * spent / phase.planned_hours if phase.planned_hours else 0
            )
            phase.hours_by_work_type = [
                {
                    "id": work_type.id,
                    "name": work_type.name or self.env._("Without work type"),
                    "color": work_type.color or 0,
                    "hours": hours,
                }
                for work_type, hours in sorted(groups, key=lambda group: -group[1])
            ]

    @api.depends("flow_ids.step")
    def _compute_flow_count(self):
        counts = dict.fromkeys(self.ids, (0, 0))
        for phase, step, count in self.env["project.flow"]._read_group(
            [("phase_id", "in", self.ids)], ["phase_id", "step"], ["__count"]
        ):
            total, done = counts[phase.id]
            counts[phase.id] = (total + count, done + (step == "done") * count)
        for phase in self:
            total, done = counts.get(phase._origin.id, (0, 0))
            phase.flow_count = total
            phase.done_flow_count = done
            phase.progress = 100 * done // total if total else 0

    @api.depends("task_ids")
    def _compute_task_count(self):
        counts = dict(
            self.env["project.task"]._read_group(
                [("phase_id", "in", self.ids)], ["phase_id"], ["__count"]
            )
        )
        for phase in self:
            phase.task_count = counts.get(phase._origin, 0)

    @api.depends("flow_ids.meeting_ids.lifecycle_meeting")
    def _compute_training_ids(self):
        trainings = dict.fromkeys(self.ids, self.env["calendar.event"])
        # A training of several flows of a phase is one training.
        for flow, events in self.env["calendar.event"]._read_group(
            [
                ("flow_ids.phase_id", "in", self.ids),
                ("lifecycle_meeting", "in", ("spoc_training", "user_training")),
            ],
            ["flow_ids"],
            ["id:recordset"],
        ):
            phase_id = flow.phase_id.id
            if phase_id in trainings:
                trainings[phase_id] |= events
        for phase in self:
            phase.training_ids = trainings.get(phase._origin.id, False)
            phase.training_count = len(phase.training_ids)

    @api.depends("date_go_live", "state")
    def _compute_is_late(self):
        today = fields.Date.context_today(self)
        for phase in self:
            phase.is_late = bool(
                phase.date_go_live
                and phase.date_go_live < today
                and phase.state not in ("live", "complete")
            )

    @api.model
    def _search_is_late(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain("date_go_live", "<", fields.Date.context_today(self)) & Domain(
            "state", "not in", ("live", "complete")
        )

    @api.depends("name", "project_id")
    @api.depends_context("phase_with_project")
    def _compute_display_name(self):
        result = super()._compute_display_name()
        if self.env.context.get("phase_with_project"):
            for phase in self:
                phase.display_name = f"{phase.project_id.name} / {phase.name}"
        return result

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------
    @api.constrains("project_id")
    def _check_project(self):
        for phase in self:
            if not phase.project_id.is_lifecycle:
                raise ValidationError(
                    self.env._(
                        "%(project)s is not a client implementation: it has no phases.",
                        project=phase.project_id.name,
                    )
                )

    @api.constrains("date_start", "date_go_live", "project_id")
    def _check_dates_do_not_cross(self):
        """Phases follow one another: none starts before another's go-live."""
        for phase in self:
            if phase.date_start and phase.date_go_live:
                if phase.date_go_live < phase.date_start:
                    raise ValidationError(
                        self.env._(
                            "The planned go-live of %(phase)s (%(go_live)s) is before "
                            "its planned start (%(start)s). Correct one of the dates.",
                            phase=phase.name,
                            go_live=format_date(self.env, phase.date_go_live),
                            start=format_date(self.env, phase.date_start),
                        )
                    )
        for project, phases in self.grouped("project_id").items():
            dated = self.search(
                [
                    ("project_id", "=", project.id),
                    ("date_start", "!=", False),
                    ("date_go_live", "!=", False),
                ]
            )
            for phase in phases & dated:
                for other in dated - phase:
                    end = phase.date_go_live_real or phase.date_go_live
                    other_end = other.date_go_live_real or other.date_go_live
                    if phase.date_start < other_end and other.date_start < end:
                        raise ValidationError(
                            self.env._(
                                "The dates of %(phase)s cross those of %(other)s "
                                "(%(start)s to %(go_live)s). Phases follow one "
                                "another: move one of them.",
                                phase=phase.name,
                                other=other.name,
                                start=format_date(self.env, other.date_start),
                                go_live=format_date(self.env, other_end),
                            )
                        )

    @api.constrains("date_start_real", "date_go_live_real", "state")
    def _check_real_dates(self):
        # A day ahead: the client may be in a time zone where it is tomorrow already.
        today = fields.Date.add(fields.Date.today(), days=1)
        for phase in self:
            for date in (phase.date_start_real, phase.date_go_live_real):
                if date and date > today:
                    raise ValidationError(
                        self.env._(
                            "%(date)s is in the future: %(phase)s cannot have started "
                            "or gone live then. Use the planned dates for that.",
                            date=format_date(self.env, date),
                            phase=phase.name,
                        )
                    )
            start, go_live = phase.date_start_real, phase.date_go_live_real
            if start and go_live and go_live < start:
                raise ValidationError(
                    self.env._(
                        "%(phase)s cannot have gone live on %(go_live)s, before it "
                        "started on %(start)s. Correct one of the dates.",
                        phase=phase.name,
                        go_live=format_date(self.env, go_live),
                        start=format_date(self.env, start),
                    )
                )
            if bool(phase.date_start_real) != (phase.state != "planned") or bool(
                phase.date_go_live_real
            ) != (phase.state in ("live", "complete")):
                raise ValidationError(
                    self.env._(
                        "The real dates of %(phase)s do not fit its state: the phase "
                        "notes them itself when it starts and when it goes live. You "
                        "may correct them afterwards.",
                        phase=phase.name,
                    )
                )

    @api.constrains("date_go_live", "date_go_live_real")
    def _check_imports(self):
        self.import_ids._check_planned_after_go_live()

    @api.constrains("milestone_id", "project_id")
    def _check_milestone(self):
        for phase in self.sudo():  # milestones have rules of their own
            if phase.milestone_id and phase.milestone_id.project_id != phase.project_id:
                raise ValidationError(
                    self.env._(
                        "The milestone %(milestone)s belongs to another project than "
                        "the phase %(phase)s.",
                        milestone=phase.milestone_id.name,
                        phase=phase.name,
                    )
                )

    # ------------------------------------------------------------------
    # Create, write, delete
    # ------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        context = self.env.context
        vals_list = [dict.fromkeys(COMPLETION_FIELDS, False) | v for v in vals_list]
        for vals in vals_list:
            vals.setdefault("state", context.get("default_state") or "planned")
            if vals["state"] != "planned" or any(map(vals.get, COMPLETION_FIELDS)):
                raise UserError(
                    self.env._(
                        "A new phase is planned. Start it once the former phase is "
                        "complete."
                    )
                )
        phases = super().create(vals_list)
        phases._create_milestones()
        return phases

    def write(self, vals):
        vals = dict(vals)
        if self.env.context.get("milestone_in_step") is IN_STEP:
            return super().write(vals)
        self._check_protected(vals)
        by_state = self.grouped("state") if "state" in vals else {}
        for state, phases in by_state.items():
            if state != vals["state"]:
                phases._check_next_state(vals["state"], vals)
        # Phases may be in different states: each gets what goes with its change.
        for state, phases in by_state.items():
            if state == vals["state"]:
                super(ProjectPhase, phases).write(vals)
                continue
            super(ProjectPhase, phases).write(
                phases._prepare_state_values(vals["state"], vals) | vals
            )
            # Before another phase starts in this transaction: the index is immediate.
            phases.flush_recordset(["state"])
        result = True if by_state else super().write(vals)
        if {"name", "date_go_live", "state", "date_go_live_real"} & vals.keys():
            self._push_to_milestones()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_history(self):
        if blocked := self.filtered(lambda phase: phase._has_history()):
            raise UserError(
                self.env._(
                    "%(phases)s: work was done here, and that history stays. Move what "
                    "is left to do to another phase instead of deleting this one.",
                    phases=format_list(self.env, blocked.mapped("name")),
                )
            )

    def unlink(self):
        # sudo: the milestone is the phase's own, whoever may delete the phase
        milestones = self.milestone_id.sudo()
        result = super().unlink()
        milestones.unlink()
        return result

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        if not (default or {}).get("name") and not self.env.context.get("copy_project"):
            for phase, vals in zip(self, vals_list, strict=True):
                vals["name"] = self.env._("%s (copy)", phase.name)
        return vals_list

    def _has_history(self):
        """Return whether the phase was worked on in a way that must be kept."""
        self.ensure_one()
        phase = self.sudo()  # time of colleagues counts, whoever deletes
        return (
            phase.state not in ("planned", "in_progress")
            or any(
                flow._has_history()
                for flow in phase.with_context(active_test=False).flow_ids
            )
            or bool(phase.timesheet_ids)
        )

    def _check_protected(self, vals):
        """Check that nobody writes what the phase notes by itself.

        :raises UserError: with what to do instead
        """
        if "project_id" in vals and any(
            phase.project_id.id != vals["project_id"] for phase in self
        ):
            raise UserError(
                self.env._("A phase stays in its project. Plan another one there.")
            )
        if "wave" in vals:
            for phase in self:
                if phase.wave != vals["wave"] and phase.state != "planned":
                    raise UserError(
                        self.env._(
                            "%(phase)s has already started: it stays in its wave.",
                            phase=phase.name,
                        )
                    )
        if COMPLETION_FIELDS & vals.keys() and vals.get("state") != "complete":
            raise UserError(
                self.env._(
                    "What was agreed with the client about the go-live is noted when "
                    "the phase becomes complete, and is not changed afterwards."
                )
            )
        if "milestone_id" in vals and any(
            phase.milestone_id and phase.milestone_id.id != vals["milestone_id"]
            for phase in self
        ):
            raise UserError(
                self.env._("Each phase keeps its own milestone for all its life.")
            )

    # ------------------------------------------------------------------
    # States
    # ------------------------------------------------------------------
    def _check_next_state(self, state, vals):
        """Check that the phases, all in one state, may pass to another one.

        It is asked on every way of writing the state.

        :param str state: the state to enter
        :param dict vals: what is written together with it
        :raises UserError: with what is missing and what to do
        """
        labels = dict(self._fields["state"]._description_selection(self.env))
        for phase in self:
            if state not in NEXT_STATES[phase.state]:
                allowed = NEXT_STATES[phase.state]
                if allowed:
                    message = self.env._(
                        "%(phase)s is “%(state)s”: it cannot become “%(next)s” now. "
                        "What may follow: %(allowed)s.",
                        phase=phase.name,
                        state=labels[phase.state],
                        next=labels.get(state, state),
                        allowed=format_list(
                            self.env, [labels[name] for name in allowed], "or"
                        ),
                    )
                else:
                    message = self.env._(
                        "%(phase)s is complete: the client agreed, and that stays.",
                        phase=phase.name,
                    )
                raise UserError(message)
        if state == "in_progress" and self[:1].state == "planned":
            self._check_can_start()
        elif state in ("ready", "live"):
            self._check_ready()
        elif state == "complete":
            self._check_agreed(vals)

    def _check_can_start(self):
        """Check that these planned phases may start (methodology, section 4).

        A phase starts only when the go-live of the former one is agreed complete.

        :raises UserError: with the phase that stands before
        """
        for project, phases in self.grouped("project_id").items():
            if project.is_template:
                raise UserError(
                    self.env._(
                        "%(project)s is a template: its phases start in the projects "
                        "made from it.",
                        project=project.name,
                    )
                )
            # Not the cached one2many: phases may have just been created or ordered.
            everyone = self.search([("project_id", "=", project.id)])
            current = everyone.filtered(lambda phase: phase.state in CURRENT_STATES)
            if len(phases) > 1:
                raise UserError(
                    self.env._(
                        "Only one phase of %(project)s can be in progress at a time. "
                        "Start the first one.",
                        project=project.name,
                    )
                )
            former = current or everyone[: list(everyone).index(phases)].filtered(
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

    def _get_open_points(self):
        """Return what keeps each phase from being ready for its go-live.

        :return: dict from phase to a list of sentences, empty when it is ready
        """
        result = {}
        for phase in self:
            points = []
            if not phase.flow_ids:
                points.append(self.env._("It has no business flows yet."))
            points += phase.flow_ids._get_open_points()
            imports = phase.import_ids.filtered(
                lambda data: data.needed_to_start and not data.imported_on
            )
            if imports:
                points.append(
                    self.env._(
                        "Data needed to start and not imported yet: %s.",
                        format_list(self.env, imports.mapped("name")),
                    )
                )
            result[phase] = points
        return result

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

    def _check_agreed(self, vals):
        """Check that the client agreed that the go-live is complete.

        :param dict vals: with ``completion_statement``, the SPOC's words
        :raises UserError: without those words or without a SPOC
        """
        if not (vals.get("completion_statement") or "").strip():
            raise UserError(
                self.env._(
                    "Write down what the SPOC said: without the client's agreement a "
                    "go-live is not complete, and the phase stays in follow-up."
                )
            )
        # sudo: the contacts of the client may be hidden
        if without := self.sudo().filtered(lambda phase: not phase.project_id.spoc_id):
            raise UserError(
                self.env._(
                    "%(project)s has no SPOC who could agree that the go-live is "
                    "complete. Name the SPOC on the project.",
                    project=without[0].project_id.name,
                )
            )

    def _prepare_state_values(self, state, vals):
        """Return what is noted when phases enter a state.

        :param str state: the state entered
        :param dict vals: what is written together with it, and wins
        """
        today = fields.Date.context_today(self)
        if state == "in_progress" and not all(self.mapped("date_start_real")):
            return {"date_start_real": today}
        if state == "live":
            return {"date_go_live_real": today}
        if state == "complete":
            # The same SPOC for all, or the completion is recorded one by one.
            spoc = self.project_id.sudo().spoc_id[:1]
            return {"completed_by_id": spoc.id, "completed_on": fields.Datetime.now()}
        return {}

    def action_start(self):
        """Start a planned phase.

        :raises UserError: while a former phase is not agreed complete
        """
        return self.write({"state": "in_progress"})

    def action_set_ready(self):
        """Say that the phase is ready for its go-live.

        :raises UserError: with flows that are not validated and trained, and data that
            is needed to start and not imported
        """
        return self.write({"state": "ready"})

    def action_back_to_work(self):
        """Take back that a phase is ready: something was left to do."""
        return self.write({"state": "in_progress"})

    def action_go_live(self):
        """Note that the client starts to use the phase today."""
        return self._set_live()

    def _set_live(self, date=None):
        """Set phases live, and their milestones reached.

        The rule (methodology, section 4): the decision is the consultant's, and only a
        phase that is ready goes live. Afterwards it is in follow-up, until the client
        agrees that the go-live is complete.

        :param date: day of the go-live (default: today in the user's time zone)
        :raises UserError: for a phase that is not ready, with what is left to do
        """
        vals = {"state": "live"}
        if date:
            vals["date_go_live_real"] = date
        return self.write(vals)

    def action_complete(self, statement=None):
        """Record that the client agrees that the go-live is complete.

        It is the SPOC's to agree; who agreed and when is noted with the words. It opens
        the way for the next phase and cannot be taken back.

        :param str statement: the words of the SPOC, plain text; without them the user
            is asked for them
        :return: the dialog that asks for the words, or True
        :raises UserError: for a phase that is not live, or a project without SPOC
        """
        if statement is None:
            self.ensure_one()
            return self.env["ir.actions.act_window"]._for_xml_id(
                "project_lifecycle.implementation_phase_complete_action"
            ) | {"context": {"default_phase_id": self.id}}
        for phase in self:  # each with its own SPOC
            phase.write({"state": "complete", "completion_statement": statement})
        return True

    # ------------------------------------------------------------------
    # Milestones
    # ------------------------------------------------------------------
    def _prepare_milestone_values(self):
        """Return what the milestone of the phase says."""
        self.ensure_one()
        return {
            "name": self.name,
            "deadline": self.date_go_live,
            "is_reached": self.state in ("live", "complete"),
        }

    def _create_milestones(self):
        """Give each phase its milestone, and switch milestones on in its project."""
        # sudo: the project is the user's, who has just been allowed to plan it
        projects = self.project_id.sudo()
        projects.filtered(lambda p: not p.allow_milestones).allow_milestones = True
        missing = self.filtered(lambda phase: not phase.milestone_id)
        milestones = (
            self.env["project.milestone"]
            .sudo()
            .create(
                [
                    phase._prepare_milestone_values()
                    | {"project_id": phase.project_id.id}
                    for phase in missing
                ]
            )
        )
        for phase, milestone in zip(missing, milestones, strict=True):
            phase.with_context(milestone_in_step=IN_STEP).milestone_id = milestone
        (self - missing)._push_to_milestones()

    def _push_to_milestones(self):
        """Bring the milestones in step with their phases."""
        for phase in self.sudo():  # sudo: the milestone is part of the phase
            milestone = phase.milestone_id
            changed = {
                name: value
                for name, value in phase._prepare_milestone_values().items()
                if milestone and milestone[name] != value
            }
            if changed:
                milestone.with_context(milestone_in_step=IN_STEP).write(changed)

    def _follow_milestone(self, is_reached):
        """Do what somebody said about the milestones: they are the phases' go-lives.

        :param bool is_reached: whether the milestones were marked as reached
        :raises UserError: for a phase that may not go live yet, or that is live
        """
        live = self.filtered(lambda phase: phase.state in ("live", "complete"))
        if is_reached:
            (self - live)._set_live()
        elif live:
            raise UserError(
                self.env._(
                    "%(phase)s is live: its milestone is reached, and that stays.",
                    phase=live[0].name,
                )
            )

    # ------------------------------------------------------------------
    # Timeline
    # ------------------------------------------------------------------
    def _get_timeline(self):
        """Return the picture of phases on one time scale, to draw it anywhere.

        Positions are percentages of the width of the picture.

        :return: dict with ``phases`` (each with its ``bars``, one planned and one real,
            and ``go_live``), ``ticks`` (first days of months), ``today`` (None when it
            lies outside), ``undated`` (phases without dates); False without any date
        """
        today = fields.Date.context_today(self)
        rows, undated, days = [], [], []
        for phase in self.sorted():
            planned = phase._get_span(phase.date_start, phase.date_go_live)
            # A phase that has started and is not live goes on until today.
            real = phase.date_start_real and phase._get_span(
                phase.date_start_real,
                phase.date_go_live_real or max(today, phase.date_start_real),
            )
            if not planned and not real:
                undated.append({"id": phase.id, "name": phase.name})
                continue
            rows.append((phase, planned, real))
            days += [day for span in (planned, real) if span for day in span]
        if not rows:
            return False
        first, last = min(days), max(days)
        # Some room at both ends, and no less than two weeks for a single day
        margin = max((last - first).days // 20, 7)
        first = fields.Date.subtract(first, days=margin)
        last = fields.Date.add(last, days=margin)
        width = (last - first).days

        def position(day):
            return round(100 * (day - first).days / width, 2)

        def bar(span):
            if not span:
                return False
            return {
                "left": position(span[0]),
                "width": round(position(span[1]) - position(span[0]), 2),
                "label": self.env._(
                    "%(start)s to %(end)s",
                    start=format_date(self.env, span[0]),
                    end=format_date(self.env, span[1]),
                ),
            }

        states = dict(self._fields["state"]._description_selection(self.env))
        waves = dict(self._fields["wave"]._description_selection(self.env))
        return {
            "phases": [
                {
                    "id": phase.id,
                    "name": phase.name,
                    "wave": phase.wave,
                    "wave_label": waves[phase.wave],
                    "state": phase.state,
                    "state_label": states[phase.state],
                    "is_late": phase.is_late,
                    "planned": bar(planned),
                    "real": bar(real),
                    "go_live": bool(phase.date_go_live or phase.date_go_live_real)
                    and {
                        "left": position(phase.date_go_live_real or phase.date_go_live),
                        "is_real": bool(phase.date_go_live_real),
                        "label": format_date(
                            self.env, phase.date_go_live_real or phase.date_go_live
                        ),
                    },
                }
                for phase, planned, real in rows
            ],
            "ticks": self._get_timeline_ticks(first, last, position),
            "today": position(today) if first <= today <= last else None,
            "undated": undated,
        }

    @api.model
    def _get_span(self, start, end):
        """Return first and last day of what is known of a span, or False."""
        return (start or end, end or start) if start or end else False

    @api.model
    def _get_timeline_ticks(self, first, last, position):
        """Return the first days of months, as many as can be read."""
        months = (last.year - first.year) * 12 + last.month - first.month
        step = max(1, -(-months // 8))  # eight labels at most
        ticks = []
        day = fields.Date.add(fields.Date.start_of(first, "month"), months=1)
        while day <= last:
            ticks.append(
                {
                    "left": position(day),
                    "label": format_date(self.env, day, date_format="MMM y"),
                }
            )
            day = fields.Date.add(day, months=step)
        return ticks

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------
    def _get_action(self, xmlid, **context):
        """Return a window action on what belongs to this phase."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            f"project_lifecycle.{xmlid}"
        )
        return action | {
            "domain": [("phase_id", "=", self.id)],
            "context": {
                "default_project_id": self.project_id.id,
                "default_phase_id": self.id,
            }
            | context,
        }

    def action_view_flows(self):
        """Open the business flows of the phase by step."""
        return self._get_action("implementation_flow_action")

    def action_view_tasks(self):
        """Open the tasks of the phase."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "project.action_view_all_task"
        )
        return action | {
            "domain": [("phase_id", "=", self.id)],
            "context": {
                "default_project_id": self.project_id.id,
                "default_phase_id": self.id,
            },
        }

    def action_view_trainings(self):
        """Open the trainings of the flows of the phase."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.implementation_training_action"
        )
        return action | {
            "domain": [
                ("lifecycle_meeting", "in", ("spoc_training", "user_training")),
                ("flow_ids.phase_id", "=", self.id),
            ],
            "context": {
                "default_project_id": self.project_id.id,
                "default_lifecycle_meeting": "user_training",
                "default_flow_ids": self.flow_ids.ids,
                "default_res_model_id": False,
                "default_res_id": False,
            },
        }

    def action_plan(self):
        """Open the proposal of flows and tasks from the scope of the phase."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.implementation_phase_plan_action"
        ) | {"context": {"default_phase_id": self.id}}


class _InStep:
    """Marks the writes with which phase and milestone follow each other.

    It travels in the context, which RPC clients may fill as they like, but they can
    only send JSON and never this object.
    """


IN_STEP = _InStep()
