import math

from odoo import api, fields, models
from odoo.api import NewId
from odoo.exceptions import UserError, ValidationError

# Larger figures than any project has; beyond, databases and pictures give up.
LARGEST = {"float": 1e9, "monetary": 1e15, "integer": 2**31 - 1}


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

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_values(vals)
        return super().create(vals_list)

    @api.model
    def _check_values(self, vals):
        """Check what no form sends: words for figures, days that do not exist.

        :raises UserError: that names the field
        """
        for name, value in vals.items():
            field = self._fields.get(name)
            if field and value and not self._is_valid(field, value):
                raise UserError(
                    self.env._(
                        "“%(value)s” is not a valid value for “%(field)s”.",
                        value=str(value)[:80],
                        field=field._description_string(self.env),
                    )
                )

    @api.model
    def _is_valid(self, field, value):
        """Return whether a value can be stored in a field at all."""
        try:
            if field.type in LARGEST:
                number = float(value)
                return math.isfinite(number) and abs(number) <= LARGEST[field.type]
            if field.type == "date":
                return bool(fields.Date.to_date(value))
            if field.type == "datetime":
                return bool(fields.Datetime.to_datetime(value))
        except (TypeError, ValueError, OverflowError):
            return False
        if field.type == "selection":
            return value in field.get_values(self.env)
        if field.type == "many2one":
            if isinstance(value, int):
                return 0 < value <= LARGEST["integer"]
            return isinstance(value, models.BaseModel | NewId | tuple)
        return True

    def write(self, vals):
        self._check_values(vals)
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
