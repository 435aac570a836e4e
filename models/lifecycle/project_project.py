from operator import ge, gt, le, lt

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from .project_stage_transition import GatePass

COMPARE = {"<": lt, "<=": le, ">": gt, ">=": ge}
# A message that names more projects than this is no longer read.
NAMED_PROJECTS = 10


class ProjectProject(models.Model):
    _inherit = "project.project"

    # Group by stage shows the columns that fit what is looked at.
    stage_id = fields.Many2one(group_expand="_read_group_lifecycle_stages")
    is_lifecycle = fields.Boolean(
        string="Client Implementation",
        tracking=True,
        index="btree_not_null",
        help="This project implements Odoo for a client: it passes the stages of the "
        "lifecycle and the gates between them.",
    )
    lifecycle_stage = fields.Selection(
        related="stage_id.lifecycle_stage", store=True, index="btree_not_null"
    )
    spoc_id = fields.Many2one(
        "res.partner",
        string="SPOC",
        index="btree_not_null",
        tracking=True,
        copy=False,
        domain="[('id', 'child_of', partner_id), ('is_company', '=', False)]",
        help="Single point of contact: the client's person who trains the users, "
        "validates and decides for the client.",
    )
    has_client_spoc = fields.Boolean(
        string="SPOC of the Client",
        compute="_compute_has_client_spoc",
        search="_search_has_client_spoc",
        help="The project has a SPOC, who is a person of the client.",
    )
    salesperson_id = fields.Many2one(
        "res.users",
        index="btree_not_null",
        tracking=True,
        copy=False,
        groups="base.group_user",
        domain="[('share', '=', False)]",
        help="Sold the apps and the hours, and owns every commercial problem of the "
        "project.",
    )
    meeting_ids = fields.One2many(
        "calendar.event", "project_id", string="Meetings", groups="base.group_user"
    )
    meeting_count = fields.Integer(
        compute="_compute_meetings", groups="base.group_user"
    )
    next_meeting_date = fields.Datetime(
        string="Next Meeting", compute="_compute_meetings", groups="base.group_user"
    )
    transition_ids = fields.One2many(
        "project.stage.transition", "project_id", groups="base.group_user"
    )
    date_stage_entry = fields.Datetime(
        string="In Stage since",
        compute="_compute_days_in_stage",
        groups="base.group_user",
    )
    days_in_stage = fields.Integer(
        compute="_compute_days_in_stage",
        search="_search_days_in_stage",
        groups="base.group_user",
        help="Whole days since the project entered its stage.",
    )
    stage_target_days = fields.Integer(
        related="stage_id.target_days", groups="base.group_user"
    )
    is_late_in_stage = fields.Boolean(
        compute="_compute_is_late_in_stage",
        search="_search_is_late_in_stage",
        groups="base.group_user",
        help="In its stage for more days than the target of the stage.",
    )
    next_stage_ids = fields.Many2many(
        "project.project.stage",
        string="Next Stages",
        compute="_compute_gate",
        groups="base.group_user",
    )
    gate_ids = fields.Many2many(
        "project.stage.criterion",
        string="Gate",
        compute="_compute_gate",
        groups="base.group_user",
        help="What must hold before the project enters one of its next stages.",
    )
    gate_progress = fields.Integer(
        compute="_compute_gate_progress",
        search="_search_gate_progress",
        groups="base.group_user",
        help="Share of the blocking criteria of the next stage that are met, in "
        "percent. A project below 100 is held up at its gate.",
    )

    @api.model
    def _read_group_lifecycle_stages(self, stages, domain):
        """Return the columns of a kanban by stage.

        Client projects have all the stages of the lifecycle, empty ones too. Other
        projects have the other stages, as in stock Odoo; in a mixed view stages of the
        lifecycle appear as soon as a project is in them.
        """
        is_lifecycle = any(
            condition.field_expr == "is_lifecycle"
            and (
                condition.value is True
                if condition.operator == "="
                else condition.operator == "in" and True in condition.value
            )
            for condition in Domain(domain).iter_conditions()
        )
        operator = "!=" if is_lifecycle else "="
        expanded = stages.search([("lifecycle_stage", operator, False)])
        return (stages | expanded).sorted()

    def _default_stage_id(self):
        context = self.env.context
        return self._get_first_stage(
            context.get("default_is_lifecycle"), context.get("default_company_id")
        )

    # ------------------------------------------------------------------
    # Computed fields
    # ------------------------------------------------------------------
    @api.depends("spoc_id.commercial_partner_id", "partner_id.commercial_partner_id")
    def _compute_has_client_spoc(self):
        for project in self:
            # sudo: contacts may be hidden from the user, whether they fit is not
            project_sudo = project.sudo()
            project.has_client_spoc = bool(project_sudo.spoc_id) and (
                project_sudo.spoc_id.commercial_partner_id
                == project_sudo.partner_id.commercial_partner_id
            )

    @api.model
    def _search_has_client_spoc(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.flush_model(["spoc_id", "partner_id"])
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        fitting = SQL(
            """(
                SELECT project.id
                  FROM project_project project
                  JOIN res_partner spoc ON spoc.id = project.spoc_id
                  JOIN res_partner client ON client.id = project.partner_id
                 WHERE spoc.commercial_partner_id = client.commercial_partner_id
            )"""
        )
        return Domain("id", "in", fitting)

    def _compute_meetings(self):
        # sudo: only the number and the date are shown, also of private meetings
        Event = self.env["calendar.event"].sudo()
        domain = Domain("project_id", "in", self.ids)
        groups = Event._read_group(domain, ["project_id"], ["__count"])
        counts = {project.id: count for project, count in groups}
        coming = domain & Domain("start", ">=", fields.Datetime.now())
        groups = Event._read_group(coming, ["project_id"], ["start:min"])
        dates = {project.id: start for project, start in groups}
        for project in self:
            project.meeting_count = counts.get(project.id, 0)
            project.next_meeting_date = dates.get(project.id, False)

    @api.depends("stage_id")
    def _compute_days_in_stage(self):
        last = self.env["project.stage.transition"]._get_last(self)
        now = fields.Datetime.now()
        for project in self:
            date, _stage_id = last.get(project._origin.id, (False, False))
            project.date_stage_entry = date
            project.days_in_stage = (now - date).days if date else 0

    @api.model
    def _search_days_in_stage(self, operator, value):
        if operator not in COMPARE:
            return NotImplemented
        return Domain("id", "in", self._days_in_stage_sql(operator, SQL("%s", value)))

    @api.depends("days_in_stage", "stage_target_days")
    def _compute_is_late_in_stage(self):
        for project in self:
            project.is_late_in_stage = (
                project.is_lifecycle
                and project.stage_target_days > 0
                and project.days_in_stage > project.stage_target_days
            )

    @api.model
    def _search_is_late_in_stage(self, operator, value):
        if operator != "in":
            return NotImplemented
        late = self._days_in_stage_sql(
            ">",
            SQL("stage.target_days"),
            SQL("project.is_lifecycle AND stage.target_days > 0"),
        )
        return Domain("id", "in", late)

    @api.model
    def _days_in_stage_sql(self, operator, days, condition=SQL("TRUE")):  # noqa: B008
        """Return the query of the projects by their days in stage.

        :param str operator: one of ``COMPARE``
        :param SQL days: what to compare the whole days with
        :param SQL condition: on ``project`` and its ``stage``
        """
        self.env["project.stage.transition"].flush_model(["project_id", "date"])
        self.flush_model(["stage_id", "is_lifecycle"])
        self.env["project.project.stage"].flush_model(["target_days"])
        # The whole days as in _compute_days_in_stage: periods of 24 hours
        in_stage = SQL(
            "FLOOR(EXTRACT(EPOCH FROM %s - MAX(transition.date)) / 86400)",
            fields.Datetime.now(),
        )
        return SQL(
            """(
                SELECT project.id
                  FROM project_project project
                  JOIN project_project_stage stage ON stage.id = project.stage_id
                  JOIN project_stage_transition transition
                    ON transition.project_id = project.id
                 WHERE %s
              GROUP BY project.id, stage.id
                HAVING %s %s %s
            )""",
            condition,
            in_stage,
            SQL(operator),
            days,
        )

    def _get_next_stages(self):
        """Return the stages that each client project should go to next, in order.

        :return: dict from each project of ``self`` to stages; empty ones for projects
            that no gate is for
        """
        Stage = self.env["project.project.stage"].sudo()
        stages = Stage.search([("lifecycle_stage", "!=", False)])
        result = {}
        for project in self:
            project_sudo = project.sudo()
            if project_sudo.is_lifecycle and not project_sudo.is_template:
                result[project] = project_sudo.stage_id._get_next_stages(
                    stages.filtered(
                        lambda stage, company=project_sudo.company_id: (
                            not stage.company_id or stage.company_id == company
                        )
                    )
                )
            else:
                result[project] = Stage
        return result

    def _get_criteria(self, stages):
        """Return the active criteria that guard ``stages``."""
        return (
            self.env["project.stage.criterion"]
            .sudo()  # the gate is the same for everybody
            .search([("stage_id", "in", stages.ids)])
        )

    @api.depends("stage_id", "is_lifecycle", "is_template", "company_id")
    def _compute_gate(self):
        next_stages = self._get_next_stages()
        criteria = self._get_criteria(
            self.env["project.project.stage"].union(*next_stages.values())
        )
        for project in self:
            stages = next_stages[project]
            project.next_stage_ids = stages.sudo(self.env.su)
            project.gate_ids = criteria.filtered(
                lambda criterion, stages=stages: criterion.stage_id in stages
            )._applies_from(project.sudo().stage_id)

    def _compute_gate_progress(self):
        self.gate_progress = 0
        next_stages = self._get_next_stages()
        # The way forward: the first of the next stages that is not a way back
        goals = {}
        for project, stages in next_stages.items():
            order = project.sudo().stage_id.sequence
            forward = stages.filtered(lambda s, order=order: s.sequence >= order)
            goals[project] = (forward or stages)[:1]
        blocking = self._get_criteria(
            self.env["project.project.stage"].union(*goals.values())
        ).filtered(lambda criterion: criterion.severity == "blocking")
        for (stage, goal), projects in self.grouped(
            lambda project: (project.sudo().stage_id, goals[project])
        ).items():
            if not goal:
                continue
            criteria = blocking.filtered(
                lambda criterion, goal=goal: criterion.stage_id == goal
            )._applies_from(stage)
            # with_prefetch: what criteria read is read once for all stages
            unmet = criteria._get_unmet(projects.with_prefetch(self._prefetch_ids))
            for project in projects:
                met = len(criteria) - len(unmet[project])
                project.gate_progress = 100 * met // len(criteria) if criteria else 100

    @api.model
    def _search_gate_progress(self, operator, value):
        if operator not in COMPARE:
            return NotImplemented
        # Conditions may use fields that cannot be searched: evaluate all in one batch.
        projects = self.sudo().search(
            [("is_lifecycle", "=", True), ("is_template", "=", False)]
        )
        compare = COMPARE[operator]
        found = projects.filtered(lambda project: compare(project.gate_progress, value))
        return Domain("id", "in", found.ids)

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------
    @api.constrains("spoc_id", "partner_id")
    def _check_spoc(self):
        for project in self.sudo():  # sudo: the contacts of the client may be hidden
            if project.spoc_id and not project.has_client_spoc:
                raise ValidationError(
                    self.env._(
                        "%(spoc)s cannot be the SPOC of %(project)s: the SPOC must be "
                        "a contact of the client (%(client)s).",
                        spoc=project.spoc_id.name,
                        project=project.name,
                        client=project.partner_id.commercial_partner_id.name
                        or self.env._("no client is set yet"),
                    )
                )

    @api.onchange("is_lifecycle", "company_id")
    def _onchange_lifecycle_stage(self):
        project = self.sudo()  # stage_id is hidden from some groups
        if bool(project.stage_id.lifecycle_stage) != project.is_lifecycle:
            project.stage_id = self._get_first_stage(
                project.is_lifecycle, project.company_id.id
            )

    # ------------------------------------------------------------------
    # Create, write, follow
    # ------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        chosen = self._fill_stage(vals_list)
        self._check_stage_exists(vals.get("stage_id") for vals in vals_list)
        projects = super().create(vals_list)
        projects_sudo = projects.sudo()  # stage_id is hidden from some groups
        for project, has_chosen in zip(projects_sudo, chosen, strict=True):
            project._fit_stage(project.stage_id.browse(), explicit=has_chosen)
        lifecycle = projects_sudo.filtered("is_lifecycle")
        lifecycle._check_lifecycle_rights()
        lifecycle._pass_gate({})
        lifecycle._schedule_internal_kickoff()
        return projects

    def write(self, vals):
        if "stage_id" in vals:
            self._check_stage_exists([vals["stage_id"]])
        # sudo: stage_id is hidden from some groups; super() checks the rights
        before = {project.id: project._get_gate_state() for project in self.sudo()}
        explicit = "stage_id" in vals
        is_consultant_set = "user_id" in vals or "salesperson_id" in vals
        result = super().write(vals)
        changed = self.sudo().filtered(
            lambda project: project._get_gate_state() != before[project.id]
        )
        if changed:
            for project in changed:
                project._fit_stage(before[project.id][0], explicit)
            changed.filtered(
                lambda project: project.is_lifecycle != before[project.id][1]
            ).sudo(self.env.su)._check_lifecycle_rights()
            changed.filtered("is_lifecycle")._pass_gate(before)
        if is_consultant_set:
            self.sudo().filtered("is_lifecycle")._schedule_internal_kickoff()
        return result

    def message_subscribe(self, partner_ids=None, subtype_ids=None):
        # Followers are the people invited to a project, and a consultant may change
        # the projects that he or she is invited to: nobody invites himself.
        if not self.env.su and set(partner_ids or []) == {self.env.user.partner_id.id}:
            lifecycle = self.filtered("is_lifecycle")
            if self.env.user.has_group(
                "project_lifecycle.group_consultant"
            ) and not lifecycle.has_access("write"):
                raise AccessError(
                    self.env._(
                        "The followers of a client project may change it. Ask its "
                        "consultant or a project manager to add you."
                    )
                )
        return super().message_subscribe(partner_ids, subtype_ids)

    def _get_gate_state(self):
        """Return what a gate watches: stage, client project or not, template or not."""
        return self.stage_id, self.is_lifecycle, self.is_template

    @api.model
    def _check_stage_exists(self, stage_ids):
        """Check the ids of stages before anything is written."""
        stages = self.env["project.project.stage"].sudo().browse(
            {stage_id for stage_id in stage_ids if stage_id}
        )
        if stages.exists() != stages:
            raise UserError(
                self.env._(
                    "This stage does not exist any more. Reload the page and choose "
                    "one of the stages shown."
                )
            )

    def _check_lifecycle_rights(self):
        """Check that the user may say whether projects pass the lifecycle.

        :raises AccessError: for anybody but project managers
        """
        if self and not (
            self.env.su or self.env.user.has_group("project.group_project_manager")
        ):
            raise AccessError(
                self.env._(
                    "Only a project manager decides whether a project is a client "
                    "implementation with its stages and gates."
                )
            )

    # ------------------------------------------------------------------
    # The gate
    # ------------------------------------------------------------------
    @api.model
    def _get_first_stage(self, is_lifecycle, company_id, like=None):
        """Return the stage in which a project starts.

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
        return (alike or stages)[:1]

    @api.model
    def _fill_stage(self, vals_list):
        """Fill in the stage in which new projects start, where none is chosen.

        :param vals_list: values of new projects, changed in place
        :return: for each, whether somebody chose the stage
        """
        context = self.env.context
        chosen = [
            bool(vals.get("stage_id") or context.get("default_stage_id"))
            for vals in vals_list
        ]
        may_write_stage = self.env.su or self.env.user.has_group(
            "project.group_project_stages"
        )
        first_stages = {}
        for vals, has_chosen in zip(vals_list, chosen, strict=True):
            if has_chosen or not may_write_stage:
                continue
            key = (
                bool(vals.get("is_lifecycle", context.get("default_is_lifecycle"))),
                vals.get("company_id", context.get("default_company_id")) or False,
            )
            if key not in first_stages:
                first_stages[key] = self._get_first_stage(*key)
            if first_stages[key]:
                vals["stage_id"] = first_stages[key].id
        return chosen

    def _fit_stage(self, former_stage, explicit):
        """Keep client projects in the stages of the lifecycle and others out of them.

        Stock Odoo picks a stage by itself for a new project and on a change of
        company, and a project that becomes a client project starts anew.

        :param former_stage: stage before the change, possibly empty
        :param bool explicit: whether somebody asked for the present stage
        :raises UserError: when it was asked for and does not fit
        """
        self.ensure_one()
        if bool(self.stage_id.lifecycle_stage) == self.is_lifecycle:
            return
        if explicit and self.is_lifecycle and self.stage_id:
            raise UserError(
                self.env._(
                    "%(stage)s is not a stage of the lifecycle: the client project "
                    "%(project)s cannot go there. Choose one of its own stages.",
                    stage=self.stage_id.name,
                    project=self.name,
                )
            )
        if explicit and self.is_lifecycle:
            raise UserError(
                self.env._(
                    "The client project %(project)s must be in a stage of the "
                    "lifecycle. Choose one instead of leaving the stage empty.",
                    project=self.name,
                )
            )
        if explicit:
            raise UserError(
                self.env._(
                    "%(stage)s is a stage of client implementations and %(project)s "
                    "is another project. Choose another stage.",
                    stage=self.stage_id.name,
                    project=self.name,
                )
            )
        fitting = self._get_first_stage(
            self.is_lifecycle, self.company_id.id, former_stage
        )
        # Without any stage of its own kind a stock project keeps the one it has.
        if fitting or self.is_lifecycle:
            super().write({"stage_id": fitting.id})

    def _pass_gate(self, before):
        """Check and record the stages that client projects have just entered.

        It runs after the change, in the same transaction: raising undoes the change
        of all projects. It is idempotent, since stock Odoo's ``write`` calls itself.

        :param before: dict from project id to a tuple that starts with the stage that
            the project was in; projects that are missing there are new
        :raises UserError: with the unmet criteria of each project and what to do
        """
        Transition = self.env["project.stage.transition"]
        last = Transition._get_last(self)
        entered = self.filtered(
            lambda project: project.stage_id.id != last.get(project.id, (0, 0))[1]
        )
        if not entered:
            return
        former = {
            project: before[project.id][0]
            if project.id in before
            else project.stage_id.browse()
            for project in entered
        }
        entered._check_can_move(former)
        entered = entered.filtered(lambda project: not project.is_template)
        gate_pass = GatePass.of(self.env) or GatePass()
        overridden = entered.filtered(lambda project: project.id in gate_pass.ids)
        (entered - overridden)._check_next_stages(former)
        blocked = {
            project: criteria.filtered(lambda c: c.severity == "blocking")
            for project, criteria in entered._get_unmet_criteria(former).items()
        }
        if any(blocked[project] for project in entered - overridden):
            raise UserError((entered - overridden)._get_gate_message(blocked))
        now = fields.Datetime.now()
        Transition.with_context(lifecycle_gate_pass=gate_pass).create(
            [
                {
                    "project_id": project.id,
                    "from_stage_id": former[project].id,
                    "to_stage_id": project.stage_id.id,
                    "date": now,
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
            ["days_in_stage", "date_stage_entry", "is_late_in_stage", "transition_ids"]
        )

    def _check_can_move(self, former):
        """Check that archived projects and templates stay where they are.

        :param former: dict from project to the stage that it was in, empty if new
        """
        for project in self:
            if former[project] and not project.active:
                raise UserError(
                    self.env._(
                        "%(project)s is archived: unarchive it before moving it to "
                        "another stage.",
                        project=project.name,
                    )
                )
            first = project.is_template and self._get_first_stage(
                True, project.company_id.id
            )
            if project.is_template and project.stage_id != first:
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
            allowed = former[project].next_stage_ids
            if allowed and project.stage_id not in allowed:
                raise UserError(
                    self.env._(
                        "%(project)s cannot go from %(former)s to %(stage)s. From "
                        "there it may go to: %(allowed)s. A project manager can move "
                        "it elsewhere with a reason (Override the gate).",
                        project=project.name,
                        former=former[project].name,
                        stage=project.stage_id.name,
                        allowed=", ".join(allowed.mapped("name")),
                    )
                )

    def _get_unmet_criteria(self, former):
        """Evaluate the gates of the stages that projects are in now.

        :param former: dict from project to the stage that it came from
        :return: dict from project to its unmet criteria, warnings included
        """
        all_criteria = self._get_criteria(self.stage_id)
        unmet = {}
        for (stage, former_stage), projects in self.grouped(
            lambda project: (project.stage_id, former[project])
        ).items():
            unmet |= (
                all_criteria.filtered(
                    lambda criterion, stage=stage: criterion.stage_id == stage
                )
                ._applies_from(former_stage)
                ._get_unmet(projects.with_prefetch(self._prefetch_ids))
            )
        return unmet

    def _get_gate_message(self, blocked):
        """Return what keeps projects from passing, as plain text for a dialog.

        :param blocked: dict from project to unmet blocking criteria, empty if none
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
                _met, obstacle = criterion._evaluate(project)
                hint = obstacle or criterion.hint
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
        if self.env.user.has_group("project.group_project_manager"):
            parts.append(
                self.env._(
                    "As a project manager you can override the gate with a reason, on "
                    "the form of the project."
                )
            )
        return "\n\n".join(parts)

    def _override_gate(self, stage, reason):
        """Move client projects to a stage although its gate is shut.

        :param stage: the stage to enter
        :param str reason: why, in plain text; kept in the history and the chatter
        :raises AccessError: for anybody but project managers
        :raises UserError: without a reason
        """
        if not self.env.user.has_group("project.group_project_manager"):
            raise AccessError(
                self.env._("Only a project manager may override a gate.")
            )
        reason = (reason or "").strip()
        if not reason:
            raise UserError(
                self.env._(
                    "Write down why the project may pass although its gate is shut: "
                    "the reason stays in the history of the project."
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
                )
            )

    # ------------------------------------------------------------------
    # Activities of the internal kick-off
    # ------------------------------------------------------------------
    def _schedule_internal_kickoff(self):
        """Tell consultant and salesperson that their internal kick-off is due.

        Each has one activity per project, which goes over to the next person when
        the consultant or the salesperson changes. A project without a consultant is
        its company's project director's to assign.
        """
        projects = self.filtered(
            lambda project: project.lifecycle_stage == "internal_kickoff"
            and not project.is_template
        )
        for xmlid, get_user in (
            (
                "project_lifecycle.mail_activity_type_internal_kickoff",
                lambda project: project.user_id
                or (project.company_id or self.env.company).project_director_id,
            ),
            (
                "project_lifecycle.mail_activity_type_hand_over",
                lambda project: project.salesperson_id,
            ),
        ):
            for user, group in projects.grouped(get_user).items():
                if not user:
                    continue
                known = group.activity_reschedule([xmlid], new_user_id=user.id)
                known_ids = known.mapped("res_id") if known else []
                group.filtered(
                    lambda project, known_ids=known_ids: project.id not in known_ids
                ).activity_schedule(xmlid, user_id=user.id)

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------
    def action_move_to_stage(self, stage_id):
        """Move the project through the gate, as dragging its card does.

        :param int stage_id: id of the stage to enter
        :raises UserError: with the unmet criteria of the gate
        """
        return self.write({"stage_id": stage_id})

    def action_view_meetings(self):
        """Open the meetings of the project."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.lifecycle_meeting_action"
        )
        return action | {
            "context": {
                "default_project_id": self.id,
                "default_partner_ids": (
                    self.env.user.partner_id | self.user_id.partner_id
                ).ids,
            },
            "domain": [("project_id", "=", self.id)],
        }

    def action_view_transitions(self):
        """Open the history of the project's stages."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.lifecycle_transition_action"
        )
        return action | {
            "domain": [("project_id", "=", self.id)],
            "context": {},
            "view_mode": "list,pivot,graph",
            "views": [(False, "list"), (False, "pivot"), (False, "graph")],
        }
