from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_list

from ..lifecycle.words import get_words

# What the SPOC validates of a scenario.
VALIDATED_FIELDS = {"active", "name", "expected_result"}


class ProjectScenario(models.Model):
    """A small use case that the client's people solve alone (methodology, section 4).

    The SPOC works the scenarios of a flow off in the validation of each of its cycles,
    as exhaustively as possible (section 3): what was passed in an earlier cycle is to
    be tried again.
    """

    _name = "project.scenario"
    _description = "Scenario"
    _inherit = ["project.part.mixin"]
    _order = "flow_id, sequence, id"

    active = fields.Boolean(default=True, export_string_translation=False)
    name = fields.Char(
        string="Task",
        required=True,
        help="What the user is asked to do alone, such as: give 10 % discount on a "
        "quotation.",
    )
    sequence = fields.Integer(default=10, export_string_translation=False)
    flow_id = fields.Many2one(
        "project.flow",
        string="Business Flow",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
    )
    project_id = fields.Many2one(
        related="flow_id.project_id", store=True, precompute=True
    )
    phase_id = fields.Many2one(related="flow_id.phase_id")
    expected_result = fields.Text(required=True, help="How the user knows it worked.")
    template_id = fields.Many2one(
        "project.scenario.template",
        string="Made From",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    run_ids = fields.One2many("project.scenario.run", "scenario_id", readonly=True)
    state = fields.Selection(
        [("to_try", "To Try"), ("passed", "Passed"), ("failed", "Failed")],
        compute="_compute_state",
        search="_search_state",
        help="How the last try in the current cycle of the flow went.",
    )
    is_in_validation = fields.Boolean(
        compute="_compute_is_in_validation", export_string_translation=False
    )

    @api.depends(
        "name", "expected_result", "run_ids.result", "flow_id.current_cycle_id"
    )
    def _compute_state(self):
        # sudo: how a scenario went is for all who see it
        runs = self.env["project.scenario.run"].sudo()
        last = {
            run.scenario_id.id: run
            for run in runs.search_fetch(
                Domain("scenario_id", "in", self.ids)
                & Domain("cycle_id", "in", self.flow_id.current_cycle_id.ids),
                ["scenario_id", "result", "name", "expected_result"],
                order="id",
            )
        }
        for scenario in self:
            run = last.get(scenario._origin.id)
            tried = run and (run.name, run.expected_result)
            is_same = tried == (scenario.name, scenario.expected_result)
            scenario.state = run.result if is_same else "to_try"

    @api.model
    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        tried = self._search_last_result(["passed", "failed"])
        domain = self._search_last_result([state for state in value if state])
        return (domain | ~tried) if "to_try" in value else domain

    @api.model
    def _search_last_result(self, results):
        """Return the domain of scenarios whose last try in this cycle went so."""
        self.env["project.scenario.run"].flush_model()
        self.env["project.flow"].flush_model(["current_cycle_id"])
        self.flush_model(["name", "expected_result"])
        query = SQL(
            """(
                SELECT last.scenario_id
                  FROM (
                        SELECT DISTINCT ON (run.scenario_id)
                               run.scenario_id, run.result,
                               run.name, run.expected_result
                          FROM project_scenario_run run
                          JOIN project_flow flow ON flow.current_cycle_id = run.cycle_id
                      ORDER BY run.scenario_id, run.id DESC
                       ) last
                  JOIN project_scenario scenario
                    ON scenario.id = last.scenario_id
                   AND scenario.name = last.name
                   AND scenario.expected_result = last.expected_result
                 WHERE last.result = ANY(%s)
            )""",
            list(results),
        )
        return Domain("id", "in", query)

    @api.depends("flow_id.step")
    def _compute_is_in_validation(self):
        for scenario in self:
            scenario.is_in_validation = scenario.flow_id.step == "validation"

    @api.model_create_multi
    def create(self, vals_list):
        scenarios = super().create(vals_list)
        scenarios.flow_id._check_not_live()
        scenarios.flow_id._reopen_phase()
        return scenarios

    def write(self, vals):
        changes = VALIDATED_FIELDS & vals.keys()
        if changes:
            self.flow_id._check_not_live()
        if "active" in vals and not vals["active"]:
            self._check_not_in_validation()
        if "flow_id" in vals:
            for scenario in self:
                if scenario.flow_id.id != vals["flow_id"]:
                    raise UserError(
                        self.env._(
                            "“%(scenario)s” stays in %(flow)s. Describe it again in "
                            "the other flow.",
                            scenario=scenario.name,
                            flow=scenario.flow_id.name,
                        )
                    )
        result = super().write(vals)
        if changes:
            self.flow_id._reopen_phase()
        return result

    def unlink(self):
        flows = self.flow_id
        result = super().unlink()
        flows.exists()._reopen_phase()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_tried(self):
        self.flow_id._check_not_live()
        self._check_not_in_validation()
        tried = self.sudo().run_ids.scenario_id  # sudo: the tries of everybody count
        if tried:
            raise UserError(
                self.env._(
                    "It was tried already, and how it went stays on record: %s. "
                    "Archive it instead of deleting it.",
                    format_list(self.env, tried.mapped("name")),
                )
            )

    def _check_not_in_validation(self):
        """Check that nothing is left out of what the SPOC is trying.

        :raises UserError: with the ways that are left
        """
        if found := self.filtered(lambda s: s.active and s.is_in_validation):
            raise UserError(
                self.env._(
                    "The SPOC is trying the scenarios of %(flow)s, and all of them "
                    "count: correct the text of “%(scenario)s”, or send the flow back "
                    "and leave the scenario out of the next cycle.",
                    flow=found[0].flow_id.name,
                    scenario=found[0].name,
                )
            )

    # Trying scenarios

    def _check_may_try(self):
        """Check that the user may say how scenarios went.

        It is the SPOC's work, or the consultant notes what the SPOC and the users did.

        :raises AccessError: for users who are neither the SPOC nor run the project
        """
        for scenario_sudo in self.sudo():  # sudo: the SPOC reads no internal records
            spoc = scenario_sudo.project_id.spoc_id
            if spoc and spoc == self.env.user.partner_id:
                continue
            if self.env.user.share:
                raise AccessError(
                    self.env._("Only the SPOC of the project tries its scenarios.")
                )
            scenario_sudo.flow_id.with_user(self.env.user).check_access("write")

    def _record_run(self, result, note=None, occasion="validation"):
        """Note how a try of each scenario went, by the current user and now.

        :param str result: ``passed`` or ``failed``
        :param str note: plain text; what went wrong, needed for a failed one
        :param str occasion: one of the occasions of ``project.scenario.run``
        :return: the runs (sudo)
        :raises AccessError: for users who are neither the SPOC nor run the project
        :raises UserError: without a note for a failed one, or at the wrong moment
        """
        self._check_may_try()
        Run = self.env["project.scenario.run"].sudo()  # written here and nowhere else
        if result not in dict(Run._fields["result"].selection):
            raise UserError(self.env._("A scenario is passed or failed."))
        note = get_words(note)
        if result == "failed" and not note:
            raise UserError(
                self.env._(
                    "Write down what went wrong: the next cycle of the flow starts "
                    "from it."
                )
            )
        self._check_moment(occasion)
        runs = Run.create(
            [
                {
                    "scenario_id": scenario.id,
                    "name": scenario.name,
                    "cycle_id": scenario.flow_id.current_cycle_id.id,
                    "occasion": occasion,
                    "result": result,
                    "note": note,
                    "expected_result": scenario.expected_result,
                    "partner_id": self.env.user.partner_id.id,
                    "date": fields.Datetime.now(),
                }
                for scenario in self.sudo()  # sudo: checked above
            ]
        )
        self.invalidate_recordset(["state", "run_ids"])
        return runs

    def _check_moment(self, occasion):
        """Check that scenarios are tried when it is their time.

        :param str occasion: why they are tried
        :raises UserError: with the first flow that is not there
        """
        if occasion != "validation":
            return
        labels = dict(self.env["project.flow"]._fields["step"].selection)
        # sudo: the SPOC reads no internal records
        flows = self.sudo().flow_id
        flows._check_not_set_aside()
        if archived := self.sudo().filtered(lambda scenario: not scenario.active):
            raise UserError(
                self.env._(
                    "“%s” is archived: restore it before it is tried.",
                    archived[0].name,
                )
            )
        for flow in flows:
            if flow.step != "validation":
                raise UserError(
                    self.env._(
                        "The scenarios of %(flow)s are tried in its validation, and it "
                        "is in “%(step)s” now.",
                        flow=flow.name,
                        step=labels[flow.step],
                    )
                )

    def action_pass(self):
        """Note that the scenarios came out as expected."""
        self._record_run("passed")
        return True

    def action_fail(self):
        """Ask what went wrong with the scenario."""
        self.ensure_one()
        self._check_may_try()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.implementation_scenario_fail_action"
        ) | {"context": {"default_scenario_id": self.id}}

    def action_view_runs(self):
        """Open the tries of the scenario, the last one first."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.implementation_scenario_run_action"
        ) | {"domain": [("scenario_id", "=", self.id)]}
