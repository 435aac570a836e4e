from odoo import api, fields, models
from odoo.exceptions import UserError

from ..lifecycle.project_lock import is_unlocked


class ProjectMilestone(models.Model):
    _inherit = "project.milestone"

    phase_ids = fields.One2many(
        "project.phase",
        "milestone_id",
        groups="base.group_user",
        export_string_translation=False,
        help="The phase whose go-live this milestone is, if any.",
    )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_phase(self):
        phases = self.sudo().phase_ids  # sudo: whether there is one may be known
        if phases:
            raise UserError(
                self.env._(
                    "The milestone %(milestone)s is the go-live of a phase: delete the "
                    "phase instead.",
                    milestone=phases[0].milestone_id.name,
                )
            )

    def write(self, vals):
        if is_unlocked(self.env):
            return super().write(vals)
        followed = {"name", "deadline", "is_reached", "project_id"} & vals.keys()
        # sudo: only to know whether there is a phase; the phase checks the rights
        phase_ids = self.sudo().phase_ids.ids if followed else []
        if not phase_ids:
            return super().write(vals)
        phases = self.env["project.phase"].browse(phase_ids)
        if "project_id" in vals and any(
            phase.project_id.id != vals["project_id"] for phase in phases
        ):
            raise UserError(
                self.env._(
                    "The milestone of a phase stays in the project of its phase."
                )
            )
        if "is_reached" in vals:
            phases._follow_milestone(bool(vals["is_reached"]))
        followed_values = {}
        if "name" in vals:
            followed_values["name"] = vals["name"]
        if "deadline" in vals:
            followed_values["date_go_live"] = vals["deadline"]
        result = super().write(vals)
        if followed_values:
            phases.write(followed_values)
        return result
