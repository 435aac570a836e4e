from odoo import api, models
from odoo.fields import Command


class ProductTemplate(models.Model):
    _inherit = "product.template"

    @api.model
    def _set_implementation_template(self, companies=None):
        """Give the shipped Implementation product its project template.

        The template of a product is kept per company, so that a data file would set
        it for one company only. What a company chose itself stays.

        :param companies: the companies to set it for; all of them by default
        """
        product = self.env.ref(
            "project_lifecycle.product_template_implementation",
            raise_if_not_found=False,
        )
        template = self.env.ref(
            "project_lifecycle.project_template_implementation",
            raise_if_not_found=False,
        )
        if not product or not template:
            return
        if companies is None:
            # There are few companies, and all of them need it.
            companies = self.env["res.company"].search([])  # pylint: disable=no-search-all
        for company in companies:
            product_in_company = product.with_company(company)
            if not product_in_company.project_template_id:
                product_in_company.project_template_id = template

    @api.model
    def _load_first_tasks(self):
        """Put the first tasks into the shipped project template.

        Odoo does not translate the texts of tasks, so they are written in the language
        of the firm, or else of the person who installs the addon.
        """
        lang = self.env.company.partner_id.lang or self.env.user.lang
        env = self.with_context(lang=lang).env
        tasks = {
            "task_internal_kickoff": (
                env._("Internal kick-off"),
                env._(
                    "A short call between salesperson and consultant before anyone "
                    "talks to the client: note what was sold and mark what must be "
                    "cleared up."
                ),
            ),
            "task_kickoff": (
                env._("Kick-off with the client"),
                env._(
                    "Agree on the methodology and the ways of working, and understand "
                    "the current and the desired situation of each business flow. "
                    "About 10 % of the implementation time."
                ),
            ),
            "task_project_management": (
                env._("Project management"),
                env._(
                    "Log all the less visible work here too: planning, questions to "
                    "experts, preparation and follow-up."
                ),
            ),
            "task_mvp_planning": (
                env._("Plan the phases of the MVP"),
                env._(
                    "The first phase brings the apps with most daily value. Standard "
                    "and critical needs come first, improvements later."
                ),
            ),
        }
        env["project.task"]._load_records(
            [
                {
                    "xml_id": f"project_lifecycle.{name}",
                    "noupdate": True,
                    "values": {
                        "name": title,
                        "description": description,
                        "project_id": env.ref(
                            "project_lifecycle.project_template_implementation"
                        ).id,
                        "stage_id": env.ref("project_lifecycle.task_type_to_do").id,
                        "user_ids": [Command.clear()],
                        "sequence": sequence,
                    },
                }
                for sequence, (name, (title, description)) in enumerate(
                    tasks.items(), start=1
                )
            ]
        )
