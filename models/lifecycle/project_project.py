from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from .project_lock import is_manager

# What decides whether a gate stands before a project, and which one.
GATE_FIELDS = {"stage_id", "company_id", "is_lifecycle", "is_template"}
MAX_ID = 2**31 - 1


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
    spoc_stand_in_id = fields.Many2one(
        "res.partner",
        string="SPOC Stand-in",
        index="btree_not_null",
        tracking=True,
        copy=False,
        groups="base.group_user",
        domain="[('id', 'child_of', partner_id), ('is_company', '=', False)]",
        help="The client's person who takes part in meetings when the SPOC cannot.",
    )
    has_client_spoc = fields.Boolean(
        string="SPOC of the Client",
        compute="_compute_has_client_spoc",
        compute_sudo=True,  # contacts may be hidden, whether they fit is not
        search="_search_has_client_spoc",
        groups="base.group_user",
        help="The project has a SPOC, who is a person of the client.",
    )
    has_consultant = fields.Boolean(
        string="Consultant Is Set",
        compute="_compute_has_consultant",
        compute_sudo=True,
        search="_search_has_consultant",
        groups="base.group_user",
        help="The project is run by somebody who has the role of a consultant or is a "
        "project manager, and still works here.",
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

    @api.depends("user_id.active", "user_id.share", "user_id.all_group_ids")
    def _compute_has_consultant(self):
        consultants = self.user_id._filter_consultants()
        for project in self:
            project.has_consultant = project.user_id in consultants

    @api.model
    def _search_has_consultant(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain("user_id", "any!", self.env["res.users"]._get_consultant_domain())

    # Constraints

    @api.constrains("spoc_id", "spoc_stand_in_id", "partner_id")
    def _check_spoc(self):
        for project in self.sudo():  # sudo: the contacts of the client may be hidden
            client = project.partner_id.commercial_partner_id
            for person in (project.spoc_id, project.spoc_stand_in_id):
                if not person or (client and person.commercial_partner_id == client):
                    continue
                values = {
                    "spoc": person.name,
                    "project": project.name,
                    "client": client.name or self.env._("no client is set yet"),
                }
                if person == project.spoc_id:
                    raise ValidationError(
                        self.env._(
                            "%(spoc)s cannot be the SPOC of %(project)s: the SPOC must "
                            "be a contact of the client (%(client)s).",
                            **values,
                        )
                    )
                raise ValidationError(
                    self.env._(
                        "%(spoc)s cannot stand in for the SPOC of %(project)s: that "
                        "must be a contact of the client (%(client)s).",
                        **values,
                    )
                )

    @api.constrains("salesperson_id")
    def _check_salesperson(self):
        for project in self.sudo():  # sudo: what the user may do is no secret
            if project.salesperson_id.share:
                raise ValidationError(
                    self.env._(
                        "%(user)s cannot be the salesperson of %(project)s: choose "
                        "somebody of the firm.",
                        user=project.salesperson_id.name,
                        project=project.name,
                    )
                )

    @api.constrains("user_id")
    def _check_consultant(self):
        for project in self.sudo():  # sudo: what the user may do is no secret
            user = project.user_id
            if (
                user
                and project.is_lifecycle
                and not project.is_template
                and not user._filter_consultants()
            ):
                raise ValidationError(
                    self.env._(
                        "%(user)s cannot run the client project %(project)s without "
                        "the role of a consultant. Choose a consultant, or ask an "
                        "administrator to give %(user)s the role (Project: "
                        "Consultant).",
                        user=user.name,
                        project=project.name,
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

    # Create, write, follow

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        default_stage = self.env.context.get("default_stage_id")
        self._check_stages_exist(
            [default_stage, *(vals.get("stage_id") for vals in vals_list)]
        )
        self._fill_consultant(vals_list)
        chosen = self._fill_stage(vals_list)
        with self._undo_unless_passed(
            self.env.context.get("default_is_lifecycle")
            or any(vals.get("is_lifecycle") for vals in vals_list)
        ):
            projects = super().create(vals_list)
            projects_sudo = projects.sudo()  # stage_id is hidden from some groups
            for project, has_chosen in zip(projects_sudo, chosen, strict=True):
                project._fit_stage(project.stage_id.browse(), explicit=has_chosen)
            lifecycle = projects_sudo.filtered("is_lifecycle")
            if lifecycle:
                self._check_lifecycle_rights()
            lifecycle._pass_gate({})
        lifecycle._schedule_internal_kickoff()
        return projects

    def write(self, vals):
        # sudo: stage_id is hidden from some groups; super() checks the rights
        projects_sudo = self.sudo()
        chosen = frozenset(vals)  # stock Odoo adds to them
        if "stage_id" in chosen:
            self._check_stages_exist([vals["stage_id"], *projects_sudo.stage_id.ids])
        is_gated = GATE_FIELDS & vals.keys() and (
            vals.get("is_lifecycle") or any(projects_sudo.mapped("is_lifecycle"))
        )
        if is_gated:
            projects_sudo._lock_for_move()
        before = {project.id: project._get_gate_state() for project in projects_sudo}
        if is_gated and "stage_id" in chosen:
            self._check_may_move()
        people = {"user_id", "salesperson_id"} & vals.keys() and {
            project: project.user_id | project.salesperson_id
            for project in projects_sudo.filtered("is_lifecycle")
        }
        with self._undo_unless_passed(is_gated):
            result = super().write(vals)
            if GATE_FIELDS & chosen:
                self._apply_lifecycle(before, chosen)
        if people:
            self._unsubscribe_former(people)
            projects_sudo.filtered("is_lifecycle")._schedule_internal_kickoff()
        return result

    def _apply_lifecycle(self, before, chosen):
        """Check and complete a change of what a gate watches.

        :param before: dict from project id to its former :meth:`_get_gate_state`
        :param chosen: names of the fields that somebody asked to write
        """
        changed = self.sudo().filtered(  # sudo: as in write
            lambda project: project._get_gate_state() != before[project.id]
        )
        for project in changed:
            project._fit_stage(before[project.id][0], "stage_id" in chosen)
        turned = changed.filtered(
            lambda project: project.is_lifecycle != before[project.id][1]
            or (project.is_lifecycle and project.is_template != before[project.id][2])
        )
        if turned:
            self._check_lifecycle_rights()
        unfit = turned.user_id - turned.user_id._filter_consultants()
        if "user_id" not in chosen:
            # Whoever ran it as another project cannot: the project director is told
            turned.filtered(
                lambda project: project.is_lifecycle
                and not project.is_template
                and project.user_id in unfit
            ).user_id = False
        changed.filtered("is_lifecycle")._pass_gate(before)

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for project, vals in zip(self, vals_list, strict=True):
            if project.is_lifecycle and vals.get("user_id"):
                user = self.env["res.users"].browse(vals["user_id"])
                # Without a consultant the project director is told
                vals["user_id"] = user._filter_consultants().id
        return vals_list

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

    def message_post(self, **kwargs):
        # The mail gateway posts as the system, and whoever answers a message follows
        # the project from then on: that is no way to invite oneself either.
        if self.env.su and self.is_lifecycle:
            self = self.with_context(mail_post_autofollow_author_skip=True)
        return super().message_post(**kwargs)

    @api.model
    def _unsubscribe_former(self, people):
        """Let those who no longer run or sell a project no longer follow it.

        As followers they could go on changing it. Whoever is still needed is invited,
        and project managers may change all projects anyway.

        :param people: dict from project to its former consultant and salesperson
        """
        for project, former in people.items():
            gone = (former - project.user_id - project.salesperson_id).filtered(
                lambda user: not user.has_group("project.group_project_manager")
            )
            if gone:
                project.message_unsubscribe(gone.partner_id.ids)

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
    def _check_stages_exist(self, values):
        """Check the stages that somebody asks for before anything is written.

        :param values: of ``stage_id``, as they came: by RPC that is anything
        :raises UserError: when one of them is not a stage
        """
        stage_ids = set()
        for value in values:
            if isinstance(value, models.BaseModel) and value._name == (
                "project.project.stage"
            ):
                stage_ids |= set(value.ids)
            elif value and (type(value) is not int or not 0 < value <= MAX_ID):
                raise UserError(
                    self.env._(
                        "This is not a stage: %s. Choose one of the stages shown.",
                        repr(value)[:80],
                    )
                )
            elif value:
                stage_ids.add(value)
        stages = (
            self.env["project.project.stage"]
            .sudo()  # that a stage exists may be known
            .with_context(active_test=False)
            .search_fetch(  # all that gates ask about them, in one query
                [("id", "in", list(stage_ids))],
                [
                    "active",
                    "company_id",
                    "lifecycle_stage",
                    "mail_template_id",
                    "name",
                    "next_stage_ids",
                    "sequence",
                ],
            )
        )
        if set(stages.ids) != stage_ids:
            raise UserError(
                self.env._(
                    "This stage does not exist any more. Reload the page and choose "
                    "one of the stages shown."
                )
            )

    @api.model
    def _check_lifecycle_rights(self):
        """Check that the user may say which projects pass the lifecycle.

        :raises AccessError: for anybody but project managers
        """
        if not is_manager(self.env):
            raise AccessError(
                self.env._(
                    "Only a project manager decides whether a project is a client "
                    "implementation with its stages and gates, or a template for them."
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

    @api.model
    def _fill_consultant(self, vals_list):
        """Leave new client projects without a consultant where nobody chose one.

        Stock Odoo takes whoever creates the project, a salesperson for example.

        :param vals_list: values of new projects, changed in place
        """
        context = self.env.context
        if "default_user_id" in context or self.env.user._filter_consultants():
            return
        for vals in vals_list:
            if vals.get("is_lifecycle", context.get("default_is_lifecycle")):
                vals.setdefault("user_id", False)

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
            company_id = vals.get("company_id", context.get("default_company_id"))
            key = (
                bool(vals.get("is_lifecycle", context.get("default_is_lifecycle"))),
                type(company_id) is int and company_id,  # anything else Odoo refuses
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
        stage = self.stage_id
        if bool(stage.lifecycle_stage) == self.is_lifecycle:
            # Of the stages of a new company stock Odoo takes the first one
            is_moved = self.is_lifecycle and former_stage.lifecycle_stage not in (
                False,
                stage.lifecycle_stage,
            )
            if explicit or not is_moved:
                return
        if explicit and self.is_lifecycle and stage:
            raise UserError(
                self.env._(
                    "%(stage)s is not a stage of the lifecycle: the client project "
                    "%(project)s cannot go there. Choose one of its own stages.",
                    stage=stage.name,
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
                    stage=stage.name,
                    project=self.name,
                )
            )
        fitting = self._get_first_stage(
            self.is_lifecycle, self.company_id.id, former_stage
        )
        if self.is_lifecycle and not fitting:
            self._raise_no_first_stage()
        # Without any stage of its own kind a stock project keeps the one it has.
        if fitting:
            super().write({"stage_id": fitting.id})

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
