from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.lifecycle.project_lock import unlocked


class ProjectPhasePlanWizard(models.TransientModel):
    """Proposes business flows and tasks for a phase, from the scope it brings."""

    _name = "project.phase.plan.wizard"
    _description = "Plan a Phase from its Scope"

    phase_id = fields.Many2one(
        "project.phase", required=True, readonly=True, ondelete="cascade"
    )
    project_id = fields.Many2one(related="phase_id.project_id")
    wave = fields.Selection(related="phase_id.wave")
    scope_line_ids = fields.Many2many(
        "project.scope.line",
        string="Scope of the Phase",
        compute="_compute_scope_line_ids",
        store=True,
        readonly=False,
        domain="[('project_id', '=', project_id), ('wave', '=', wave), "
        "('phase_id', 'in', (False, phase_id))]",
    )
    line_ids = fields.One2many(
        "project.phase.plan.wizard.line",
        "wizard_id",
        string="Business Flows",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )

    @api.depends("phase_id")
    def _compute_scope_line_ids(self):
        for wizard in self:
            lines = wizard.phase_id.scope_line_ids
            if not lines:
                lines = lines.search(
                    [
                        ("project_id", "=", wizard.project_id.id),
                        ("wave", "=", wizard.wave),
                        ("phase_id", "=", False),
                    ]
                )
            wizard.scope_line_ids = lines

    @api.depends("scope_line_ids")
    def _compute_line_ids(self):
        every_flow = self.env["project.flow.template.task"].search(
            [("template_id", "=", False)]
        )
        for wizard in self:
            planned = wizard.project_id.flow_ids
            commands = [Command.clear()]
            for line in wizard.scope_line_ids:
                application = line.application_id
                templates = application.flow_template_ids - planned.template_id
                for template in templates:
                    commands.append(
                        Command.create(
                            {
                                "template_id": template.id,
                                "application_id": application.id,
                                "name": template.name,
                                "task_ids": [
                                    Command.set((every_flow | template.task_ids).ids)
                                ],
                            }
                        )
                    )
                if not (
                    application.flow_template_ids
                    or application in planned.application_ids
                ):
                    commands.append(
                        Command.create(
                            {
                                "application_id": application.id,
                                "name": application.name,
                                "task_ids": [Command.set(every_flow.ids)],
                            }
                        )
                    )
            wizard.line_ids = commands

    def action_plan(self):
        """Create the flows and tasks that were kept.

        :return: the flows of the phase
        :raises UserError: for a phase that is live already
        """
        self.ensure_one()
        phase = self.phase_id
        phase.check_access("write")
        if phase.state in ("live", "complete"):
            raise UserError(
                self.env._(
                    "%(phase)s is live: plan what is left in the next phase.",
                    phase=phase.name,
                )
            )
        self.scope_line_ids.phase_id = phase
        lines = self.line_ids
        flows = (
            unlocked(self.env["project.flow"])
            .create([line._prepare_flow_values() for line in lines])
            .with_env(self.env)
        )
        flows.action_propose_scenarios()
        self.env["project.task"].create(
            [
                values
                for line, flow in zip(lines, flows, strict=True)
                for values in line._prepare_task_values(flow)
            ]
        )
        if not phase.planned_hours:
            applications = phase.scope_line_ids.application_id
            phase.planned_hours = sum(applications.mapped("standard_hours"))
        return phase.action_view_flows()


class ProjectPhasePlanWizardLine(models.TransientModel):
    _name = "project.phase.plan.wizard.line"
    _description = "Business Flow Proposed for a Phase"

    wizard_id = fields.Many2one(
        "project.phase.plan.wizard", required=True, ondelete="cascade"
    )
    template_id = fields.Many2one("project.flow.template", ondelete="cascade")
    application_id = fields.Many2one("project.application", ondelete="cascade")
    name = fields.Char(string="Business Flow", required=True)
    task_ids = fields.Many2many("project.flow.template.task", string="Tasks")
    allocated_hours = fields.Float(string="Hours", compute="_compute_allocated_hours")

    @api.depends("task_ids.allocated_hours")
    def _compute_allocated_hours(self):
        for line in self:
            line.allocated_hours = sum(line.task_ids.mapped("allocated_hours"))

    def _prepare_flow_values(self):
        """Return a flow that starts from what the kick-off and the template say."""
        self.ensure_one()
        wizard = self.wizard_id
        scope = wizard.scope_line_ids.filtered(
            lambda line: line.application_id == self.application_id
        )[:1]
        template = self.template_id
        return {
            "name": self.name,
            "project_id": wizard.project_id.id,
            "phase_id": wizard.phase_id.id,
            "template_id": template.id,
            "application_ids": [Command.set(self.application_id.ids)],
            "as_is": scope.as_is,
            "to_be": scope.to_be or template.to_be,
            "requirements": template.requirements,
            "delicate_points": template.delicate_points,
        }

    def _prepare_task_values(self, flow):
        """Return the tasks of a flow, those of the client without an assignee."""
        self.ensure_one()
        return [
            {
                "name": f"{task.name}: {flow.name}",
                "project_id": flow.project_id.id,
                "phase_id": flow.phase_id.id,
                "flow_id": flow.id,
                "allocated_hours": task.allocated_hours,
                "work_type_id": task.work_type_id.id,
                "is_client_task": task.is_client_task,
                "user_ids": [
                    Command.set([] if task.is_client_task else flow.user_id.ids)
                ],
            }
            for task in self.task_ids
        ]
