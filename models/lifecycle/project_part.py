from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class ProjectPartMixin(models.AbstractModel):
    """What belongs to one client project, and stays there."""

    _name = "project.part.mixin"
    _description = "Part of a Client Project"
    _inherit = ["project.lock.mixin"]
    _check_company_auto = True

    project_id = fields.Many2one(
        "project.project",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
        domain="[('is_lifecycle', '=', True)]",
    )
    company_id = fields.Many2one(related="project_id.company_id")
    partner_id = fields.Many2one(related="project_id.partner_id", string="Client")

    @api.constrains("project_id")
    def _check_client_project(self):
        for project in self.project_id.sudo():  # sudo: what kind it is may be known
            if not project.is_lifecycle:
                raise ValidationError(
                    self.env._(
                        "%(project)s is not a client project: it cannot have this "
                        "(%(model)s). Choose a client project.",
                        project=project.name,
                        model=self.env["ir.model"]._get(self._name).name,
                    )
                )

    def write(self, vals):
        if "project_id" in vals:
            for part in self.sudo():  # sudo: where it is may be known
                if part.project_id and part.project_id.id != vals["project_id"]:
                    raise UserError(
                        self.env._(
                            "“%(part)s” stays in %(project)s. Create another one in "
                            "the other project.",
                            part=part.display_name,
                            project=part.project_id.name,
                        )
                    )
        return super().write(vals)
