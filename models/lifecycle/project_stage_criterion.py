import logging
from ast import literal_eval
from collections import defaultdict

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

_logger = logging.getLogger(__name__)


class ProjectStageCriterion(models.Model):
    _name = "project.stage.criterion"
    _description = "Stage Gate Criterion"
    _inherit = ["project.lock.mixin"]
    _order = "stage_id, sequence, id"

    active = fields.Boolean(default=True, export_string_translation=False)
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10, export_string_translation=False)
    stage_id = fields.Many2one(
        "project.project.stage",
        string="To Enter",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('lifecycle_stage', '!=', False)]",
    )
    from_stage_id = fields.Many2one(
        "project.project.stage",
        string="Coming From",
        ondelete="cascade",
        domain="[('lifecycle_stage', '!=', False)]",
        help="Check it only for projects that come from this stage. Empty: always.",
    )
    domain = fields.Char(
        string="Condition",
        required=True,
        default="[]",
        help="A project meets the criterion when it matches this condition.",
    )
    severity = fields.Selection(
        [("blocking", "Blocking"), ("warning", "Warning")],
        required=True,
        default="blocking",
        help="A blocking criterion keeps the gate closed. A warning is only shown.",
    )
    hint = fields.Char(
        string="What to Do",
        translate=True,
        help="Tells the person in charge how to meet the criterion.",
    )
    responsible = fields.Selection(
        [
            ("consultant", "Consultant"),
            ("salesperson", "Salesperson"),
            ("spoc", "SPOC"),
            ("manager", "Manager"),
        ],
        required=True,
        default="consultant",
        help="Whose job it is to meet the criterion.",
    )
    action_id = fields.Many2one(
        "ir.actions.act_window",
        string="Where to Do It",
        help="Opened from the gate panel of the project. Without one, the panel leads "
        "to the first field of the condition.",
    )
    company_id = fields.Many2one(related="stage_id.company_id")
    condition_field = fields.Char(
        compute="_compute_condition_field", export_string_translation=False
    )

    @api.depends("domain")
    def _compute_condition_field(self):
        for criterion in self:
            try:
                conditions = criterion._get_domain().iter_conditions()
                condition = next(iter(conditions), None)
            except Exception:  # the gate says that it is broken: no field to lead to
                condition = None
            criterion.condition_field = (
                condition.field_expr.split(".")[0] if condition else False
            )

    @api.constrains("domain")
    def _check_domain(self):
        Project = self.env["project.project"]
        for criterion in self:
            try:
                domain = criterion._get_domain()
                domain.optimize(Project)
                for condition in domain.iter_conditions():
                    self._check_path(Project, condition)
                # A real project shows what only the evaluation can find out.
                Project.sudo().search([], limit=1).filtered_domain(domain)
            except psycopg2.Error:
                raise
            except Exception as error:
                raise ValidationError(
                    self.env._(
                        "The condition of the criterion “%(criterion)s” cannot be "
                        "used: %(reason)s\nChoose the fields of the project again.",
                        criterion=criterion.name,
                        reason=error,
                    )
                ) from error

    @api.constrains("stage_id", "from_stage_id")
    def _check_stages(self):
        for criterion in self:
            stages = criterion.stage_id | criterion.from_stage_id
            if foreign := stages.filtered(lambda stage: not stage.lifecycle_stage):
                raise ValidationError(
                    self.env._(
                        "%(stage)s is not a stage of the lifecycle: no gate leads to "
                        "it. Choose a lifecycle stage.",
                        stage=foreign[0].name,
                    )
                )

    @api.model
    def _check_path(self, model, condition):
        """Check that each field of a condition exists, below relations too.

        :param model: empty recordset of the model that the condition is about
        :param condition: a condition of a domain
        :raises ValueError: when a field does not exist or tells about the gate itself
        """
        for name in condition.field_expr.split("."):
            field = model._fields.get(name)
            if not field:
                raise ValueError(
                    self.env._(
                        "%(model)s has no field %(field)s.",
                        model=self.env["ir.model"]._get(model._name).name,
                        field=name,
                    )
                )
            if field.compute in ("_compute_gate", "_compute_gate_progress"):
                raise ValueError(
                    self.env._("%s depends on the gate itself.", field.string)
                )
            if field.comodel_name:
                model = self.env[field.comodel_name]
            elif field.type not in ("date", "datetime", "properties"):
                break
        if isinstance(condition.value, Domain):
            for subcondition in condition.value.iter_conditions():
                self._check_path(model, subcondition)

    def _get_domain(self):
        """Return the condition as a domain on projects.

        :raises Exception: of any kind when the text is no domain
        """
        self.ensure_one()
        try:
            domain = literal_eval(self.domain)
        except (SyntaxError, ValueError):
            domain = None  # the parser's own message speaks of Python
        if not isinstance(domain, list):
            raise ValueError(
                self.env._("it must be a list of conditions with fixed values.")
            )
        return Domain(domain)

    @ormcache("self.domain")
    def _get_optimized_domain(self):
        """Return :meth:`_get_domain` as the ORM prepares it, which takes its time."""
        return self._get_domain().optimize(self.env["project.project"])

    def _evaluate(self, projects):
        """Split projects by this criterion, in one batch.

        :param projects: projects, sudo: a gate says the same to everybody, whatever
            they may read
        :return: the projects that meet the criterion, and False or the sentence that
            tells why it cannot be evaluated (then no project meets it)
        """
        self.ensure_one()
        try:
            return projects.filtered_domain(self._get_domain()), False
        except psycopg2.Error:
            raise  # the transaction is lost: Odoo retries or reports it
        except Exception as error:
            _logger.info(
                "Gate criterion %s cannot be evaluated", self.id, exc_info=True
            )
            return projects.browse(), self.env._(
                "The condition of this criterion no longer works (%(reason)s): ask a "
                "manager to correct it in the configuration.",
                reason=error,
            )

    @api.model
    def _get_unmet(self, gates):
        """Evaluate the gates of projects, in one batch.

        :param gates: dict from project (sudo: a gate says the same to everybody,
            whatever they may read) to its criteria
        :return: dict from project to the criteria that it does not meet, in their
            order, and dict from the id of a criterion that cannot be evaluated to the
            sentence that says why
        """
        projects = self.env["project.project"].sudo().concat(*gates)
        guarded = defaultdict(list)
        for project, gate in gates.items():
            for criterion in gate:
                guarded[criterion].append(project.id)
        # with_prefetch: what conditions read is read once for all
        guarded = {
            criterion: projects.browse(ids).with_prefetch(projects._prefetch_ids)
            for criterion, ids in guarded.items()
        }
        obstacles = {}
        met_ids = self._search_met(guarded)
        missing = defaultdict(set)
        for criterion, candidates in guarded.items():
            if criterion.id in met_ids:
                met = set(met_ids[criterion.id])
            else:
                found, obstacle = criterion._evaluate(candidates)
                met = set(found._ids)
                if obstacle:
                    obstacles[criterion.id] = obstacle
            for project_id in candidates._ids:
                if project_id not in met:
                    missing[project_id].add(criterion.id)
        unmet = {
            project: gate.filtered(lambda c, ids=missing[project.id]: c.id in ids)
            if project.id in missing
            else self.browse()
            for project, gate in gates.items()
        }
        return unmet, obstacles

    @api.model
    def _search_met(self, guarded):
        """Ask the database about all criteria at once, where it can tell.

        One query instead of two for each relation that a condition goes through.

        :param guarded: dict from criterion to the projects to look at
        :return: dict from the id of a criterion to the ids of the projects that meet
            it; without the criteria that only Python can evaluate
        """
        Project = self.env["project.project"].sudo()
        conditions = {}
        for criterion, projects in guarded.items():
            if not all(projects._ids):  # not saved yet
                continue
            try:
                query = Project._search(
                    criterion._get_optimized_domain(), active_test=False
                )
            except psycopg2.Error:
                raise
            except Exception:  # not searchable, or broken: _evaluate finds out
                _logger.debug("Gate criterion %s is no search", criterion.id)
                continue
            condition = query.where_clause or SQL("TRUE")
            if query._joins:
                project_id = SQL.identifier(query.table, "id")
                condition = SQL("%s IN %s", project_id, query.subselect())
            conditions[criterion] = condition
        if not conditions:
            return {}
        projects = Project.union(*(guarded[criterion] for criterion in conditions))
        query = Project._search([("id", "in", projects.ids)], active_test=False)
        answers = query.select(
            SQL.identifier(query.table, "id"),
            *(SQL("(%s)", condition) for condition in conditions.values()),
        )
        self.env.flush_query(answers)
        try:
            with self.env.cr.savepoint(flush=False):
                self.env.cr.execute(answers, log_exceptions=False)
                rows = self.env.cr.fetchall()
        except (psycopg2.DataError, psycopg2.ProgrammingError):
            return {}  # one of them compares what cannot be compared
        met = {criterion.id: [] for criterion in conditions}
        for project_id, *answers in rows:
            for ids, is_met in zip(met.values(), answers, strict=True):
                if is_met:
                    ids.append(project_id)
        return met

    def _guard(self, stages, former):
        """Return those of the criteria that guard a step.

        :param stages: the stages that a project enters
        :param former: the stages that it leaves
        """
        return self.filtered(
            lambda criterion: criterion.stage_id in stages
            and (not criterion.from_stage_id or criterion.from_stage_id in former)
        )
