from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_date, format_list

from ..kickoff.project_scope_line import WAVES
from ..lifecycle.project_lock import is_unlocked

# States in which a phase is the one that the project works on: until its go-live is
# agreed complete it stays in follow-up, and no new phase starts.
CURRENT_STATES = ("in_progress", "ready", "live")
# What nobody changes any more once the client uses the phase, and once the client
# agreed that its go-live is complete.
LIVE_FROZEN = {"wave", "date_start", "date_go_live"}
COMPLETE_FROZEN = LIVE_FROZEN | {
    "name",
    "description",
    "planned_hours",
    "flow_ids",
    "scope_line_ids",
    "development_ids",
    "import_ids",
}


class ProjectPhase(models.Model):
    _name = "project.phase"
    _description = "Implementation Phase"
    _inherit = ["project.part.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "project_id, wave desc, sequence, id"  # MVP first, then improvements

    name = fields.Char(required=True, tracking=True)
    sequence = fields.Integer(default=10, export_string_translation=False)
    project_id = fields.Many2one(tracking=True)
    user_id = fields.Many2one(related="project_id.user_id", string="Consultant")
    wave = fields.Selection(
        WAVES,
        required=True,
        default="mvp",
        tracking=True,
        help="The MVP goes live first: standard and critical needs. Improvements "
        "follow: secondary applications, advanced settings, developments.",
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
    description = fields.Html(string="Objectives")
    flow_ids = fields.One2many("project.flow", "phase_id", string="Business Flows")
    task_ids = fields.One2many("project.task", "phase_id", string="Tasks")
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
                                "The dates of %(phase)s overlap those of %(other)s "
                                "(%(start)s to %(go_live)s). Phases follow one "
                                "another: move one of them.",
                                phase=phase.name,
                                other=other.name,
                                start=format_date(self.env, other.date_start),
                                go_live=format_date(self.env, other_end),
                            )
                        )

    @api.constrains("date_go_live", "date_go_live_real")
    def _check_imports(self):
        self.import_ids._check_planned_after_go_live()

    @api.model_create_multi
    def create(self, vals_list):
        phases = super().create(vals_list)
        phases._create_milestones()
        return phases

    def write(self, vals):
        self._check_values(vals)
        if not is_unlocked(self.env):
            self._check_frozen(vals)
        result = super().write(vals)
        if {"name", "date_go_live"} & vals.keys():
            self._push_to_milestones()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_history(self):
        for phase in self:
            if phase.state != "planned":
                raise UserError(
                    self.env._(
                        "%(phase)s has started and cannot be deleted. When it was "
                        "started by mistake, take the start back first.",
                        phase=phase.name,
                    )
                )
            if points := phase._get_history():
                raise UserError(
                    self.env._(
                        "%(phase)s cannot be deleted: work was done in it.\n%(points)s",
                        phase=phase.name,
                        points="\n".join(f"• {point}" for point in points),
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

    def _get_history(self, with_dropped=True):
        """Return what was done in the phase and must be kept.

        :param bool with_dropped: whether flows that were dropped count as well
        :return: list of sentences, each with the way to keep it elsewhere; empty for a
            phase in which nothing was done
        """
        self.ensure_one()
        # sudo: work of colleagues counts, whoever asks
        phase = self.sudo().with_context(active_test=not with_dropped)
        points = []
        if phase.timesheet_ids:
            points.append(
                self.env._(
                    "Time was logged on it: move that time to another phase, or to "
                    "none, in the timesheets."
                )
            )
        if flows := phase.flow_ids.filtered(lambda flow: flow._has_history()):
            points.append(
                self.env._(
                    "These business flows were worked on: %s. Use “Set the Flow Aside” "
                    "for those that are not wanted now. If another phase was meant, "
                    "change the name, the dates and the scope of this one.",
                    format_list(self.env, flows.mapped("name")),
                )
            )
        if imported := phase.import_ids.filtered("imported_on"):
            points.append(
                self.env._(
                    "Data was imported: %s. Move it to another phase.",
                    format_list(self.env, imported.mapped("name")),
                )
            )
        return points

    def _has_history(self):
        """Return whether the phase was worked on in a way that must be kept."""
        self.ensure_one()
        return self.state != "planned" or bool(self._get_history())

    def _check_frozen(self, vals):
        """Check that nobody changes what a phase went live or was completed with.

        :raises UserError: with what to do instead
        """
        for phase in self:
            if phase.state in ("live", "complete"):
                frozen = COMPLETE_FROZEN if phase.state == "complete" else LIVE_FROZEN
                if any(
                    phase._is_changed(name, vals[name]) for name in frozen & vals.keys()
                ):
                    raise UserError(
                        self.env._(
                            "%(phase)s is complete: the client agreed, and it stays as "
                            "it was. Plan what is new in another phase.",
                            phase=phase.name,
                        )
                        if phase.state == "complete"
                        else self.env._(
                            "%(phase)s is live: its wave and its planned dates stay as "
                            "they were. Plan what is left in another phase.",
                            phase=phase.name,
                        )
                    )
            elif phase.state != "planned" and phase.wave != vals.get(
                "wave", phase.wave
            ):
                raise UserError(
                    self.env._(
                        "%(phase)s has already started: it stays in its wave.",
                        phase=phase.name,
                    )
                )

    def _is_changed(self, name, value):
        """Return whether a value to write differs from what the phase has."""
        self.ensure_one()
        field = self._fields[name]
        if field.type == "one2many":
            return bool(value)
        return field.convert_to_cache(value, self) != field.convert_to_cache(
            self[name], self
        )

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
