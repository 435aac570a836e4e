from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class ProjectScopeLine(models.Model):
    _inherit = "project.scope.line"

    phase_id = fields.Many2one(
        "project.phase",
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        copy=False,
        domain="[('project_id', '=', project_id), ('wave', '=', wave)]",
        help="The phase that brings this application.",
    )

    @api.constrains("phase_id", "project_id")
    def _check_phase(self):
        for line in self:
            if line.phase_id and line.phase_id.project_id != line.project_id:
                raise ValidationError(
                    self.env._(
                        "%(phase)s is a phase of %(other)s: it cannot bring what is in "
                        "the scope of %(project)s.",
                        phase=line.phase_id.name,
                        other=line.phase_id.project_id.name,
                        project=line.project_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._check_phase_open(lines.phase_id)
        return lines

    def write(self, vals):
        if "phase_id" in vals:
            moved = self.filtered(lambda line: line.phase_id.id != vals["phase_id"])
            moved._check_phase_open(moved.phase_id)
            result = super().write(vals)
            moved._check_phase_open(moved.phase_id)
            return result
        return super().write(vals)

    def _check_phase_open(self, phases):
        """Check that scope neither joins nor leaves a phase that is complete.

        :raises UserError: that names the phase
        """
        # sudo: what state it is in may be known
        for phase in phases.sudo():
            if phase.state == "complete":
                raise UserError(
                    self.env._(
                        "%(phase)s is complete: the client agreed on what it brought, "
                        "and that stays. Choose another phase.",
                        phase=phase.name,
                    )
                )
