from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ProjectPhasePartMixin(models.AbstractModel):
    """What may belong to a phase of a client project, and is never in another one's."""

    _name = "project.phase.part.mixin"
    _description = "Part of a Phase"
    _inherit = ["project.part.mixin"]

    project_id = fields.Many2one(
        compute="_compute_project_id", store=True, readonly=False, precompute=True
    )
    phase_id = fields.Many2one(
        "project.phase",
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        domain="[('project_id', '=?', project_id)]",
    )

    @api.depends("phase_id")
    def _compute_project_id(self):
        for part in self:
            part.project_id = part.project_id or part.phase_id.project_id

    @api.constrains("project_id", "phase_id")
    def _check_phase(self):
        self._check_same_project("phase_id")

    def _check_same_project(self, *names):
        """Check that what these parts name is of their own project.

        :param names: fields to records that have a ``project_id``
        :raises ValidationError: with the first one that is of another project
        """
        for part in self.sudo():  # sudo: where it is may be known
            for other in (part[name] for name in names):
                if other and other.project_id != part.project_id:
                    raise ValidationError(
                        self.env._(
                            "“%(other)s” belongs to %(other_project)s, and “%(part)s” "
                            "to %(project)s. Choose one of the same project.",
                            other=other.display_name,
                            other_project=other.project_id.name,
                            part=part.display_name,
                            project=part.project_id.name,
                        )
                    )
