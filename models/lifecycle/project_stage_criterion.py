import logging
from ast import literal_eval

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

_logger = logging.getLogger(__name__)


class ProjectStageCriterion(models.Model):
    _name = "project.stage.criterion"
    _description = "Stage Gate Criterion"
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
        help="A blocking criterion keeps the gate shut. A warning is only shown.",
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

    def _get_unmet(self, projects):
        """Evaluate each criterion on each project.

        :return: dict from each project to the criteria of ``self`` that it does not
            meet, in their order, and dict from the id of a criterion that cannot be
            evaluated to the sentence that says why
        """
        unmet = {project: self.browse() for project in projects}
        obstacles = {}
        for criterion in self:
            met, obstacle = criterion._evaluate(projects)
            if obstacle:
                obstacles[criterion.id] = obstacle
            for project in projects - met:
                unmet[project] += criterion
        return unmet, obstacles

    def _applies_from(self, stage):
        """Return the criteria that a project which leaves ``stage`` must meet."""
        return self.filtered(
            lambda criterion: not criterion.from_stage_id
            or criterion.from_stage_id == stage
        )
