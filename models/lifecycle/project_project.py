from contextlib import contextmanager
from operator import ge, gt, le, lt

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from .project_stage_transition import GatePass

# What decides whether a gate stands before a project, and which one.
GATE_FIELDS = {"stage_id", "company_id", "is_lifecycle", "is_template"}
COMPARE = {"<": lt, "<=": le, ">": gt, ">=": ge}
# A message that names more projects than this is no longer read.
NAMED_PROJECTS = 10


class ProjectProject(models.Model):
    _name = "project.project"
    _inherit = ["project.project", "project.lock.mixin"]

    # Group by stage shows the columns that fit what is looked at.
    stage_id = fields.Many2one(group_expand="_read_group_lifecycle_stages")
    # Salespersons open the projects of their orders, where stock Odoo counts the orders
    # through timesheets that they may not read.
    sale_order_count = fields.Integer(compute_sudo=True)
    sale_order_line_count = fields.Integer(compute_sudo=True)
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
        compute_sudo=True,  # contacts may be hidden, whether they fit is not
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
        compute="_compute_meeting_count", compute_sudo=True, groups="base.group_user"
    )
    next_meeting_date = fields.Datetime(
        string="Next Meeting",
        compute="_compute_next_meeting_date",
        compute_sudo=True,
        groups="base.group_user",
    )
    transition_ids = fields.One2many(
        "project.stage.transition", "project_id", groups="base.group_user"
    )
    days_in_stage = fields.Integer(
        compute="_compute_days_in_stage",
        compute_sudo=True,
        search="_search_days_in_stage",
        groups="base.group_user",
        help="Whole days since the project entered its stage.",
    )
    stage_target_days = fields.Integer(
        string="Target (days)",
        compute="_compute_days_in_stage",
        compute_sudo=True,
        groups="base.group_user",
        help="Days that a project should stay in this stage at most.",
    )
    is_late_in_stage = fields.Boolean(
        compute="_compute_days_in_stage",
        compute_sudo=True,
        search="_search_is_late_in_stage",
        groups="base.group_user",
        help="In its stage for more days than the target of the stage.",
    )
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
        (self.spoc_id | self.partner_id).mapped("commercial_partner_id")  # one query
        for project in self:
            project.has_client_spoc = bool(project.spoc_id) and (
                project.spoc_id.commercial_partner_id
                == project.partner_id.commercial_partner_id
            )

    @api.model
    def _search_has_client_spoc(self, operator, value):
        if operator != "in":
            return NotImplemented

        def has_client_spoc(project, alias, query):
            # Rather than a join: the planner would join all contacts with one another
            return SQL(
                """(
                    (SELECT commercial_partner_id FROM res_partner WHERE id = %s)
                    = (SELECT commercial_partner_id FROM res_partner WHERE id = %s)
                ) IS TRUE""",
                project._field_to_sql(alias, "spoc_id", query),
                project._field_to_sql(alias, "partner_id", query),
                to_flush=self.env["res.partner"]._fields["commercial_partner_id"],
            )

        return Domain.custom(to_sql=has_client_spoc)

    def _compute_meeting_count(self):
        counts = self._read_group_meetings(Domain.TRUE, "__count")
        for project in self:
            project.meeting_count = counts.get(project.id, 0)

    def _compute_next_meeting_date(self):
        coming = Domain("start", ">=", fields.Datetime.now())
        dates = self._read_group_meetings(coming, "start:min")
        for project in self:
            project.next_meeting_date = dates.get(project.id, False)

    def _read_group_meetings(self, domain, aggregate):
        """Return an aggregate of the meetings of each project, by project id.

        Computed with sudo: the numbers and dates count private meetings too.
        """
        groups = self.env["calendar.event"]._read_group(
            domain & Domain("project_id", "in", self.ids), ["project_id"], [aggregate]
        )
        return {project.id: value for project, value in groups}

    @api.depends("stage_id.target_days", "is_lifecycle")
    def _compute_days_in_stage(self):
        last = self.env["project.stage.transition"]._get_last(self)
        now = fields.Datetime.now()
        for project in self:
            date, _stage_id = last.get(project._origin.id, (now, False))
            days = (now - date).days
            target = project.stage_id.target_days
            project.days_in_stage = days
            project.stage_target_days = target
            project.is_late_in_stage = project.is_lifecycle and 0 < target < days

    @api.model
    def _search_days_in_stage(self, operator, value):
        if operator not in COMPARE:
            return NotImplemented
        return Domain("id", "in", self._days_in_stage_sql(operator, SQL("%s", value)))

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
            ["stage_id", "from_stage_id", "domain", "severity"],
        )

    @api.depends("stage_id", "is_lifecycle", "is_template", "company_id")
    def _compute_gate(self):
        next_stages = self._get_next_stages()
        criteria = self._get_criteria(
            self.env["project.project.stage"].union(*next_stages.values())
        )
        for (stage, stages), projects in self.grouped(
            lambda project: (project.stage_id, next_stages[project])
        ).items():
            projects.next_stage_ids = stages
            projects.gate_ids = criteria.filtered(
                lambda criterion, stages=stages: criterion.stage_id in stages
            )._applies_from(stage)
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
        next_stages = self._get_next_stages()
        blocking = self._get_criteria(
            self.env["project.project.stage"].union(*next_stages.values())
        ).filtered(lambda criterion: criterion.severity == "blocking")
        gates = {}
        for (stage, stages), projects in self.grouped(
            lambda project: (project.stage_id, next_stages[project])
        ).items():
            # The way forward: the first of the next stages that is not a way back
            forward = stages.filtered(
                lambda s, stage=stage: s.sequence >= stage.sequence
            )
            goal = (forward or stages)[:1]
            if not goal:
                continue
            criteria = blocking.filtered(
                lambda criterion, goal=goal: criterion.stage_id == goal
            )._applies_from(stage)
            gates |= dict.fromkeys(projects, criteria)
        unmet, _obstacles = blocking._get_unmet(gates)
        for project, gate in gates.items():
            met = len(gate) - len(unmet[project])
            project.gate_progress = 100 * met // len(gate) if gate else 100

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

    @api.onchange("sale_line_id")
    def _onchange_sale_line_id(self):
        # sudo: stock Odoo reads the sales order here, which only salespersons may, so
        # that nobody else could fill in the form of a new project
        return super(ProjectProject, self.sudo())._onchange_sale_line_id()

    # ------------------------------------------------------------------
    # Create, write, follow
    # ------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        chosen = self._fill_stage(vals_list)
        self._check_stages_exist(vals.get("stage_id") for vals in vals_list)
        with self._undo_unless_passed(
            self.env.context.get("default_is_lifecycle")
            or any(vals.get("is_lifecycle") for vals in vals_list)
        ):
            projects = super().create(vals_list)
            projects_sudo = projects.sudo()  # stage_id is hidden from some groups
            for project, has_chosen in zip(projects_sudo, chosen, strict=True):
                project._fit_stage(project.stage_id.browse(), explicit=has_chosen)
            lifecycle = projects_sudo.filtered("is_lifecycle")
            lifecycle.sudo(self.env.su)._check_lifecycle_rights()
            lifecycle._pass_gate({})
        lifecycle._schedule_internal_kickoff()
        return projects

    def write(self, vals):
        # sudo: stage_id is hidden from some groups; super() checks the rights
        before = {project.id: project._get_gate_state() for project in self.sudo()}
        if "stage_id" in vals:
            self._check_stages_exist([vals["stage_id"], *self.sudo().stage_id.ids])
        explicit = "stage_id" in vals
        if explicit and any(state[1] for state in before.values()):
            self._check_may_move()
        is_consultant_set = "user_id" in vals or "salesperson_id" in vals
        with self._undo_unless_passed(
            GATE_FIELDS & vals.keys()
            and (vals.get("is_lifecycle") or any(state[1] for state in before.values()))
        ):
            result = super().write(vals)
            changed = self.sudo().filtered(
                lambda project: project._get_gate_state() != before[project.id]
            )
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

    @contextmanager
    def _undo_unless_passed(self, is_gated):
        """Undo all that is done inside when it raises, as a shut gate does.

        So nothing is half-done for callers that catch the error and go on. Not a
        flushing savepoint: that would log the change of the stage before the end of
        the transaction, when other changes may still follow.

        :param is_gated: whether a gate may stop the change at all
        """
        if not is_gated:
            yield
            return
        self.env.flush_all()
        try:
            with self.env.cr.savepoint(flush=False):
                yield
        except Exception:
            self.env.transaction.clear()
            raise

    def _get_gate_state(self):
        """Return what a gate watches: stage, client project or not, template or not."""
        return self.stage_id, self.is_lifecycle, self.is_template

    @api.model
    def _check_stages_exist(self, stage_ids):
        """Check the ids of stages before anything is written, and load the stages."""
        stage_ids = {stage_id for stage_id in stage_ids if stage_id}
        stages = (
            self.env["project.project.stage"]
            .sudo()  # that a stage exists may be known
            .with_context(active_test=False)
            .search_fetch(
                [("id", "in", stage_ids)],
                ["name", "sequence", "lifecycle_stage", "company_id", "next_stage_ids"],
            )
        )
        if set(stages.ids) != stage_ids:
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

    def _check_may_move(self):
        """Check that the user may move these projects.

        :raises AccessError: that says who may, instead of Odoo's general message
        """
        # What the user may not even read is left to Odoo, which does not name it.
        foreign = self._filtered_access("read")
        foreign -= foreign._filtered_access("write")
        if foreign:
            raise AccessError(
                self.env._(
                    "%(projects)s: only its consultant, the people invited to it and "
                    "project managers move a client project to another stage.",
                    projects=", ".join(foreign.mapped("name")),
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

        :param before: dict from project id to its former :meth:`_get_gate_state`; new
            projects are missing there
        :raises UserError: with the unmet criteria of each project and what to do
        """
        Transition = self.env["project.stage.transition"]
        last = Transition._get_last(self)
        entered = self.filtered(
            lambda project: project.stage_id.id != last.get(project.id, (0, 0))[1]
        )
        if not entered:
            return
        no_stage = self.env["project.project.stage"]
        former = {}
        for project in entered:
            stage, _is_lifecycle, was_template = before.get(
                project.id, (no_stage, False, False)
            )
            former[project] = no_stage if was_template else stage
        entered._check_can_move(former)
        entered = entered.filtered(lambda project: not project.is_template)
        gate_pass = GatePass.of(self.env) or GatePass()
        overridden = entered.filtered(lambda project: project.id in gate_pass.ids)
        (entered - overridden)._check_next_stages(former)
        blocked, obstacles = entered._get_blocking_criteria(former)
        if any(blocked[project] for project in entered - overridden):
            raise UserError(
                (entered - overridden)._get_gate_message(blocked, obstacles)
            )
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
            if (
                allowed
                and project.stage_id not in allowed
                # several stages may stand for one: they are one step of the way
                and project.lifecycle_stage != former[project].lifecycle_stage
            ):
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

    def _get_blocking_criteria(self, former):
        """Evaluate the gates of the stages that projects are in now.

        :param former: dict from project to the stage that it came from
        :return: dict from project to its unmet blocking criteria, and the obstacles of
            :meth:`~.ProjectStageCriterion._get_unmet`
        """
        criteria = self._get_criteria(self.stage_id).filtered(
            lambda criterion: criterion.severity == "blocking"
        )
        gates = {}
        for (stage, former_stage), projects in self.grouped(
            lambda project: (project.stage_id, former[project])
        ).items():
            gate = criteria.filtered(
                lambda criterion, stage=stage: criterion.stage_id == stage
            )._applies_from(former_stage)
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
            raise AccessError(self.env._("Only a project manager may override a gate."))
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
