from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ProjectScopeLine(models.Model):
    _name = "project.scope.line"
    _description = "Scope Line"
    _order = "project_id, wave desc, sequence, id"
    _rec_name = "application_id"
    _check_company_auto = True

    sequence = fields.Integer(default=10, export_string_translation=False)
    project_id = fields.Many2one(
        "project.project",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
        domain="[('is_lifecycle', '=', True)]",
    )
    company_id = fields.Many2one(
        related="project_id.company_id", store=True, index="btree_not_null"
    )
    application_id = fields.Many2one(
        "project.application", required=True, index=True, ondelete="restrict"
    )
    reason = fields.Text(
        help="Why the client took this application. Without its reason an application "
        "does not go into the implementation.",
    )
    wave = fields.Selection(
        [("mvp", "MVP"), ("improvement", "Improvement")],
        required=True,
        default="mvp",
        help="The MVP brings what the client cannot work without. Improvements come "
        "after its go-live.",
    )
    customisation_wanted = fields.Boolean(
        string="Customisation",
        help="The client expects something here that the standard does not do.",
    )
    required_application_ids = fields.Many2many(
        "project.application",
        "project_scope_line_requirement_rel",
        "scope_line_id",
        "application_id",
        string="Also Needed",
        help="Other applications that the client's need takes, whether they were sold "
        "or not.",
    )
    as_is = fields.Text(
        string="AS-IS", help="How the client works today, with its limits."
    )
    to_be = fields.Text(string="TO-BE", help="How the client is going to work.")
    expectations = fields.Text(
        help="What the client believes to get. What the standard cannot meet is said "
        "in the kick-off.",
    )

    _project_application_uniq = models.UniqueIndex(
        "(project_id, application_id)",
        "Each application is in the scope of a project once: complete its line.",
    )

    @api.constrains("project_id")
    def _check_project(self):
        for line in self:
            if not line.project_id.is_lifecycle:
                raise ValidationError(
                    self.env._(
                        "%s is no client implementation project: only those have a "
                        "scope of applications.",
                        line.project_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create([self._strip_reason(vals) for vals in vals_list])
        lines.project_id._update_findings()
        return lines

    def write(self, vals):
        projects = self.project_id
        result = super().write(self._strip_reason(vals))
        if "project_id" in vals:
            self.check_access("write")  # nothing goes to the projects of others
        if vals.keys() & {
            "project_id",
            "application_id",
            "customisation_wanted",
            "required_application_ids",
        }:
            (projects | self.project_id)._update_findings()
        return result

    def unlink(self):
        projects = self.project_id
        result = super().unlink()
        projects._update_findings()
        return result

    @api.model
    def _strip_reason(self, vals):
        """Return the values without a reason that is made of blanks only."""
        if isinstance(vals.get("reason"), str):
            return vals | {"reason": vals["reason"].strip()}
        return vals
