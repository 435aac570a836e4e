from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..lifecycle.project_lock import is_manager
from ..lifecycle.words import says_something

# The two large steps of an implementation, see `methodology.md` 3.
WAVES = [("mvp", "MVP"), ("improvement", "Improvements")]


class ProjectScopeLine(models.Model):
    _name = "project.scope.line"
    _description = "Scope Line"
    _inherit = ["project.part.mixin"]
    _order = "project_id, wave desc, sequence, id"
    _rec_name = "application_id"

    sequence = fields.Integer(default=10, export_string_translation=False)
    application_id = fields.Many2one(
        "project.application", required=True, index=True, ondelete="restrict"
    )
    reason = fields.Text(
        help="Why the client took this application. Without its reason an application "
        "does not go into the implementation.",
    )
    wave = fields.Selection(
        WAVES,
        required=True,
        default="mvp",
        help="The MVP brings what the client cannot work without. Improvements come "
        "after its go-live.",
    )
    sold_otherwise = fields.Boolean(
        string="Sold without an Order",
        copy=False,
        help="The salesperson says that the client has this application, although no "
        "confirmed order of the project names it.",
    )
    is_sold = fields.Boolean(
        string="Sold",
        compute="_compute_is_sold",
        compute_sudo=True,
        search="_search_is_sold",
        help="A confirmed order of the project sells the application, or the "
        "salesperson says that it was sold in another way.",
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
        help="What the client expects to get. What the standard cannot meet is said "
        "in the kick-off.",
    )

    _project_application_uniq = models.UniqueIndex(
        "(project_id, application_id)",
        "Each application is in the scope of a project once: complete its line.",
    )

    @api.depends("application_id", "project_id", "sold_otherwise")
    def _compute_is_sold(self):
        sold = self.project_id._get_sold_applications()
        for line in self:
            line.is_sold = line.sold_otherwise or (
                line.application_id in sold.get(line.project_id.id, ())
            )

    @api.model
    def _search_is_sold(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: what was sold is asked, and not what else the orders say
        lines = self.sudo().search([])  # pylint: disable=no-search-all
        sold = Domain("id", "in", lines.filtered("is_sold").ids)
        return Domain.OR(sold if is_sold else ~sold for is_sold in value)

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create([self._strip_reason(vals) for vals in vals_list])
        lines.filtered("sold_otherwise")._check_may_say_sold()
        lines.project_id._update_findings()
        return lines

    def write(self, vals):
        if "sold_otherwise" in vals:
            self._check_may_say_sold()
        replaced = self.browse()
        if "application_id" in vals and "sold_otherwise" not in vals:
            replaced = self.filtered(
                lambda line: line.sold_otherwise
                and line.application_id.id != vals["application_id"]
            )
        result = super().write(self._strip_reason(vals))
        # What was said about one application was not said about another.
        # sudo: only the salesperson says what was sold
        replaced.sudo().sold_otherwise = False
        if vals.keys() & {
            "application_id",
            "customisation_wanted",
            "required_application_ids",
            "sold_otherwise",
        }:
            self.project_id._update_findings()
        return result

    def unlink(self):
        projects = self.project_id
        result = super().unlink()
        projects._update_findings()
        return result

    def _check_may_say_sold(self):
        """Check that who sells says what was sold.

        :raises AccessError: for anybody but the salesperson and project managers
        """
        # sudo: who sells may be known
        if not is_manager(self.env) and any(
            project.salesperson_id != self.env.user
            for project in self.sudo().project_id
        ):
            raise AccessError(
                self.env._(
                    "What was sold without an order is said by the salesperson of the "
                    "project or a project manager."
                )
            )

    @api.model
    def _strip_reason(self, vals):
        """Return the values without a reason that says nothing."""
        if isinstance(vals.get("reason"), str):
            reason = vals["reason"].strip()
            return vals | {"reason": reason if says_something(reason) else ""}
        return vals
