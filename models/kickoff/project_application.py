from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class ProjectApplication(models.Model):
    _name = "project.application"
    _description = "Application"
    _order = "sequence, name, id"

    active = fields.Boolean(default=True, export_string_translation=False)
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10, export_string_translation=False)
    technical_name = fields.Char(
        help="Name of the module that brings it, such as “sale_management”.",
    )
    standard_hours = fields.Float(
        help="Hours that it takes to implement the application in the standard way, "
        "without the kick-off. The approach of the project multiplies them. At zero "
        "the effort of a project with this application cannot be reckoned.",
    )
    is_main = fields.Boolean(
        string="Main Application",
        help="A project with all the main applications has the full scope.",
    )
    allows_customisation = fields.Boolean(
        help="Customisations need an application like this one in the scope, such as "
        "Studio.",
    )
    required_application_ids = fields.Many2many(
        "project.application",
        "project_application_requirement_rel",
        "application_id",
        "required_application_id",
        string="Needs",
        help="Applications that this one does not work without.",
    )

    _standard_hours_positive = models.Constraint(
        "CHECK (standard_hours >= 0)",
        "The standard hours of an application cannot be negative.",
    )
    _technical_name_uniq = models.UniqueIndex(
        "(technical_name) WHERE technical_name IS NOT NULL",
        "There is an application for this module already.",
    )

    @api.constrains("required_application_ids")
    def _check_required_applications(self):
        for application in self:
            if application in application.required_application_ids:
                raise ValidationError(
                    self.env._(
                        "%s cannot need itself. Choose the other applications that it "
                        "does not work without.",
                        application.name,
                    )
                )

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {
            "standard_hours",
            "is_main",
            "allows_customisation",
            "required_application_ids",
        }:
            self._get_projects()._update_findings()
        return result

    def _get_projects(self):
        """Return the projects (sudo) whose findings depend on these applications.

        Those with one of them in their scope, or needed by something there; and those
        with a wish for customisation, which any of them may allow.
        """
        # sudo: the catalogue is the same for all projects, whoever changes it
        Line = self.env["project.scope.line"].sudo()
        return Line.search(
            Domain("application_id", "in", self.ids)
            | Domain("application_id.required_application_ids", "in", self.ids)
            | Domain("required_application_ids", "in", self.ids)
            | Domain("customisation_wanted", "=", True)
        ).project_id
