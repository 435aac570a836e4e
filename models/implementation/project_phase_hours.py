from odoo import api, fields, models


class ProjectPhase(models.Model):
    _inherit = "project.phase"

    timesheet_ids = fields.One2many(
        "account.analytic.line", "phase_id", export_string_translation=False
    )
    planned_hours = fields.Float(
        tracking=True, help="Hours that the phase should take, all work included."
    )
    spent_hours = fields.Float(
        compute="_compute_hours",
        compute_sudo=True,  # the sum is for all who see the phase, its lines are not
        help="All hours logged on the phase by everybody, deducted from a pack or not.",
    )
    deducted_hours = fields.Float(
        compute="_compute_hours",
        compute_sudo=True,
        help="Those of the hours spent that are deducted from the packs of the client.",
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

    _planned_hours_positive = models.Constraint(
        "CHECK (planned_hours >= 0)",
        "The planned hours of a phase cannot be negative.",
    )

    @api.depends(
        "planned_hours",
        "timesheet_ids.unit_amount",
        "timesheet_ids.product_uom_id",
        "timesheet_ids.work_type_id",
        "timesheet_ids.is_deducted",
    )
    def _compute_hours(self):
        by_phase = {phase_id: {} for phase_id in self.ids}
        deducted = dict.fromkeys(self.ids, 0.0)
        groups = self.env["account.analytic.line"]._read_hours(
            "phase_id", self.ids, "work_type_id", "is_deducted"
        )
        for (phase, work_type, is_deducted), hours in groups.items():
            by_type = by_phase[phase.id]
            deducted[phase.id] += hours if is_deducted else 0.0
            by_type[work_type] = by_type.get(work_type, 0.0) + hours
        for phase in self:
            by_type = by_phase.get(phase._origin.id, {})
            spent = sum(by_type.values())
            phase.spent_hours = spent
            phase.deducted_hours = deducted.get(phase._origin.id, 0.0)
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
                for work_type, hours in sorted(
                    by_type.items(), key=lambda group: (-group[1], group[0].id)
                )
            ]
