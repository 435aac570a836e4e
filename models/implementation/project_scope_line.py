from odoo import api, fields, models
from odoo.exceptions import ValidationError


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
