from odoo import api, fields, models
from odoo.exceptions import ValidationError

RESPONSIBLES = [
    ("consultant", "Consultant"),
    ("salesperson", "Salesperson"),
    ("spoc", "SPOC"),
]


class ProjectChecklistTemplate(models.Model):
    _name = "project.checklist.template"
    _description = "Checklist Template"
    _order = "kind, sequence, id"

    name = fields.Char(required=True, translate=True)
    kind = fields.Selection(
        [("internal_kickoff", "Internal kick-off"), ("kickoff", "Kick-off")],
        required=True,
        index=True,
        help="The checklist is made when a project enters this stage.",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        index="btree_not_null",
        help="Empty: for the companies that have no template of their own.",
    )
    item_ids = fields.One2many(
        "project.checklist.template.item", "template_id", string="Points", copy=True
    )
    item_count = fields.Integer(
        string="Number of Points", compute="_compute_item_count"
    )

    @api.depends("item_ids")
    def _compute_item_count(self):
        for template in self:
            template.item_count = len(template.item_ids)

    @api.model
    def _get_templates(self, kinds, companies):
        """Return the template with points of each kind and company.

        A template of the company comes before one of all companies.

        :param kinds: kinds of checklists
        :param companies: the companies of projects
        :return: dict from (kind, company) to template, missing where there is none
        """
        templates = self.search(
            [
                ("kind", "in", list(kinds)),
                ("company_id", "in", [*companies.ids, False]),
                ("item_ids", "!=", False),
            ]
        )
        result = {}
        for company in [*companies, companies.browse()]:
            for template in templates.filtered(
                lambda template, company=company: (
                    template.company_id in (company, company.browse())
                )
            ).sorted(lambda template: not template.company_id):
                result.setdefault((template.kind, company), template)
        return result


class ProjectChecklistTemplateItem(models.Model):
    _name = "project.checklist.template.item"
    _description = "Point of a Checklist Template"
    _order = "sequence, id"

    template_id = fields.Many2one(
        "project.checklist.template", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    section = fields.Char(required=True, translate=True)
    name = fields.Char(string="Point", required=True, translate=True)
    explanation = fields.Text(
        translate=True, help="Why the point matters, for a consultant who is new to it."
    )
    responsible = fields.Selection(RESPONSIBLES, required=True, default="consultant")
    is_mandatory = fields.Boolean(string="Mandatory", default=True)
    is_blocking_if_refused = fields.Boolean(
        string="Blocking if Refused",
        help="The project cannot go on when the client refuses this point.",
    )
    needs_answer = fields.Boolean(
        help="The point is a question: it is settled once its answer is written down.",
    )
    is_client_visible = fields.Boolean(
        string="Visible to the Client",
        help="The point is on the agenda and in the agreement with the client.",
    )
    code = fields.Char(help="What rules know the point by.")

    @api.constrains("name", "section")
    def _check_not_blank(self):
        for item in self:
            if not (item.name or "").strip() or not (item.section or "").strip():
                raise ValidationError(
                    self.env._("A point of a checklist needs a text and a section.")
                )
