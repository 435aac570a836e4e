from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .project_lock import is_manager
from .project_project_stage import FIRST_KIND, KIND_ORDER
from .project_stage_transition import GatePass
from .project_values import get_comparison

# A message that names more projects than this is no longer read.
NAMED_PROJECTS = 10


class ProjectProject(models.Model):
    """The gates between the stages of client projects."""

    _inherit = "project.project"

    next_stage_ids = fields.Many2many(
        "project.project.stage",
        string="Next Stages",
        compute="_compute_gate",
        compute_sudo=True,
        groups="base.group_user",
    )
    gate_ids = fields.Many2many(
        "project.stage.criterion",
        string="Gate",
        compute="_compute_gate",
        compute_sudo=True,
        groups="base.group_user",
        help="What must hold before the project enters one of its next stages.",
    )
    unmet_criterion_ids = fields.Many2many(
        "project.stage.criterion",
        string="Unmet Criteria",
        compute="_compute_gate",
        compute_sudo=True,
        groups="base.group_user",
        help="Those criteria of the gate that do not hold yet.",
    )
    gate_obstacles = fields.Json(
        compute="_compute_gate",
        compute_sudo=True,
        groups="base.group_user",
        help="Why criteria cannot be evaluated, by the id of the criterion.",
    )
    gate_progress = fields.Integer(
        compute="_compute_gate_progress",
        compute_sudo=True,
        search="_search_gate_progress",
        groups="base.group_user",
        help="Share of the blocking criteria of the next stage that are met, in "
        "percent. A project below 100 is held up at its gate.",
    )
    gate_summary = fields.Char(
        compute="_compute_gate_progress",
        compute_sudo=True,
        groups="base.group_user",
        help="How many of the blocking criteria of the next stage are met, and the "
        "first one that is not.",
    )

    def _get_next_stages(self):
        """Return the stages that each client project should go to next, in order.

        :return: dict from each project of ``self`` (sudo) to stages; empty ones for
            projects that no gate is for
        """
        Stage = self.env["project.project.stage"]
        next_ids = {
            project: Stage._get_next_stage_ids(
                project.stage_id.id, project.company_id.id
            )
            if project.is_lifecycle and not project.is_template
            else ()
            for project in self
        }
        prefetch_ids = {stage_id for ids in next_ids.values() for stage_id in ids}
        return {
            project: Stage.browse(ids).with_prefetch(prefetch_ids)
            for project, ids in next_ids.items()
        }

    def _get_criteria(self, stages):
        """Return the active criteria that guard ``stages``."""
        return self.env["project.stage.criterion"].search_fetch(
            [("stage_id", "in", stages.ids)],
            ["stage_id", "from_stage_id", "domain", "severity", "name"],
        )

    def _group_by_way(self, next_stages):
        """Group projects that stand before the same gates.

        :param next_stages: what :meth:`_get_next_stages` returns
        :return: dict from pairs of stage and next stages to projects
        """
        return self.grouped(lambda project: (project.stage_id, next_stages[project]))

    @api.depends("stage_id", "is_lifecycle", "is_template", "company_id")
    def _compute_gate(self):
        next_stages = self._get_next_stages()
        criteria = self._get_criteria(
            self.env["project.project.stage"].union(*next_stages.values())
        )
        for (stage, stages), projects in self._group_by_way(next_stages).items():
            projects.next_stage_ids = stages
            projects.gate_ids = criteria._guard(stages, stage)
        unmet, obstacles = criteria._get_unmet(
            {project: project.gate_ids for project in self}
        )
        for project in self:
            project.unmet_criterion_ids = unmet[project]
            project.gate_obstacles = {
                criterion.id: obstacles[criterion.id]
                for criterion in unmet[project]
                if criterion.id in obstacles
            }

    def _compute_gate_progress(self):
        self.gate_progress = 0
        self.gate_summary = False
        next_stages = self._get_next_stages()
        blocking = self._get_criteria(
            self.env["project.project.stage"].union(*next_stages.values())
        ).filtered(lambda criterion: criterion.severity == "blocking")
        gates = {}
        for (stage, stages), projects in self._group_by_way(next_stages).items():
            # The way forward: the first of the next stages that is not a way back
            forward = stages.filtered(
                lambda s, stage=stage: KIND_ORDER[s.lifecycle_stage]
                >= KIND_ORDER[stage.lifecycle_stage]
            )
            goal = (forward or stages)[:1]
            if goal:
                gates |= dict.fromkeys(projects, blocking._guard(goal, stage))
        unmet, _obstacles = blocking._get_unmet(gates)
        for project, gate in gates.items():
            met = len(gate) - len(unmet[project])
            project.gate_progress = 100 * met // len(gate) if gate else 100
            if missing := unmet[project][:1]:
                project.gate_summary = self.env._(
                    "%(met)s of %(count)s met. Missing: %(criterion)s",
                    met=met,
                    count=len(gate),
                    criterion=missing.name,
                )

    @api.model
    def _search_gate_progress(self, operator, value):
        matches = get_comparison(self, "gate_progress", operator, value)
        if matches is None:
            return NotImplemented
        gated = Domain("is_lifecycle", "=", True) & Domain("is_template", "=", False)
        # Conditions may use fields that cannot be searched: evaluate all in one batch.
        projects = self.sudo().with_context(active_test=False).search(gated)
        found = projects.filtered(lambda project: matches(project.gate_progress))
        domain = Domain("id", "in", found.ids)
        return domain | ~gated if matches(0) else domain  # others have no gate

    @api.model
    def _get_first_stage(self, is_lifecycle, company_id, like=None):
        """Return the stage in which a project starts.

        A client project starts at the beginning of the lifecycle, wherever its column
        stands: without such a stage it has none to start in.

        :param bool is_lifecycle: whether it is a client project
        :param company_id: id of the project's company, or False
        :param like: a stage; one with the same meaning is preferred to the first one
        """
        stages = (
            self.env["project.project.stage"]
            .sudo()  # projects are also made by people who know nothing of stages
            .search(
                [
                    ("lifecycle_stage", "!=" if is_lifecycle else "=", False),
                    ("company_id", "in", [company_id, False]),
                ]
            )
        )
        alike = stages.filtered(
            lambda stage: like and stage.lifecycle_stage == like.lifecycle_stage
        )
        if is_lifecycle:
            stages = stages.filtered(lambda stage: stage.lifecycle_stage == FIRST_KIND)
        return (alike or stages)[:1]

    def _lock_for_move(self):
        """Let only one user at a time move these projects.

        Whoever comes second waits, and starts again from where the project is then.
        """
        self.env.execute_query(
            SQL(
                """SELECT id FROM project_project WHERE id IN %s ORDER BY id
                   FOR NO KEY UPDATE""",
                tuple(self.ids) or (0,),
            )
        )

    def _pass_gate(self, before):
        """Check and record the stages that client projects have just entered.

        It runs after the change, in the same transaction: raising undoes the change
        of all projects. It is idempotent, since stock Odoo's ``write`` calls itself.

        :param before: dict from project id to its former :meth:`_get_gate_state`; new
            projects are missing there
        :raises UserError: with the unmet criteria of each project and what to do
        """
        Transition = self.env["project.stage.transition"].sudo()  # only read otherwise
        last = Transition._get_last(self)
        no_stage = self.env["project.project.stage"]
        former = {}
        for project in self:
            stage, was_lifecycle, was_template = before.get(
                project.id, (no_stage, False, False)
            )
            former[project] = stage if was_lifecycle and not was_template else no_stage
        gate_pass = GatePass.of(self.env)
        overridden = self.filtered(
            lambda project: gate_pass and project.id in gate_pass.ids
        )
        entered = self.filtered(
            lambda project: project.stage_id.id != last.get(project.id, (0, 0))[1]
        )
        # Out of the lifecycle and in again is no way either
        started = self.filtered(
            lambda project: not before.get(project.id, (no_stage, False, False))[1]
        )
        (entered | started)._check_can_move(former)
        entered = entered.filtered(lambda project: not project.is_template)
        ((entered | started) - overridden)._check_next_stages(former)
        if not entered:
            return
        blocked, obstacles = entered._get_blocking_criteria(former)
        if any(blocked[project] for project in entered - overridden):
            raise UserError(
                (entered - overridden)._get_gate_message(blocked, obstacles)
            )
        now = fields.Datetime.now()
        Transition.create(
            [
                {
                    "project_id": project.id,
                    "from_stage_id": former[project].id,
                    "to_stage_id": project.stage_id.id,
                    "date": now,
                    "user_id": self.env.uid,
                    "duration": (now - last[project.id][0]).total_seconds() / 86400
                    if project.id in last
                    else 0,
                    "overridden_criterion_ids": blocked[project].ids,
                    "reason": project in overridden and gate_pass.reason,
                }
                for project in entered
            ]
        )
        entered.invalidate_recordset(
            ["days_in_stage", "is_late_in_stage", "transition_ids"]
        )

    def _check_can_move(self, former):
        """Check that archived projects and templates stay where they are, and that
        nothing goes to a stage that nobody sees.

        :param former: dict from project to the stage that it was in, empty if new
        """
        for project in self:
            if not project.stage_id.active:
                raise UserError(
                    self.env._(
                        "The stage %(stage)s is archived. Choose one of the stages "
                        "shown for %(project)s.",
                        stage=project.stage_id.name,
                        project=project.name,
                    )
                )
            if former[project] and not project.active:
                raise UserError(
                    self.env._(
                        "%(project)s is archived: unarchive it before moving it to "
                        "another stage.",
                        project=project.name,
                    )
                )
            if project.is_template and project.lifecycle_stage != FIRST_KIND:
                raise UserError(
                    self.env._(
                        "%(project)s is a template: it does not pass the stages of "
                        "the lifecycle. Move the projects made from it.",
                        project=project.name,
                    )
                )

    def _check_next_stages(self, former):
        """Check that each project's stage may follow its former one.

        :param former: dict from project to the stage that it was in, empty if new
        """
        for project in self:
            stage = former[project]
            # Several stages may stand for one: they are one step of the way
            if stage and project.lifecycle_stage == stage.lifecycle_stage:
                continue
            if not stage:
                project._check_first_stage()
            elif stage.next_stage_ids and project.stage_id not in stage.next_stage_ids:
                allowed = stage.next_stage_ids.filtered("active")
                raise UserError(
                    self.env._(
                        "%(project)s cannot go from %(former)s to %(stage)s. From "
                        "there it may go to: %(allowed)s. A project manager can move "
                        "it elsewhere with a reason (Override the gate).",
                        project=project.name,
                        former=stage.name,
                        stage=project.stage_id.name,
                        allowed=", ".join(allowed.mapped("name"))
                        or self.env._("no stage, since its next stages are archived"),
                    )
                )

    def _check_first_stage(self):
        """Check that a client project starts at the beginning of the lifecycle."""
        self.ensure_one()
        if self.lifecycle_stage == FIRST_KIND:
            return
        first = self._get_first_stage(True, self.company_id.id)
        if not first:
            self._raise_no_first_stage()
        raise UserError(
            self.env._(
                "The client project %(project)s starts in %(first)s, not in %(stage)s. "
                "A project manager can move it from there with a reason (Override the "
                "gate).",
                project=self.name,
                first=first.name,
                stage=self.stage_id.name,
            )
        )

    def _raise_no_first_stage(self):
        """Refuse to start a client project without a stage to start in."""
        kinds = dict(
            self.env["project.project.stage"]
            ._fields["lifecycle_stage"]
            ._description_selection(self.env)
        )
        raise UserError(
            self.env._(
                "There is no stage for %(project)s to start in: no stage in use stands "
                "for “%(kind)s” in its company. Ask a project manager to add one or to "
                "unarchive it.",
                project=self.name,
                kind=kinds[FIRST_KIND],
            )
        )

    def _get_blocking_criteria(self, former):
        """Evaluate the gates of the stages that projects are in now.

        :param former: dict from project to the stage that it came from
        :return: dict from project to its unmet blocking criteria, and the obstacles of
            :meth:`~.ProjectStageCriterion._get_unmet`
        """
        ways = self.grouped(
            lambda project: (project.stage_id, former[project], project.company_id)
        )
        skipped = {
            (stage, before, company): before._get_skipped(stage, company)
            for stage, before, company in ways
        }
        criteria = self._get_criteria(self.stage_id.union(*skipped.values())).filtered(
            lambda criterion: criterion.severity == "blocking"
        )
        gates = {}
        for way, projects in ways.items():
            stages = skipped[way] | way[0]
            gate = criteria._guard(stages, way[1] | skipped[way])
            gates |= dict.fromkeys(projects, gate)
        return criteria._get_unmet(gates)

    def _get_gate_message(self, blocked, obstacles):
        """Return what keeps projects from passing, as plain text for a dialog.

        :param blocked: dict from project to unmet blocking criteria, empty if none
        :param obstacles: dict from the id of a criterion to why it is broken
        """
        projects = self.filtered(lambda project: blocked[project])
        responsibles = dict(
            self.env["project.stage.criterion"]
            ._fields["responsible"]
            ._description_selection(self.env)
        )
        parts = []
        for project in projects[:NAMED_PROJECTS]:
            lines = [
                self.env._(
                    "%(project)s cannot enter %(stage)s yet:",
                    project=project.name,
                    stage=project.stage_id.name,
                )
            ]
            for criterion in blocked[project]:
                hint = obstacles.get(criterion.id) or criterion.hint
                title = self.env._(
                    "%(criterion)s (%(responsible)s)",
                    criterion=criterion.name,
                    responsible=responsibles[criterion.responsible],
                )
                lines.append(f"• {title}\n   {hint}" if hint else f"• {title}")
            parts.append("\n".join(lines))
        if more := len(projects) - NAMED_PROJECTS:
            if more > 0:
                parts.append(self.env._("… and %s more projects.", more))
        if len(self) > 1:
            parts.append(self.env._("None of the %s projects was moved.", len(self)))
        if is_manager(self.env(su=False)):
            parts.append(
                self.env._(
                    "As a project manager you can override the gate with a reason, on "
                    "the form of the project."
                )
            )
        return "\n\n".join(parts)

    def _override_gate(self, stage, reason):
        """Move client projects to a stage although its gate is closed.

        :param stage: the stage to enter
        :param str reason: why, in plain text; kept in the history and the chatter
        :raises AccessError: for anybody but project managers
        :raises UserError: without a reason
        """
        if not is_manager(self.env):
            raise AccessError(self.env._("Only a project manager may override a gate."))
        reason = (reason or "").strip()
        if not any(character.isalnum() for character in reason):
            raise UserError(
                self.env._(
                    "Write down why the project may pass although its gate is closed: "
                    "the reason stays in the history of the project."
                )
            )
        for project in self.sudo():  # stage_id is hidden from some groups
            if project.stage_id == stage:
                raise UserError(
                    self.env._(
                        "%(project)s is in %(stage)s already.",
                        project=project.name,
                        stage=stage.name,
                    )
                )
        self.with_context(lifecycle_gate_pass=GatePass(reason, self.ids)).write(
            {"stage_id": stage.id}
        )
        for project in self:
            project.message_post(
                body=self.env._(
                    "Gate to %(stage)s overridden: %(reason)s",
                    stage=stage.name,
                    reason=reason,
                ),
                # For internal eyes: portal users read notifications by their ids
                message_type="comment",
                subtype_xmlid="mail.mt_note",
            )

    def action_move_to_stage(self, stage_id):
        """Move the project through the gate, as dragging its card does.

        :param int stage_id: id of the stage to enter
        :raises UserError: with the unmet criteria of the gate
        """
        return self.write({"stage_id": stage_id})
