from odoo import api, fields, models
from odoo.tools import plaintext2html

from ..lifecycle.project_lock import unlocked


class ProjectFlow(models.Model):
    _inherit = "project.flow"

    scenario_ids = fields.One2many(
        "project.scenario", "flow_id", string="Scenarios", copy=True
    )

    @api.depends(
        "scenario_ids.active",
        "scenario_ids.name",
        "scenario_ids.expected_result",
        "current_cycle_id.validated_scenarios",
    )
    def _compute_is_changed(self):
        return super()._compute_is_changed()

    @api.depends(
        "scenario_ids.active",
        "scenario_ids.name",
        "scenario_ids.expected_result",
        "current_cycle_id.validated_scenarios",
    )
    def _compute_validation_changes(self):
        return super()._compute_validation_changes()

    def _get_scenario_texts(self):
        """Return the scenarios of the flow as one text."""
        self.ensure_one()
        # sudo: what is validated does not depend on who reads it. Archived ones are
        # read, too: the cache keeps what was archived just now. Not with "filtered",
        # which would read the scenarios of one flow at a time.
        scenarios = self.sudo().with_context(active_test=False).scenario_ids
        return "\n".join(
            sorted(
                f"{scenario.name}: {scenario.expected_result}"
                for scenario in scenarios
                if scenario.active
            )
        )

    def _get_changed_texts(self):
        changes = super()._get_changed_texts()
        cycle = self.current_cycle_id
        if cycle.result == "validated":
            validated, current = cycle.validated_scenarios, self._get_scenario_texts()
            if (validated or "") != current:
                label = self._fields["scenario_ids"]._description_string(self.env)
                changes[label] = tuple(map(plaintext2html, (validated or "", current)))
        return changes

    def action_restore_validated(self):
        for flow in self.filtered("is_changed"):
            runs = flow.current_cycle_id.sudo()._get_validated_runs()
            scenarios = flow.with_context(active_test=False).scenario_ids
            for run in runs:
                run.scenario_id.with_env(self.env).write(
                    {
                        "active": True,
                        "name": run.name,
                        "expected_result": run.expected_result,
                    }
                )
            added = scenarios.filtered("active") - runs.scenario_id.with_env(self.env)
            added.action_archive()
        return super().action_restore_validated()

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
