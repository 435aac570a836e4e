from odoo import fields, models

from ..lifecycle.project_lock import unlocked


class ProjectFlow(models.Model):
    _inherit = "project.flow"

    scenario_ids = fields.One2many(
        "project.scenario", "flow_id", string="Scenarios", copy=True
    )

    def _get_open_scenarios(self):
        """Return the scenarios that nobody passed in the current cycles."""
        return self.scenario_ids.filtered(lambda scenario: scenario.state != "passed")

    def action_propose_scenarios(self):
        """Add the scenarios that the applications of the flows suggest.

        What a project has already is not proposed again.
        """
        self.check_access("write")
        templates = self.env["project.scenario.template"].search(
            [("application_id", "in", self.application_ids.ids)]
        )
        used = {}
        for scenario in (
            self.env["project.scenario"]
            .with_context(active_test=False)
            .search_fetch(
                [
                    ("project_id", "in", self.project_id.ids),
                    ("template_id", "in", templates.ids),
                ],
                ["project_id", "template_id"],
            )
        ):
            used.setdefault(scenario.project_id, set()).add(scenario.template_id)
        values = []
        no_flow = self.env["project.flow.template"]
        for flow in self:
            known = used.setdefault(flow.project_id, set())
            for template in templates:
                if (
                    template not in known
                    and template.application_id in flow.application_ids
                    and template.flow_template_id in (no_flow, flow.template_id)
                ):
                    known.add(template)
                    values.append(flow._prepare_scenario_values(template))
        unlocked(self.env["project.scenario"]).create(values)
        return True

    def _prepare_scenario_values(self, template):
        """Return a scenario of this flow as its template says, for the client."""
        self.ensure_one()
        spoc = self.project_id.sudo().spoc_id  # sudo: only the language is read
        template = template.with_context(lang=spoc.lang or self.env.lang)
        return {
            "flow_id": self.id,
            "name": template.name,
            "expected_result": template.expected_result,
            "sequence": template.sequence,
            "template_id": template.id,
        }
