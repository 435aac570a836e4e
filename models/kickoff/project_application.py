from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain


class ProjectApplication(models.Model):
    _name = "project.application"
    _description = "Application"
    _inherit = ["project.lock.mixin"]
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
        "the effort of a project with this application cannot be calculated.",
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

    # "Not a number" counts as more than any number
    _standard_hours_range = models.Constraint(
        "CHECK (standard_hours >= 0 AND standard_hours <= 10000)",
        "The standard hours of an application must be between 0 and 10,000.",
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
            "active",
            "allows_customisation",
            "is_main",
            "required_application_ids",
            "standard_hours",
        }:
            self.env["project.feasibility.change"]._note(self)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: scopes of other companies name it, too
        Line = self.env["project.scope.line"].sudo()
        line = Line.search([("application_id", "in", self.ids)], limit=1)
        if line:
            raise UserError(
                self.env._(
                    "“%(application)s” is in the scope of projects, such as "
                    "%(project)s. Archive it instead: it is then no longer offered.",
                    application=line.application_id.name,
                    project=line.project_id.name,
                )
            )

    @api.model
    def _get_project_domain(self, ids):
        """Return the domain of projects whose findings depend on applications.

        Those with one of them in their scope, or needed by something there; and those
        with a wish for customisation, which any of them may allow.

        :param ids: ids of applications
        """
        return Domain(
            "scope_line_ids",
            "any",
            Domain("application_id", "in", ids)
            | Domain("application_id.required_application_ids", "in", ids)
            | Domain("required_application_ids", "in", ids)
            | Domain("customisation_wanted", "=", True),
        )
