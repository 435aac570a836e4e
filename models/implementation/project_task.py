from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.sql import column_exists, create_column

from ..lifecycle.project_values import clean_values
from .project_project_copy import PhaseCopies


class ProjectTask(models.Model):
    _inherit = "project.task"

    phase_id = fields.Many2one(
        "project.phase",
        compute="_compute_phase_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        tracking=True,
        domain="[('project_id', '=', project_id)]",
    )
    flow_id = fields.Many2one(
        "project.flow",
        string="Business Flow",
        compute="_compute_flow_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        tracking=True,
        domain="[('project_id', '=', project_id), ('phase_id', '=?', phase_id)]",
    )
    is_client_task = fields.Boolean(
        string="For the Client",
        tracking=True,
        help="The client does it, like cleaning its data. Time that the firm logs on "
        "it is deducted as all time.",
    )

    def _auto_init(self):
        # No phases yet at the installation: nothing to compute for all the old tasks
        for name in ("phase_id", "flow_id"):
            if not column_exists(self.env.cr, self._table, name):
                create_column(self.env.cr, self._table, name, "int4")
        return super()._auto_init()

    @api.depends("project_id", "parent_id")
    def _compute_flow_id(self):
        for task in self:
            flow = task.flow_id or task.parent_id.flow_id
            task.flow_id = flow.project_id == task.project_id and flow

    @api.depends("project_id", "parent_id", "flow_id.phase_id")
    def _compute_phase_id(self):
        """Propose the phase of the flow, of the parent or of the project right now.

        A closed task stays in the phase in which it was done.
        """
        current = self.project_id._get_current_phases()
        for task in self:
            if task.phase_id.project_id == task.project_id and task.is_closed:
                continue
            phase = task.flow_id.phase_id or (
                task.phase_id if task.phase_id.project_id == task.project_id else False
            )
            if not phase and task.parent_id.phase_id.project_id == task.project_id:
                phase = task.parent_id.phase_id
            task.phase_id = phase or current.get(task.project_id, False)

    @api.depends("phase_id")
    def _compute_milestone_id(self):
        # The tasks of a phase are those of its milestone.
        result = super()._compute_milestone_id()
        for task in self:
            milestone = task.phase_id.milestone_id
            if milestone and (
                not task.milestone_id or task.milestone_id.sudo().phase_ids
            ):
                task.milestone_id = milestone
        return result

    # Not on project_id: a change of the project computes both anew.
    @api.constrains("flow_id")
    def _check_flow(self):
        self._check_part("flow_id")

    @api.constrains("phase_id")
    def _check_phase(self):
        self._check_part("phase_id")
        for task in self.sudo():  # portal users write tasks and see no phases
            phase = task.flow_id.phase_id
            if phase and task.phase_id and task.phase_id != phase:
                if task.is_closed or task.flow_id.project_id != task.project_id:
                    continue
                raise ValidationError(
                    self.env._(
                        "The flow %(flow)s is in the phase %(phase)s: the task "
                        "%(task)s cannot be in another one.",
                        flow=task.flow_id.name,
                        phase=phase.name,
                        task=task.name,
                    )
                )

    def _check_part(self, name):
        """Check that the phase or the flow of tasks is one of their project.

        :param str name: the field to check
        """
        for task in self.sudo():  # portal users write tasks and see no phases
            part = task[name]
            if part and part.project_id != task.project_id:
                raise ValidationError(
                    self.env._(
                        "%(part)s belongs to %(other)s and the task %(task)s does "
                        "not. Choose a phase and a flow of the task's project.",
                        part=part.name,
                        other=part.project_id.name,
                        task=task.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([clean_values(self, vals) for vals in vals_list])

    def write(self, vals):
        vals = clean_values(self, vals)
        moved = {"phase_id", "flow_id"} & vals.keys()
        # Open sub-tasks go along when they were where their parent was.
        subtasks = (
            self.child_ids.filtered(
                lambda task: not task.is_closed
                and all(task[name] == task.parent_id[name] for name in moved)
            )
            - self
            if moved
            else self.browse()
        )
        result = super().write(vals)
        if subtasks:
            subtasks.write({name: vals[name] for name in moved})
        if vals.get("state") == "1_done":
            self._note_cleaned_data()
        return result

    def _note_cleaned_data(self):
        """Note that the client has cleaned the data for which these tasks were."""
        # sudo: the client closes the task in the portal and sees no data imports
        imports = (
            self.env["project.data.import"]
            .sudo()
            .search([("cleaning_task_id", "in", self.ids), ("cleaned_on", "=", False)])
        )
        if imports:
            imports.cleaned_on = fields.Date.context_today(self)

    def copy(self, default=None):
        copies = PhaseCopies.of(self.env)
        if copies:
            self = self.filtered(lambda task: task.id not in copies.left_out)
        return super().copy(default)

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        if copies := PhaseCopies.of(self.env):
            for task, vals in zip(self, vals_list, strict=True):
                copies.fill_task(task, vals, default or {})
        return vals_list
