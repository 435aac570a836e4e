from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common.implementation import ImplementationCommon


@tagged("post_install", "-at_install")
class TestScenario(ImplementationCommon):
    """The SPOC works the scenarios off in the validation of each cycle."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mvp.action_start()
        cls.flow = cls._create_flow(application_ids=[Command.set(cls.sales.ids)])
        cls.scenarios = cls.env["project.scenario"].create(
            [
                {"flow_id": cls.flow.id, "name": name, "expected_result": "It is there"}
                for name in ("Give 10 % discount", "Send the quotation")
            ]
        )

    def _as(self, user, scenarios=None):
        scenarios = self.scenarios if scenarios is None else scenarios
        return scenarios.with_user(user)

    def test_validation_takes_all_scenarios(self):
        first, second = self.scenarios
        self._bring_to_validation(self.flow)
        with self.assertRaisesRegex(UserError, "Give 10 % discount.*Send"):
            self._validate(self.flow)
        self._as(self.consultant, first).action_pass()
        self._as(self.consultant, second)._record_run("failed", "No mail came")
        with self.assertRaisesRegex(UserError, "Send the quotation"):
            self._validate(self.flow)
        self._as(self.spoc_user, second)._record_run("passed")
        self._validate(self.flow)
        self.assertEqual(self.flow.step, "training")
        self.assertRecordValues(
            second.run_ids.sorted("id"),
            [
                {"result": "failed", "partner_id": self.consultant.partner_id.id},
                {"result": "passed", "partner_id": self.spoc.id},
            ],
        )

    def test_new_cycle_tries_them_again(self):
        self._bring_to_validation(self.flow)
        self._as(self.spoc_user)._record_run("passed")
        self.assertEqual(set(self.scenarios.mapped("state")), {"passed"})
        self._reject(self.flow)
        self.assertEqual(set(self.scenarios.mapped("state")), {"to_try"})
        Scenario = self.env["project.scenario"]
        domain = [("flow_id", "=", self.flow.id)]
        for state, found in (("to_try", 2), ("passed", 0), ("failed", 0)):
            self.assertEqual(
                Scenario.search_count(domain + [("state", "=", state)]), found, state
            )
            self.assertEqual(
                Scenario.search_count(domain + [("state", "!=", state)]),
                2 - found,
                state,
            )

    def test_only_in_the_validation(self):
        for result in ("passed", "failed"):
            with self.assertRaisesRegex(UserError, "tried in its validation"):
                self._as(self.consultant)._record_run(result, "Too early")
        self.assertFalse(self.scenarios.run_ids)

    def test_only_spoc_and_the_people_of_the_project(self):
        self._bring_to_validation(self.flow)
        colleague = new_test_user(
            self.env,
            "pl_client_colleague",
            groups="base.group_portal",
            partner_id=self.env["res.partner"]
            .create({"name": "Colleague", "parent_id": self.client.id})
            .id,
        )
        for user in (colleague, self.stranger_user, self.colleague, self.salesperson):
            with self.assertRaises(AccessError), self.cr.savepoint():
                self._as(user)._record_run("passed")
        self.assertFalse(self.scenarios.run_ids)

    def test_failed_needs_a_word(self):
        self._bring_to_validation(self.flow)
        for note in (None, "", "  ", False, 5, "\u200b", "\0", "…"):
            with self.assertRaisesRegex(UserError, "what went wrong"):
                self._as(self.spoc_user)._record_run("failed", note)
        with self.assertRaisesRegex(UserError, "passed or failed"):
            self._as(self.spoc_user)._record_run("perhaps")
        action = self._as(self.consultant, self.scenarios[0]).action_fail()
        self.env["project.scenario.fail.wizard"].with_user(
            self.consultant
        ).with_context(**action["context"]).create({"note": "No PDF"}).action_confirm()
        self.assertEqual(self.scenarios[0].state, "failed")

    def test_tries_are_history(self):
        self._bring_to_validation(self.flow)
        runs = self._as(self.consultant)._record_run("passed")
        for user in (self.consultant, self.manager):
            for change in (
                lambda runs: runs.write({"result": "failed"}),
                lambda runs: runs.unlink(),
                lambda runs: runs.create(
                    {
                        "scenario_id": self.scenarios[0].id,
                        "result": "passed",
                        "partner_id": self.spoc.id,
                        "date": "2020-01-01",
                    }
                ),
            ):
                with self.assertRaises(AccessError), self.cr.savepoint():
                    change(runs.with_env(self.env).with_user(user).sudo(False))
        self.assertEqual(set(self.scenarios.mapped("state")), {"passed"})
        self._reject(self.flow)
        for scenario in self.scenarios:
            with self.assertRaisesRegex(UserError, "Archive it"), self.cr.savepoint():
                self._as(self.consultant, scenario).unlink()

    def test_stays_in_its_flow(self):
        other = self._create_flow("Another flow")
        with self.assertRaisesRegex(UserError, "stays in"):
            self._as(self.consultant).write({"flow_id": other.id})
        with self.assertRaisesRegex(UserError, "stays in"):
            self._as(self.consultant).write({"project_id": self._create_project().id})
        with self.assertRaises(AccessError):
            self._as(self.colleague).write({"name": "Something else"})

    def test_proposed_once_from_the_applications(self):
        flow = self._create_flow(application_ids=[Command.set(self.crm.ids)])
        flow.with_user(self.consultant).action_propose_scenarios()
        templates = self.env["project.scenario.template"].search(
            [("application_id", "=", self.crm.id)]
        )
        self.assertTrue(templates)
        self.assertEqual(flow.scenario_ids.template_id, templates)
        flow.action_propose_scenarios()
        self.assertEqual(len(flow.scenario_ids), len(templates))

    def test_copy_starts_without_tries(self):
        self._bring_to_validation(self.flow)
        self._as(self.spoc_user)._record_run("passed")
        copy = self.flow.copy()
        self.assertEqual(
            copy.scenario_ids.mapped("name"), self.scenarios.mapped("name")
        )
        self.assertFalse(copy.scenario_ids.run_ids)

    def test_nothing_is_left_out_of_a_validation(self):
        first, second = self._as(self.consultant)
        self._bring_to_validation(self.flow)
        first.action_pass()
        for leave_out in (
            second.action_archive,
            second.unlink,
            lambda: self.flow.with_user(self.consultant).write(
                {"scenario_ids": [Command.delete(second.id)]}
            ),
            lambda: self.flow.with_user(self.manager).write(
                {"scenario_ids": [Command.update(second.id, {"active": False})]}
            ),
        ):
            with self.assertRefused(UserError, "all of them count"):
                leave_out()
        first.expected_result = "Anything"
        self.assertEqual(first.state, "to_try", "another text was passed")
        self.assertIn(first, first.search([("state", "=", "to_try")]))
        second.action_pass()
        with self.assertRefused(UserError, "not passed in this cycle yet"):
            self._validate(self.flow)
        self._reject(self.flow)
        second.action_archive()
        self.assertFalse(second.active, "the way that the message names")

    def test_what_was_validated_is_kept(self):
        first, second = self.scenarios
        self._bring_to_validation(self.flow)
        self._as(self.spoc_user)._record_run("passed")
        self._validate(self.flow)
        cycle = self.flow.current_cycle_id
        frozen = "Give 10 % discount: It is there\nSend the quotation: It is there"
        self.assertFalse(self.flow.is_changed)
        self._train(self.flow, "user_training")
        self.flow.step = "done"
        self.mvp.action_set_ready()
        added = first.create(
            {"flow_id": self.flow.id, "name": "<b>Print", "expected_result": "Paper"}
        )
        self.assertTrue(self.flow.is_changed)
        self.assertEqual(self.mvp.state, "in_progress", "something is left to do")
        self.assertIn("&lt;b&gt;Print", self.flow.validation_changes)
        added.unlink()
        self.assertFalse(self.flow.is_changed)
        for change in (
            lambda: first.write({"name": "Give 50 % discount"}),
            lambda: second.write({"expected_result": "Nothing"}),
            lambda: second.action_archive(),
            lambda: first.copy(),
        ):
            change()
            self.assertTrue(self.flow.is_changed)
            with self.assertRefused(UserError, "Changed since the SPOC"):
                self.mvp.action_set_ready()
            self.flow.with_user(self.consultant).action_restore_validated()
            self.assertFalse(self.flow.is_changed)
        self.assertEqual(self.flow.scenario_ids, self.scenarios)
        self.assertEqual(cycle.validated_scenarios, frozen)
        self.assertEqual(cycle.scenario_run_ids.scenario_id, self.scenarios)
        self.mvp.action_set_ready()
        self.mvp.action_go_live()
        for change in (
            lambda: first.write({"name": "Give 50 % discount"}),
            lambda: second.action_archive(),
            lambda: first.copy(),
            lambda: self.flow.write(
                {
                    "scenario_ids": [
                        Command.create({"name": "Print", "expected_result": "Paper"})
                    ]
                }
            ),
        ):
            with self.assertRefused(UserError, "is live"):
                change()
        self.assertEqual(cycle.validated_scenarios, frozen)

    def test_tries_of_what_is_not_wanted_now(self):
        self._bring_to_validation(self.flow)
        self.flow._set_aside("No time")
        with self.assertRefused(UserError, "set aside"):
            self._as(self.spoc_user).action_pass()

    def test_many_flows_are_compared_in_the_same_queries(self):
        flows = self.env["project.flow"].create(
            [
                {
                    "name": f"Flow {index}",
                    "project_id": self.project.id,
                    "phase_id": self.mvp.id,
                    "scenario_ids": [
                        Command.create({"name": name, "expected_result": "Paper"})
                        for name in ("Print", "Send")
                    ],
                }
                for index in range(13)
            ]
        )
        flows.current_cycle_id.sudo().write({"result": "validated"})

        def compute(records):
            records.modified(["to_be"])
            self.assertEqual(set(records.mapped("is_changed")), {True})

        self.assertConstantQueries(compute, flows)
