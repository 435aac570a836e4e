from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list


class ProjectFlowCycle(models.Model):
    _inherit = "project.flow.cycle"

    scenario_run_ids = fields.One2many(
        "project.scenario.run",
        "cycle_id",
        string="Tries",
        readonly=True,
        help="How the scenarios went in this cycle.",
    )
    validated_scenarios = fields.Text(
        readonly=True,
        prefetch=False,
        help="The scenarios as they were when the SPOC validated the flow.",
    )

    def _check_decision(self, result, spoc):
        """Validate only what was tried.

        See :meth:`~.ProjectFlowCycle._check_decision`.

        :raises UserError: with the scenarios that nobody passed in this cycle
        """
        checked = super()._check_decision(result, spoc)
        if result == "validated" and (missing := self.flow_id._get_open_scenarios()):
            raise UserError(
                self.env._(
                    "These scenarios are not passed in this cycle yet: %s. Try "
                    "them again, or send the flow back with feedback.",
                    format_list(self.env, missing.mapped("name")),
                )
            )
        return checked

    def _prepare_snapshot(self):
        return super()._prepare_snapshot() | {
            "validated_scenarios": self.flow_id._get_scenario_texts()
        }

    def _get_validated_runs(self):
        """Return the tries with which the scenarios of this cycle were passed."""
        self.ensure_one()
        last = {run.scenario_id: run for run in self.scenario_run_ids.sorted("id")}
        runs = self.scenario_run_ids.browse()
        return runs.concat(*last.values()).filtered(lambda run: run.result == "passed")
