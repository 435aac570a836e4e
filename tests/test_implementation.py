from datetime import date, timedelta

from psycopg2.errors import CheckViolation, UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, HttpCase, freeze_time, new_test_user, tagged, users, warmup
from odoo.tools import mute_logger

from .common import LifecycleCommon


class ImplementationCommon(LifecycleCommon):
    """A project in its implementation, with the steps of a flow to walk."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls._create_project(spoc_id=cls.spoc.id)
        cls.crm = cls.env.ref("project_lifecycle.application_crm")
        cls.sales = cls.env.ref("project_lifecycle.application_sales")
        cls.inventory = cls.env.ref("project_lifecycle.application_inventory")
        cls.mvp = cls._create_phase("Sales", date(2030, 1, 7), date(2030, 3, 4))

    @classmethod
    def _create_phase(cls, name, start=False, go_live=False, **values):
        return cls.env["project.phase"].create(
            {
                "name": name,
                "project_id": cls.project.id,
                "date_start": start,
                "date_go_live": go_live,
            }
            | values
        )

    @classmethod
    def _create_flow(cls, name="From the quotation to the order", **values):
        return cls.env["project.flow"].create(
            {"name": name, "project_id": cls.project.id, "phase_id": cls.mvp.id}
            | values
        )

    @classmethod
    def _show(cls, flows, **values):
        """Hold and record a proof of concept of flows."""
        return cls._create_meeting(
            flows[:1].project_id,
            "poc",
            flow_ids=[Command.set(flows.ids)],
            **{"recording_url": "https://meet.example.com/recording/1"} | values,
        )

    @classmethod
    def _train(cls, flows, kind, **values):
        """Hold a training of flows."""
        return cls._create_meeting(
            flows[:1].project_id, kind, flow_ids=[Command.set(flows.ids)], **values
        )

    def _bring_to_validation(self, flow):
        """Walk the first steps of the current cycle."""
        self._show(flow)
        flow.step = "realisation"
        if flow.cycle_count == 1:
            self._train(flow, "spoc_training")
        flow.step = "validation"

    def _validate(self, flow):
        """Record the validation of the SPOC, as a consultant does."""
        flow._decide("validated", statement="Go ahead", evidence="E-mail of today")

    def _reject(self, flow, feedback="The discount is missing"):
        flow._decide("rejected", feedback=feedback, evidence="Call of today")

    def _finish(self, flow):
        """Bring a flow from its analysis to the end."""
        self._bring_to_validation(flow)
        self._validate(flow)
        self._train(flow, "user_training")
        flow.step = "done"

    def assertRefused(self, function, message, records=None, error=UserError):
        """Check that it is refused with that message and that nothing changes."""
        names = ("state", "step", "phase_id", "decision", "current_cycle_id")
        names = [name for name in names if records and name in records._fields]
        before = [[record[name] for name in names] for record in records or []]
        with self.assertRaisesRegex(error, message), self.env.cr.savepoint():
            function()
        if records:
            records.invalidate_recordset()
            self.assertEqual(
                [[record[name] for name in names] for record in records], before
            )


@tagged("post_install", "-at_install")
class TestPhase(ImplementationCommon):
    """The MVP, then improvements, and one phase after another."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stock = cls._create_phase(
            "Warehouse", date(2030, 3, 11), date(2030, 5, 6), sequence=20
        )
        cls.improvement = cls._create_phase(
            "Automation",
            date(2030, 5, 13),
            date(2030, 6, 3),
            sequence=1,  # before the others, but another wave
            wave="improvement",
        )

    def _make_live(self, phase):
        flow = self._create_flow(phase_id=phase.id)
        phase.action_start()
        self._finish(flow)
        phase.action_set_ready()
        phase.action_go_live()
        return flow

    def test_mvp_comes_first(self):
        self.project.invalidate_recordset()
        self.assertEqual(
            self.project.phase_ids.mapped("name"), ["Sales", "Warehouse", "Automation"]
        )

    def test_mvp_then_improvements(self):
        phases = self.mvp | self.stock | self.improvement
        for number, phase in enumerate(phases):
            for later in phases[number + 1 :]:
                self.assertRefused(later.action_start, "cannot start yet", later)
            self._make_live(phase)
            self.assertEqual(self.project.current_phase_id, phase)
            for later in phases[number + 1 :]:
                self.assertRefused(
                    later.action_start, f"go-live of {phase.name} is complete", later
                )
            phase.action_complete("All works, go on")
            self.assertEqual(phase.state, "complete")
            self.assertEqual(phase.completed_by_id, self.spoc)
            self.assertTrue(phase.completed_on)
            self.assertFalse(self.project.current_phase_id)

    def test_start_is_refused_on_every_way(self):
        Phase = self.env["project.phase"]
        message = "cannot start yet"
        stock = self.stock.with_user(self.consultant)
        for way in (
            lambda: stock.write({"state": "in_progress"}),
            lambda: stock.web_save({"state": "in_progress"}, {}),
            lambda: stock.with_context(milestone_in_step=True).write(
                {"state": "in_progress"}
            ),
            lambda: (self.mvp | stock).write({"state": "in_progress"}),
        ):
            with self.assertRaisesRegex(UserError, f"{message}|Only one phase"):
                way()
        values = {"name": "New", "project_id": self.project.id}
        self.assertRefused(
            lambda: Phase.create(values | {"state": "live"}), "A new phase is planned"
        )
        self.assertRefused(
            lambda: Phase.with_context(default_state="in_progress").create(values),
            "A new phase is planned",
        )
        copy = self.mvp.copy()
        self.assertEqual(copy.state, "planned")
        self.assertFalse(copy.date_go_live)
        self.assertNotEqual(copy.milestone_id, self.mvp.milestone_id)

    def test_import_of_a_state(self):
        self.env["ir.model.data"].create(
            {
                "module": "__import__",
                "name": "stock",
                "model": "project.phase",
                "res_id": self.stock.id,
            }
        )
        result = self.env["project.phase"].load(
            ["id", "state"], [["__import__.stock", "Live, in Follow-up"]]
        )
        self.assertFalse(result["ids"])
        self.assertIn("cannot become", result["messages"][0]["message"])

    def test_states_are_not_skipped(self):
        for state in ("ready", "live", "complete"):
            with self.subTest(state=state):
                self.assertRefused(
                    lambda state=state: self.mvp.write({"state": state}),
                    "What may follow: In Progress",
                    self.mvp,
                )

    def test_two_people_start_two_phases(self):
        self.mvp.action_start()
        self.env.flush_all()
        with (
            self.assertRaisesRegex(UniqueViolation, "one_current"),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(
                "UPDATE project_phase SET state = 'in_progress' WHERE id = %s",
                [self.stock.id],
            )

    def test_ready_needs_validated_and_trained_flows(self):
        self.mvp.action_start()
        self.assertRefused(self.mvp.action_set_ready, "no business flows", self.mvp)
        flow = self._create_flow()
        self.assertRefused(self.mvp.action_set_ready, flow.name, self.mvp)
        self._finish(flow)
        data = self.env["project.data.import"].create(
            {"name": "Customers", "flow_id": flow.id, "needed_to_start": True}
        )
        self.assertRefused(self.mvp.action_set_ready, "Customers", self.mvp)
        data.action_cleaned()
        data.write({"imported_on": fields.Date.today(), "row_count": 120})
        self.mvp.action_set_ready()
        self.assertEqual(self.mvp.state, "ready")

    def test_feedback_takes_back_that_a_phase_is_ready(self):
        self.mvp.action_start()
        flow = self._create_flow()
        self._finish(flow)
        self.mvp.action_set_ready()
        flow._refine("The label is too small")
        self.assertEqual(self.mvp.state, "in_progress")
        self.assertEqual(flow.step, "analysis")

    def test_complete_needs_the_words_of_the_client(self):
        self._make_live(self.mvp)
        for words in ("", "   "):
            self.assertRefused(
                lambda words=words: self.mvp.action_complete(words),
                "what the SPOC said",
                self.mvp,
            )
        self.assertRefused(
            lambda: self.mvp.write({"state": "complete"}), "what the SPOC said"
        )
        self.project.spoc_id = False
        self.assertRefused(
            lambda: self.mvp.action_complete("Fine"), "has no SPOC", self.mvp
        )

    def test_wizard_records_the_agreement(self):
        self._make_live(self.mvp)
        phase = self.mvp.with_user(self.consultant)
        action = phase.action_complete()
        wizard = Form(
            self.env[action["res_model"]]
            .with_user(self.consultant)
            .with_context(**action["context"])
        )
        wizard.statement = "We can go on"
        wizard.save().action_confirm()
        self.assertEqual(phase.state, "complete")
        self.assertEqual(phase.completion_statement, "We can go on")

    def test_agreement_is_not_changed_afterwards(self):
        self._make_live(self.mvp)
        self.mvp.action_complete("All works")
        for vals in (
            {"completion_statement": "Never said"},
            {"completed_on": False},
            {"state": "live"},
            {"state": "planned"},
        ):
            self.assertRefused(
                lambda vals=vals: self.mvp.write(vals), "agreed", self.mvp
            )
        self.assertEqual(self.mvp.completion_statement, "All works")

    # -- milestones ----------------------------------------------------
    def test_milestone_follows_the_phase(self):
        self.assertRecordValues(
            self.mvp.milestone_id,
            [
                {
                    "name": "Sales",
                    "deadline": date(2030, 3, 4),
                    "is_reached": False,
                    "project_id": self.project.id,
                }
            ],
        )
        self.assertTrue(self.project.allow_milestones)
        self.mvp.write({"name": "Sales first", "date_go_live": date(2030, 3, 5)})
        self.assertEqual(self.mvp.milestone_id.name, "Sales first")
        self.assertEqual(self.mvp.milestone_id.deadline, date(2030, 3, 5))
        self._make_live(self.mvp)
        self.assertTrue(self.mvp.milestone_id.is_reached)

    def test_phase_follows_the_milestone(self):
        milestone = self.mvp.milestone_id.with_user(self.consultant)
        milestone.write({"name": "Sell", "deadline": date(2030, 3, 6)})
        self.assertEqual(self.mvp.name, "Sell")
        self.assertEqual(self.mvp.date_go_live, date(2030, 3, 6))
        self.assertRefused(
            lambda: milestone.write({"deadline": date(2029, 1, 1)}),
            "before its planned start",
            error=ValidationError,
        )
        self.assertRefused(
            lambda: milestone.toggle_is_reached(True), "cannot become", self.mvp
        )
        self.mvp.action_start()
        self._finish(self._create_flow())
        self.mvp.action_set_ready()
        milestone.toggle_is_reached(True)
        self.assertEqual(self.mvp.state, "live")
        self.assertEqual(self.mvp.date_go_live_real, fields.Date.today())
        self.assertRefused(
            lambda: milestone.toggle_is_reached(False), "is live", self.mvp
        )

    def test_one_milestone_each(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(UniqueViolation),
            self.env.cr.savepoint(),
        ):
            self._create_phase("Other", milestone_id=self.mvp.milestone_id.id)
        self.assertRefused(
            lambda: self.mvp.write({"milestone_id": self.stock.milestone_id.id}),
            "keeps its own milestone",
        )
        self.assertRefused(self.mvp.milestone_id.unlink, "delete the phase instead")
        plain = self.env["project.milestone"].create(
            {"name": "Plain", "project_id": self.project.id}
        )
        phase = self._create_phase("With a milestone", milestone_id=plain.id)
        self.assertEqual(plain.name, phase.name)
        phase.unlink()
        self.assertFalse(plain.exists())

    def test_milestone_of_another_project(self):
        other = self._create_project(name="Other")
        foreign = self.env["project.milestone"].create(
            {"name": "Foreign", "project_id": other.id}
        )
        self.assertRefused(
            lambda: self._create_phase("Wrong", milestone_id=foreign.id),
            "another project",
        )
        self.assertRefused(
            lambda: self.mvp.milestone_id.write({"project_id": other.id}),
            "stays in the project",
        )

    def test_copy_of_the_project(self):
        flow = self._create_flow()
        self.mvp.action_start()
        self._bring_to_validation(flow)
        task = self.env["project.task"].create(
            {"name": "Configure", "project_id": self.project.id, "flow_id": flow.id}
        )
        copy = self.project.copy()
        self.assertEqual(
            copy.phase_ids.mapped("name"), ["Sales", "Warehouse", "Automation"]
        )
        self.assertEqual(set(copy.phase_ids.mapped("state")), {"planned"})
        self.assertEqual(copy.milestone_ids, copy.phase_ids.milestone_id)
        self.assertEqual(len(copy.milestone_ids), 3)
        self.assertEqual(copy.flow_ids.mapped("step"), ["analysis"])
        self.assertEqual(copy.flow_ids.cycle_count, 1)
        self.assertEqual(copy.flow_ids.phase_id, copy.phase_ids[0])
        new_task = copy.tasks.filtered(lambda t: t.name == task.name)
        self.assertEqual(new_task.phase_id, copy.phase_ids[0])
        self.assertEqual(new_task.flow_id, copy.flow_ids)
        self.assertEqual(new_task.milestone_id, copy.phase_ids[0].milestone_id)

    def test_copy_of_two_projects_gives_each_its_own(self):
        other = self._create_project(name="Other")
        copies = (self.project | other).copy()
        self.assertEqual(len(copies[0].phase_ids), 3)
        self.assertEqual(len(copies[0].milestone_ids), 3)
        self.assertFalse(copies[1].milestone_ids)

    # -- dates ---------------------------------------------------------
    def test_dates_of_a_phase_do_not_cross(self):
        self.assertRefused(
            lambda: self.mvp.write({"date_start": date(2030, 3, 5)}),
            "is before its planned start",
            error=ValidationError,
        )

    def test_phases_do_not_cross(self):
        self.assertRefused(
            lambda: self.stock.write({"date_start": date(2030, 3, 1)}),
            "cross those of Sales",
            error=ValidationError,
        )
        self.assertRefused(
            lambda: self._create_phase("X", date(2030, 4, 1), date(2030, 4, 2)),
            "cross those of Warehouse",
            error=ValidationError,
        )
        self.stock.date_start = self.mvp.date_go_live  # the very day is fine

    def test_real_dates(self):
        self.assertRefused(
            lambda: self.mvp.write({"date_go_live_real": fields.Date.today()}),
            "do not fit its state",
            error=ValidationError,
        )
        self.mvp.action_start()
        self.assertRefused(
            lambda: self.mvp.write(
                {"date_start_real": fields.Date.today() + timedelta(days=30)}
            ),
            "in the future",
            error=ValidationError,
        )
        self.mvp.date_start_real = fields.Date.today() - timedelta(days=3)

    def test_late(self):
        self.assertFalse(self.mvp.is_late)
        with freeze_time("2030-03-10"):
            self.env.invalidate_all()
            self.assertTrue(self.mvp.is_late)
            self.assertIn(
                self.mvp, self.env["project.phase"].search([("is_late", "=", True)])
            )
            self.assertNotIn(
                self.stock, self.env["project.phase"].search([("is_late", "=", True)])
            )

    def test_timeline(self):
        self._create_phase("Some day")
        timeline = self.project.phase_timeline
        self.assertEqual(
            [phase["name"] for phase in timeline["phases"]],
            ["Sales", "Warehouse", "Automation"],
        )
        self.assertEqual([p["name"] for p in timeline["undated"]], ["Some day"])
        first, second = timeline["phases"][:2]
        self.assertLess(
            first["planned"]["left"] + first["planned"]["width"],
            second["planned"]["left"] + 0.01,
        )
        self.assertFalse(first["real"])
        self.mvp.action_start()
        self.env.invalidate_all()
        self.assertTrue(self.project.phase_timeline["phases"][0]["real"])
        html = self.env["ir.qweb"]._render(
            "project_lifecycle.implementation_timeline", {"project": self.project}
        )
        self.assertEqual(html.count("<rect"), 4, "three planned spans and a real one")
        self.assertIn("Some day", html)
        empty = self._create_project(name="Empty")
        self.assertFalse(empty.phase_timeline)
        html = self.env["ir.qweb"]._render(
            "project_lifecycle.implementation_timeline", {"project": empty}
        )
        self.assertNotIn("<", html)

    # -- deleting ------------------------------------------------------
    def test_phase_with_history_stays(self):
        flow = self._make_live(self.mvp)
        self.assertRefused(self.mvp.unlink, "history stays", self.mvp)
        self.assertRefused(flow.unlink, "stays", flow)
        self.assertRefused(self.project.unlink, "Archive the project")
        self.assertTrue(self.project.exists())

    def test_planned_phase_can_be_deleted(self):
        flow = self._create_flow(phase_id=self.stock.id)
        milestone = self.stock.milestone_id
        self.stock.unlink()
        self.assertFalse(milestone.exists())
        self.assertTrue(flow.exists(), "What was described is not lost")
        self.assertFalse(flow.phase_id)
        self.project.unlink()
        self.assertFalse(flow.exists())

    # -- belonging -----------------------------------------------------
    def test_phase_stays_in_its_project_and_wave(self):
        other = self._create_project(name="Other")
        self.assertRefused(
            lambda: self.mvp.write({"project_id": other.id}), "stays in its project"
        )
        self.mvp.action_start()
        self.assertRefused(
            lambda: self.mvp.write({"wave": "improvement"}), "stays in its wave"
        )
        plain = self.env["project.project"].create({"name": "Internal"})
        self.assertRefused(
            lambda: self._create_phase("X", project_id=plain.id),
            "not a client implementation",
            error=ValidationError,
        )

    def test_scope_of_another_project(self):
        other = self._create_project(name="Other")
        line = self.env["project.scope.line"].create(
            {"project_id": other.id, "application_id": self.crm.id}
        )
        self.assertRefused(
            lambda: line.write({"phase_id": self.mvp.id}),
            "cannot bring what is in the scope",
            error=ValidationError,
        )


@tagged("post_install", "-at_install")
class TestFlow(ImplementationCommon):
    """Analysis, realisation, validation by the SPOC, training: round by round."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mvp.action_start()
        cls.flow = cls._create_flow()

    def test_three_cycles_until_live(self):
        flow = self.flow.with_user(self.consultant)
        self.assertEqual(flow.step, "analysis")
        for number in (1, 2):
            self._bring_to_validation(flow)
            self._reject(flow, f"Feedback {number}")
            self.assertEqual(flow.step, "analysis")
            self.assertEqual(flow.cycle_count, number + 1)
        self._bring_to_validation(flow)
        self._validate(flow)
        self.assertTrue(flow.is_validated)
        self._train(flow, "user_training")
        flow.action_next_step()
        self.assertEqual(flow.step, "done")
        self.assertRecordValues(
            flow.cycle_ids.sorted("number"),
            [
                {
                    "number": 1,
                    "result": "rejected",
                    "feedback": "Feedback 1",
                    "step": "validation",
                    "is_open": False,
                    "decided_by_id": self.spoc.id,
                    "recorded_by_id": self.consultant.id,
                },
                {
                    "number": 2,
                    "result": "rejected",
                    "feedback": "Feedback 2",
                    "step": "validation",
                    "is_open": False,
                    "decided_by_id": self.spoc.id,
                    "recorded_by_id": self.consultant.id,
                },
                {
                    "number": 3,
                    "result": "validated",
                    "feedback": "",
                    "step": "done",
                    "is_open": False,
                    "decided_by_id": self.spoc.id,
                    "recorded_by_id": self.consultant.id,
                },
            ],
        )
        self.assertEqual(len(flow.cycle_ids.poc_meeting_id), 3)
        phase = self.mvp.with_user(self.consultant)
        phase.action_set_ready()
        phase.action_go_live()
        self.assertEqual(phase.state, "live")
        phase.action_complete("Everybody works with it")
        self.assertEqual(phase.state, "complete")

    def test_more_than_two_cycles_are_a_risk(self):
        risks = self.project.risk_ids
        self._bring_to_validation(self.flow)
        self._reject(self.flow)
        self.assertEqual(self.project.risk_ids, risks)
        for _cycle in range(2):
            self._bring_to_validation(self.flow)
            self._reject(self.flow)
        risk = self.project.risk_ids - risks
        self.assertEqual(len(risk), 1, "once, however many cycles follow")
        self.assertEqual(risk.origin, "implementation")
        self.assertIn(self.flow.name, risk.name)

    # -- no step can be skipped ----------------------------------------
    def test_steps_on_every_way_of_writing(self):
        flow = self.flow.with_user(self.consultant)
        cycle = flow.current_cycle_id
        Flow = self.env["project.flow"].with_user(self.consultant)
        Cycle = self.env["project.flow.cycle"].with_user(self.consultant)
        values = {"name": "New", "project_id": self.project.id}
        self.env["ir.model.data"].create(
            {
                "module": "__import__",
                "name": "flow",
                "model": "project.flow",
                "res_id": flow.id,
            }
        )
        ways = (
            (lambda: flow.write({"step": "validation"}), "no step can be skipped"),
            (lambda: flow.write({"step": "done"}), "no step can be skipped"),
            (lambda: flow.write({"step": "realisation"}), "Show the flow to the SPOC"),
            (lambda: flow.web_save({"step": "training"}, {}), "no step can be"),
            (lambda: flow.write({"step": "nonsense"}), "There is no step"),
            (flow.action_next_step, "Show the flow to the SPOC"),
            (lambda: flow.write({"cycle_count": 7}), "never by hand"),
            (lambda: flow.write({"current_cycle_id": cycle.id}), "never by hand"),
            (
                lambda: flow.write(
                    {"cycle_ids": [Command.update(cycle.id, {"step": "done"})]}
                ),
                "never by hand",
            ),
            (lambda: cycle.write({"step": "done"}), "no step can be skipped"),
            (lambda: cycle.write({"result": "validated"}), "not waiting"),
            (lambda: cycle.write({"number": 5}), "nobody changes it by hand"),
            (lambda: cycle.write({"date_end": "2020-01-01"}), "nobody changes it"),
            (
                lambda: cycle.with_context(flow_cycle_pass=True).write(
                    {"date_step": "2020-01-01"}
                ),
                "nobody changes it",
            ),
            (cycle.copy, "cannot be duplicated"),
            (
                lambda: Cycle.create({"flow_id": flow.id, "number": 2, "step": "done"}),
                "opened by the system",
            ),
            (
                lambda: Cycle.with_context(flow_cycle_pass={"a": 1}).create(
                    {"flow_id": flow.id, "number": 2}
                ),
                "opened by the system",
            ),
            (lambda: cycle.sudo().unlink(), "history"),
            (lambda: Flow.create(values | {"step": "training"}), "A new flow starts"),
            (
                lambda: Flow.with_context(default_step="done").create(values),
                "A new flow starts",
            ),
            (
                lambda: Flow.create(
                    values | {"cycle_ids": [Command.create({"number": 9})]}
                ),
                "A new flow starts",
            ),
        )
        for number, (way, message) in enumerate(ways):
            with self.subTest(number=number, message=message):
                self.assertRefused(way, message, flow)
        result = Flow.load(["id", "step"], [["__import__.flow", "Done"]])
        self.assertFalse(result["ids"])
        self.assertIn("no step can be skipped", result["messages"][0]["message"])
        flow.invalidate_recordset()
        self.assertEqual(flow.step, "analysis")

    def test_defaults_of_the_client_do_not_reach_the_cycle(self):
        flow = (
            self.env["project.flow"]
            .with_context(
                default_result="validated",
                default_date_end="2020-01-01",
                default_number=8,
                default_cycle_count=5,
            )
            .create({"name": "New", "project_id": self.project.id})
        )
        self.assertRecordValues(
            flow.current_cycle_id, [{"number": 1, "result": False, "is_open": True}]
        )
        self.assertEqual(flow.cycle_count, 1)

    def test_copy_starts_anew(self):
        self._bring_to_validation(self.flow)
        self._reject(self.flow)
        copy = self.flow.copy()
        self.assertEqual(copy.step, "analysis")
        self.assertEqual(copy.cycle_count, 1)
        self.assertFalse(copy.meeting_ids)

    def test_no_step_back(self):
        self._bring_to_validation(self.flow)
        self.assertRefused(
            lambda: self.flow.write({"step": "analysis"}),
            "steps only go forward",
            self.flow,
        )
        self.flow.step = "validation"  # where it is: nothing happens
        self.assertEqual(self.flow.step, "validation")

    def test_batch_with_one_blocked_moves_none(self):
        other = self._create_flow("Other")
        self._show(self.flow)
        flows = self.flow | other
        self.assertRefused(
            lambda: flows.write({"step": "realisation"}), "Other cannot go", flows
        )

    def test_only_in_a_phase_that_has_started(self):
        later = self._create_phase("Later")
        self.flow.phase_id = later
        self._show(self.flow)
        self.assertRefused(
            lambda: self.flow.write({"step": "realisation"}),
            "Start its phase",
            self.flow,
        )
        self.flow.phase_id = False
        self.assertRefused(
            lambda: self.flow.write({"step": "realisation"}),
            "Plan it in a phase",
            self.flow,
        )
        self.flow.phase_id = self.mvp
        self.flow.step = "realisation"
        self.assertRefused(
            lambda: self.flow.write({"phase_id": later.id}),
            "beyond its analysis",
            self.flow,
        )

    # -- proof of concept ----------------------------------------------
    def test_proof_of_concept_must_be_held_and_recorded(self):
        meeting = self._show(self.flow, recording_url=False, held=False)
        self.assertEqual(self.flow.poc_meeting_id, meeting)
        move = lambda: self.flow.write({"step": "realisation"})  # noqa: E731
        self.assertRefused(move, "mark it as held", self.flow)
        meeting.held = True
        self.assertRefused(move, "link to the recording", self.flow)
        meeting.recording_url = "https://meet.example.com/r/2"
        move()
        self.assertEqual(self.flow.step, "realisation")

    def test_recording_must_be_a_web_address(self):
        for text in (
            "recording",
            "www.example.com/r",
            "javascript:alert(1)",
            "ftp://example.com/r",
            "http://",
            "https://meet.example.com/a b",
            "http://[",
            "file:///etc/passwd",
        ):
            with self.subTest(text=text):
                self.assertRefused(
                    lambda text=text: self._show(self.flow, recording_url=text),
                    "not the address of a recording",
                    self.flow,
                    ValidationError,
                )
        self._show(self.flow, recording_url="HTTP://10.0.0.7:8080/r?x=1#t")

    def test_evidence_stays(self):
        meeting = self._show(self.flow)
        self.flow.step = "realisation"
        for change in (
            {"held": False},
            {"recording_url": False},
            {"lifecycle_meeting": "follow_up"},
            {"project_id": False, "flow_ids": [Command.clear()]},
            {"active": False},
        ):
            with self.subTest(change=change):
                self.assertRefused(
                    lambda change=change: meeting.write(change), "went on with this"
                )
        self.assertRefused(meeting.unlink, "went on with this")
        meeting.recording_url = "https://meet.example.com/moved"

    def test_trainings_stay(self):
        self._show(self.flow)
        self.flow.step = "realisation"
        training = self._train(self.flow, "spoc_training")
        training.held = False  # nothing hangs on it yet
        training.held = True
        self.flow.step = "validation"
        for way in (
            lambda: training.write({"held": False}),
            lambda: training.write({"flow_ids": [Command.clear()]}),
            training.unlink,
        ):
            self.assertRefused(way, "went on after this training")
        other = self._train(self.flow, "spoc_training")
        training.unlink()  # another one is there
        self.assertRefused(other.unlink, "went on after this training")

    def test_each_cycle_has_its_own_proof_of_concept(self):
        meeting = self._show(self.flow)
        self.flow.step = "realisation"
        self._train(self.flow, "spoc_training")
        self.flow.step = "validation"
        self._reject(self.flow)
        self.assertFalse(self.flow.poc_meeting_id)
        self.assertRefused(
            lambda: self.flow.write({"poc_meeting_id": meeting.id}),
            "A new cycle has a new one",
            error=ValidationError,
        )
        meeting.name = "Renamed"  # does not come back by itself
        meeting.recording_url = "https://meet.example.com/again"
        self.assertFalse(self.flow.poc_meeting_id)

    def test_meeting_that_is_no_proof_of_concept(self):
        other = self._create_project(name="Other")
        for meeting in (
            self._create_meeting(self.project, "follow_up"),
            self._create_meeting(other, "poc"),
        ):
            self.assertRefused(
                lambda meeting=meeting: self.flow.write({"poc_meeting_id": meeting.id}),
                "Choose a proof of concept",
                error=ValidationError,
            )
        self.assertRefused(
            lambda: self._create_meeting(
                other, "poc", flow_ids=[Command.set(self.flow.ids)]
            ),
            "another project",
            error=ValidationError,
        )

    def test_private_meetings_count(self):
        meeting = self._show(self.flow, privacy="private")
        self.env.invalidate_all()
        manager = self.flow.with_user(self.manager)
        meeting.with_user(self.manager).mapped("name")  # masked for others
        manager.step = "realisation"
        self.assertEqual(self.flow.step, "realisation")

    # -- realisation ---------------------------------------------------
    def test_spoc_is_trained_before_the_validation(self):
        self._show(self.flow)
        self.flow.step = "realisation"
        self.assertRefused(self.flow.action_next_step, "Train the SPOC", self.flow)
        self._train(self.flow, "spoc_training", held=False)
        self.assertRefused(self.flow.action_next_step, "Train the SPOC", self.flow)
        self._train(self.flow, "spoc_training")
        self.flow.action_next_step()
        self.assertEqual(self.flow.step, "validation")

    def test_developments_are_decided_before_the_validation(self):
        self._show(self.flow)
        self.flow.step = "realisation"
        self._train(self.flow, "spoc_training")
        request = self.env["project.development.request"].create(
            {"name": "Labels", "flow_id": self.flow.id, "need": "Print them"}
        )
        self.assertRefused(
            self.flow.action_next_step, "development requests", self.flow
        )
        request.workaround = "Use the standard label"
        request.action_reject()
        self.flow.action_next_step()
        self.assertEqual(self.flow.step, "validation")

    # -- validation ----------------------------------------------------
    def test_only_the_answer_of_the_spoc_leads_on(self):
        self._bring_to_validation(self.flow)
        for step in ("training", "done"):
            self.assertRefused(
                lambda step=step: self.flow.write({"step": step}),
                "answer of the SPOC|no step can be skipped",
                self.flow,
            )

    def test_consultant_records_with_words_and_evidence(self):
        flow = self.flow.with_user(self.consultant)
        self._bring_to_validation(flow)
        for answer, message in (
            ({"result": "validated", "evidence": "Mail"}, "Write down the words"),
            ({"result": "validated", "statement": "Yes"}, "Say where"),
            ({"result": "validated", "statement": " ", "evidence": " "}, "words"),
            ({"result": "rejected", "evidence": "Mail"}, "with feedback"),
            ({"result": "rejected", "feedback": " \n", "evidence": "M"}, "feedback"),
            ({"result": "rejected", "feedback": "No"}, "Say where"),
            ({"result": "refined", "feedback": "No"}, "validates a flow or sends"),
            ({"result": False}, "validates a flow or sends"),
        ):
            with self.subTest(answer=answer):
                self.assertRefused(
                    lambda answer=answer: flow._decide(**answer), message, flow
                )
        cycle = flow.current_cycle_id
        cycle.write({"result": "validated", "statement": "Yes", "evidence": "Mail"})
        self.assertRecordValues(
            cycle,
            [
                {
                    "result": "validated",
                    "step": "training",
                    "statement": "Yes",
                    "evidence": "Mail",
                    "decided_by_id": self.spoc.id,
                    "recorded_by_id": self.consultant.id,
                }
            ],
        )
        self.assertIn("Yes", flow.message_ids[0].body)

    def test_wizard_records_the_answer(self):
        flow = self.flow.with_user(self.consultant)
        self._bring_to_validation(flow)
        action = flow.action_reject()
        wizard = Form(
            self.env[action["res_model"]]
            .with_user(self.consultant)
            .with_context(**action["context"])
        )
        wizard.feedback = "<b>The discount</b>"
        wizard.evidence = "Call"
        wizard.save().action_confirm()
        self.assertEqual(flow.cycle_count, 2)
        self.assertIn("&lt;b&gt;", flow.message_ids[0].body)

    def test_outdated_cycle(self):
        self._bring_to_validation(self.flow)
        cycle = self.flow.current_cycle_id
        wizard = self.env["project.flow.decision.wizard"].create(
            {
                "cycle_id": cycle.id,
                "result": "validated",
                "statement": "Yes",
                "evidence": "Mail",
            }
        )
        self._reject(self.flow)
        self.assertRefused(wizard.action_confirm, "is in its cycle 2 now", self.flow)
        self.assertRefused(
            lambda: cycle._decide("validated", statement="Yes", evidence="Mail"),
            "is closed",
            self.flow,
        )
        self.assertRefused(
            lambda: cycle.write({"step": "training"}), "is closed", self.flow
        )
        self.assertEqual(cycle.result, "rejected")

    def test_answered_once(self):
        self._bring_to_validation(self.flow)
        self._validate(self.flow)
        self.assertRefused(lambda: self._reject(self.flow), "is not waiting", self.flow)

    def test_no_spoc_no_validation(self):
        self._bring_to_validation(self.flow)
        self.project.spoc_id = False
        self.assertRefused(lambda: self._validate(self.flow), "has no SPOC", self.flow)

    def test_the_spoc_needs_no_evidence(self):
        self._bring_to_validation(self.flow)
        cycle = self.flow.with_user(self.spoc_user).sudo().current_cycle_id
        self.assertRefused(
            lambda: cycle._decide("rejected"), "with feedback", self.flow
        )
        cycle._decide("validated")
        self.assertEqual(self.flow.step, "training")
        self.assertEqual(cycle.recorded_by_id, self.spoc_user)

    def test_nobody_else_validates(self):
        self._bring_to_validation(self.flow)
        answer = {"statement": "Yes", "evidence": "Mail"}
        colleague_of_spoc = new_test_user(
            self.env,
            "pl_other_portal",
            groups="base.group_portal",
            partner_id=self.env["res.partner"]
            .create({"name": "Luis", "parent_id": self.client.id})
            .id,
        )
        for user in (
            self.stranger_user,
            colleague_of_spoc,
            self.colleague,
            self.salesperson,
        ):
            with self.subTest(user=user.login):
                cycle = self.flow.current_cycle_id.with_user(user)
                with self.assertRaises(AccessError):
                    cycle._decide("validated", **answer)
        for user in (self.stranger_user, colleague_of_spoc):
            cycle = self.flow.current_cycle_id.with_user(user).sudo()
            with self.assertRaises(AccessError):
                cycle._decide("validated", **answer)
        self.flow.invalidate_recordset()
        self.assertEqual(self.flow.step, "validation")

    # -- training and feedback -----------------------------------------
    def test_end_users_are_trained_after_the_validation(self):
        self.assertRefused(
            lambda: self._train(self.flow, "user_training"),
            "after the validation only",
        )
        training = self._train(self.flow, "user_training", held=False)
        self.assertRefused(
            lambda: training.write({"held": True}), "after the validation only"
        )
        follow_up = self._train(self.flow, "follow_up")
        self.assertRefused(
            lambda: follow_up.write({"lifecycle_meeting": "user_training"}),
            "after the validation only",
        )
        self._bring_to_validation(self.flow)
        self.assertRefused(
            lambda: training.write({"held": True}), "after the validation only"
        )
        self._validate(self.flow)
        other = self._create_flow("Other")
        training.held = True
        self.assertRefused(
            lambda: training.write({"flow_ids": [Command.link(other.id)]}),
            "not validated yet: Other",
        )
        self.flow.step = "done"

    def test_training_says_of_what(self):
        self.assertRefused(
            lambda: self._create_meeting(self.project, "user_training"),
            "Say on which business flows",
        )

    def test_done_needs_the_training(self):
        self._bring_to_validation(self.flow)
        self._validate(self.flow)
        self.assertRefused(self.flow.action_next_step, "Train the end users", self.flow)

    def test_feedback_refines_the_flow(self):
        self._finish(self.flow)
        self.assertRefused(lambda: self.flow._refine(" "), "what the users said")
        self.flow._refine("The label is too small")
        former = self.flow.cycle_ids.sorted("number")[0]
        self.assertEqual(former.result, "refined")
        self.assertEqual(former.statement, "Go ahead", "the validation stays on record")
        self.assertEqual(self.flow.step, "analysis")
        self._finish(self.flow)
        self.mvp.action_set_ready()
        self.mvp.action_go_live()
        self.assertRefused(
            lambda: self.flow._refine("Another colour"), "does not overturn", self.flow
        )

    def test_reactions(self):
        training = self._train(
            self.flow,
            "spoc_training",
            partner_ids=[Command.set((self.spoc | self.consultant.partner_id).ids)],
        )
        attendee = training.attendee_ids.filtered(
            lambda attendee: attendee.partner_id == self.spoc
        ).with_user(self.consultant)
        self.assertRefused(
            lambda: attendee.write({"reaction": "confident"}), "did not take part"
        )
        attendee.write(
            {"attended": True, "reaction": "practice", "reaction_note": "Reports"}
        )
        with self.assertRaises(AccessError):
            attendee.with_user(self.colleague).write({"reaction": "lost"})
        with self.assertRaises(AccessError):
            attendee.with_user(self.spoc_user).read(["reaction"])

    # -- flows and phases ----------------------------------------------
    def test_flow_of_another_projects_phase(self):
        other = self._create_project(name="Other")
        foreign = self._create_phase("Foreign", project_id=other.id)
        self.assertRefused(
            lambda: self.flow.write({"phase_id": foreign.id}),
            "a phase of Other",
            self.flow,
            ValidationError,
        )
        self.assertRefused(
            lambda: self._create_flow("X", phase_id=foreign.id),
            "a phase of Other",
            error=ValidationError,
        )
        self.assertRefused(
            lambda: self.flow.write({"project_id": other.id}), "stays in its project"
        )
        flow = self.env["project.flow"].create({"name": "Y", "phase_id": foreign.id})
        self.assertEqual(flow.project_id, other)
        self.assertEqual(flow.user_id, other.user_id)

    def test_live_phase_is_closed_for_flows(self):
        self._finish(self.flow)
        self.mvp.action_set_ready()
        self.mvp.action_go_live()
        later = self._create_phase("Later")
        self.assertRefused(lambda: self._create_flow("Late"), "is live")
        self.assertRefused(
            lambda: self.flow.write({"phase_id": later.id}), "is live", self.flow
        )

    def test_flow_without_history_can_be_deleted(self):
        cycle = self.flow.current_cycle_id
        self.flow.with_user(self.consultant).unlink()
        self.assertFalse(cycle.exists())

    def test_what_comes_next(self):
        flow = self.flow
        self.assertIn("proof of concept", flow.next_action)
        self.assertTrue(flow.is_held_up)
        self._show(flow)
        flow.invalidate_recordset()
        self.assertIn("Start the realisation", flow.next_action)
        self.assertFalse(flow.is_held_up)
        flow.step = "realisation"
        self.assertIn("Train the SPOC", flow.next_action)

    def test_time_per_cycle(self):
        cycle = self.flow.current_cycle_id
        with freeze_time(fields.Datetime.now() + timedelta(days=3, hours=1)):
            self.env.invalidate_all()
            self.assertAlmostEqual(cycle.duration, 3.04, 1)
            self.assertEqual(self.flow.days_in_step, 3)

    # -- the form ------------------------------------------------------
    @users("pl_consultant")
    def test_form(self):
        with Form(self.env["project.flow"]) as form:
            form.name = "From the need to the bill"
            form.project_id = self.project
            form.phase_id = self.mvp
            form.requirements = "<p>Two approvals</p>"
        flow = form.record
        self.assertEqual(flow.user_id, self.consultant)
        self.assertEqual(flow.step, "analysis")


@tagged("post_install", "-at_install")
class TestDevelopmentAndData(ImplementationCommon):
    """Only what is indispensable is developed, only needed data is imported."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls._create_flow()
        cls.developer = new_test_user(
            cls.env, "pl_developer", groups="project.group_project_user"
        )

    def _create_request(self, **values):
        return self.env["project.development.request"].create(
            {"name": "Labels", "flow_id": self.flow.id, "need": "Print labels"} | values
        )

    def test_default_wave_is_improvements(self):
        request = self._create_request()
        self.assertEqual(request.wave, "improvement")
        self.assertFalse(request.phase_id, "not the phase of the MVP")
        self.assertEqual(request.project_id, self.project)

    def test_mvp_needs_the_reason(self):
        for reason in (False, "  "):
            self.assertRefused(
                lambda reason=reason: self._create_request(
                    wave="mvp", mvp_reason=reason
                ),
                "cannot do without",
                error=ValidationError,
            )
        request = self._create_request(wave="mvp", mvp_reason="No delivery without")
        self.assertEqual(request.phase_id, self.mvp)
        self.assertRefused(
            lambda: request.write({"mvp_reason": False}),
            "cannot do without",
            error=ValidationError,
        )

    def test_rejected_with_its_workaround(self):
        request = self._create_request()
        self.assertRefused(
            request.action_reject, "Workaround", request, ValidationError
        )
        request.workaround = "<p><br></p>"
        self.assertRefused(
            request.action_reject, "Workaround", request, ValidationError
        )
        request.workaround = "<p>Standard label</p>"
        request.with_user(self.consultant).action_reject()
        self.assertEqual(request.decision, "rejected")
        self.assertEqual(request.decided_by_id, self.consultant)
        self.assertFalse(request.task_id)
        self.assertRefused(
            lambda: request.write({"workaround": False}),
            "Workaround",
            error=ValidationError,
        )

    def test_approved_with_specification_and_developer(self):
        request = self._create_request().with_user(self.consultant)
        needed = {
            "value": "<p>Two hours a day</p>",
            "workaround": "<p>Type them</p>",
            "specification": "<p>A label of 50 mm</p>",
            "developer_id": self.developer.id,
        }
        for name, value in needed.items():
            label = request._fields[name].string
            self.assertRefused(request.action_approve, label, request, ValidationError)
            request.write({name: value})
        request.action_approve()
        self.assertRecordValues(
            request.task_id,
            [
                {
                    "user_ids": self.developer.ids,
                    "project_id": self.project.id,
                    "flow_id": self.flow.id,
                    "work_type_id": self.env.ref(
                        "project_lifecycle.work_type_development"
                    ).id,
                }
            ],
        )
        self.assertIn("50 mm", request.task_id.description)
        task = request.task_id
        request.action_reopen()
        self.assertEqual(task.state, "1_canceled")
        request.action_approve()
        self.assertEqual(request.task_id, task)
        task.state = "1_done"
        self.assertRefused(request.action_reopen, "already worked", request)
        self.assertRefused(request.unlink, "stays", request)

    def test_developer_without_a_user(self):
        request = self._create_request()
        archived = new_test_user(self.env, "pl_gone", groups="base.group_user")
        archived.active = False
        for user in (self.spoc_user, archived):
            self.assertRefused(
                lambda user=user: request.write({"developer_id": user.id}),
                "active internal user",
                error=ValidationError,
            )

    def test_new_request_is_to_decide(self):
        self.assertRefused(
            lambda: self._create_request(decision="approved"), "still to be decided"
        )
        request = self._create_request()
        self.assertRefused(
            lambda: request.write({"decided_on": fields.Datetime.now()}),
            "noted by the decision",
        )
        request.workaround = "Type them"
        request.action_reject()
        copy = request.copy()
        self.assertEqual(copy.decision, "to_decide")
        self.assertFalse(copy.decided_by_id)

    def test_request_belongs_to_one_project(self):
        other = self._create_project(name="Other")
        self.assertRefused(
            lambda: self._create_request(project_id=other.id),
            "Choose one of its own project",
            error=ValidationError,
        )
        self.assertRefused(
            lambda: self._create_request(phase_id=self.mvp.id),
            "same wave",
            error=ValidationError,
        )

    # -- data imports --------------------------------------------------
    def _create_import(self, **values):
        return self.env["project.data.import"].create(
            {"name": "Customers", "flow_id": self.flow.id} | values
        )

    def test_client_cleans_the_data(self):
        data = self._create_import(needed_to_start=True)
        task = data.cleaning_task_id
        self.assertTrue(task.is_client_task)
        self.assertEqual(task.phase_id, self.mvp)
        self.assertEqual(task.flow_id, self.flow)
        self.assertFalse(task.user_ids)
        self.assertIn(self.spoc, task.message_partner_ids)
        task.state = "1_done"
        self.assertEqual(data.state, "cleaned")
        self.assertEqual(data.cleaned_on, fields.Date.today())
        second = self._create_import(needed_to_start=True, name="Products")
        second.action_cleaned()
        self.assertEqual(second.cleaning_task_id.state, "1_done")
        self.assertFalse(self._create_import().cleaning_task_id)

    def test_client_closes_the_task_in_the_portal(self):
        data = self._create_import(needed_to_start=True)
        self.project._add_collaborators(self.spoc)
        data.cleaning_task_id.with_user(self.spoc_user).write({"state": "1_done"})
        self.assertEqual(data.state, "cleaned")

    def test_not_needed_data_waits_for_the_go_live(self):
        before, after = date(2030, 3, 1), date(2030, 3, 10)
        self.assertRefused(
            lambda: self._create_import(date_planned=before),
            "cannot be planned before the go-live",
            error=ValidationError,
        )
        data = self._create_import(date_planned=after)
        self.assertRefused(
            lambda: data.write({"date_planned": before}),
            "cannot be planned before the go-live",
            error=ValidationError,
        )
        self.assertRefused(
            lambda: self.mvp.write({"date_go_live": date(2030, 4, 1)}),
            "cannot be planned before the go-live",
            error=ValidationError,
        )
        undated = self._create_phase("Undated")
        self.assertRefused(
            lambda: self._create_import(
                date_planned=after,
                flow_id=False,
                phase_id=undated.id,
                project_id=self.project.id,
            ),
            "First choose a phase",
            error=ValidationError,
        )
        needed = self._create_import(needed_to_start=True, date_planned=before)
        self.assertRefused(
            lambda: needed.write({"needed_to_start": False}),
            "cannot be planned before the go-live",
            error=ValidationError,
        )
        today = fields.Date.today()
        data.date_planned = False
        self.mvp.write({"date_start": today, "date_go_live": today})
        self.assertRefused(
            lambda: data.write(
                {"cleaned_on": today, "imported_on": today, "row_count": 1}
            ),
            "imported after Sales is live",
            error=ValidationError,
        )

    def test_progress_of_an_import(self):
        data = self._create_import(needed_to_start=True)
        today = fields.Date.today()
        for vals, message in (
            ({"imported_on": today, "row_count": 5}, "after the client has cleaned"),
            ({"imported_on": today, "cleaned_on": today}, "how many rows"),
            (
                {
                    "imported_on": today - timedelta(days=2),
                    "cleaned_on": today,
                    "row_count": 5,
                },
                "after the client has cleaned",
            ),
            ({"cleaned_on": today + timedelta(days=9)}, "in the future"),
        ):
            with self.subTest(vals=vals):
                self.assertRefused(
                    lambda vals=vals: data.write(vals), message, data, ValidationError
                )
        with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation):
            with self.env.cr.savepoint():
                data.row_count = -1
                self.env.flush_all()
        data.write({"cleaned_on": today, "imported_on": today, "row_count": 5})
        self.assertEqual(data.state, "imported")
        self.assertRefused(data.unlink, "stays on record")


@tagged("post_install", "-at_install")
class TestPlanAndTime(ImplementationCommon):
    """A phase is planned from its scope, and time rolls up to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["hr.employee"].create(
            {"name": "Consultant", "user_id": cls.consultant.id}
        )
        cls._create_pack(cls.project)

    def _create_scope(self, application, **values):
        return self.env["project.scope.line"].create(
            {
                "project_id": self.project.id,
                "application_id": application.id,
                "wave": "mvp",
            }
            | values
        )

    def _plan(self, phase):
        action = phase.action_plan()
        return Form(
            self.env[action["res_model"]]
            .with_user(self.consultant)
            .with_context(**action["context"])
        )

    def test_phase_from_its_scope(self):
        self._create_scope(self.crm)
        self._create_scope(self.sales, to_be="<p>As agreed</p>")
        self._create_scope(self.inventory, wave="improvement")
        wizard = self._plan(self.mvp)
        proposed = (self.crm | self.sales).flow_template_ids
        self.assertEqual(len(wizard.line_ids), len(proposed))
        wizard.line_ids.remove(0)
        record = wizard.save()
        kept = record.line_ids
        record.action_plan()
        flows = self.mvp.flow_ids
        self.assertEqual(set(flows.mapped("name")), set(kept.mapped("name")))
        self.assertEqual(flows.application_ids, kept.application_id)
        sales_flows = flows.filtered(lambda f: self.sales in f.application_ids)
        self.assertIn("As agreed", sales_flows[0].to_be)
        tasks = self.mvp.task_ids
        self.assertEqual(len(tasks), sum(len(line.task_ids) for line in kept))
        self.assertEqual(tasks.flow_id, flows)
        clients = tasks.filtered("is_client_task")
        self.assertTrue(clients)
        self.assertFalse(clients.user_ids)
        self.assertEqual((tasks - clients).user_ids, self.consultant)
        self.assertEqual(self.mvp.scope_line_ids.application_id, self.crm | self.sales)
        self.assertEqual(
            self.mvp.planned_hours,
            sum((self.crm | self.sales).mapped("standard_hours")),
        )
        again = self._plan(self.mvp)
        self.assertEqual(len(again.line_ids), len(proposed) - len(flows))

    def test_application_without_template(self):
        application = self.env["project.application"].create({"name": "Fleet"})
        self._create_scope(application)
        self._plan(self.mvp).save().action_plan()
        self.assertEqual(self.mvp.flow_ids.name, "Fleet")

    def test_task_gets_phase_and_flow(self):
        Task = self.env["project.task"]
        before = Task.create({"name": "Early", "project_id": self.project.id})
        self.assertFalse(before.phase_id)
        self.mvp.action_start()
        with Form(Task.with_context(default_project_id=self.project.id)) as form:
            form.name = "Configure"
        task = form.record
        self.assertEqual(task.phase_id, self.mvp)
        self.assertEqual(task.milestone_id, self.mvp.milestone_id)
        flow = self._create_flow(phase_id=self._create_phase("Later").id)
        task.flow_id = flow
        self.assertEqual(task.phase_id, flow.phase_id)
        self.assertEqual(task.milestone_id, flow.phase_id.milestone_id)
        child = Task.create({"name": "Part", "parent_id": task.id})
        self.assertEqual(child.phase_id, task.phase_id)
        self.assertEqual(child.flow_id, flow)
        task.write({"flow_id": False, "phase_id": self.mvp.id})
        self.assertEqual(child.phase_id, self.mvp, "sub-tasks go along")
        task.flow_id = flow
        other = self._create_project(name="Other")
        task.project_id = other
        self.assertFalse(task.phase_id)
        self.assertFalse(task.flow_id)

    def test_task_of_another_projects_phase(self):
        other = self._create_project(name="Other")
        task = self.env["project.task"].create({"name": "T", "project_id": other.id})
        flow = self._create_flow()
        for vals in ({"phase_id": self.mvp.id}, {"flow_id": flow.id}):
            with self.assertRaises(ValidationError):
                self.env["project.task"].create(
                    {"name": "X", "project_id": other.id} | vals
                )
        with self.assertRaises(ValidationError):
            task.phase_id = self.mvp

    def test_plain_projects_have_no_phases(self):
        plain = self.env["project.project"].create({"name": "Internal"})
        task = self.env["project.task"].create({"name": "T", "project_id": plain.id})
        self.assertFalse(task.phase_id)
        self.assertFalse(task.milestone_id)

    def _log(self, hours=1, **values):
        return (
            self.env["account.analytic.line"]
            .with_user(self.consultant)
            .create(
                {"name": "/", "project_id": self.project.id, "unit_amount": hours}
                | values
            )
        )

    def test_time_gets_phase_and_flow(self):
        early = self._log()
        self.assertFalse(early.phase_id)
        self.mvp.action_start()
        yesterday = fields.Date.today() - timedelta(days=1)
        self.assertFalse(self._log(date=yesterday).phase_id, "before its start")
        flow = self._create_flow()
        self.assertEqual(self._log().phase_id, self.mvp)
        task = self.env["project.task"].create(
            {"name": "Configure", "project_id": self.project.id, "flow_id": flow.id}
        )
        line = self._log(2, task_id=task.id)
        self.assertEqual(line.phase_id, self.mvp)
        self.assertEqual(line.flow_id, flow)
        self.assertFalse(early.phase_id, "time of the kick-off stays where it is")
        self.assertEqual(flow.spent_hours, 2)
        self.assertEqual(self.mvp.spent_hours, 3)

    def test_time_of_a_complete_phase_stays(self):
        self.mvp.action_start()
        flow = self._create_flow()
        task = self.env["project.task"].create(
            {
                "name": "Configure",
                "project_id": self.project.id,
                "phase_id": self.mvp.id,
            }
        )
        line = self._log(2, task_id=task.id)
        self.env.flush_all()  # as at the end of the request
        self._finish(flow)
        self.mvp.action_set_ready()
        self.mvp.action_go_live()
        self.mvp.action_complete("Fine")
        later = self._create_phase("Later")
        task.phase_id = later
        self.assertEqual(line.phase_id, self.mvp)
        self.assertEqual(self.mvp.spent_hours, 2)

    def test_hours_by_work_type(self):
        self.mvp.planned_hours = 10
        self.mvp.action_start()
        training = self.env.ref("project_lifecycle.work_type_training")
        meeting = self.env.ref("project_lifecycle.work_type_meeting")
        self._log(2, work_type_id=training.id)
        self._log(1.5, work_type_id=training.id)
        self._log(1, work_type_id=meeting.id)
        self.assertEqual(
            [(p["name"], p["hours"]) for p in self.mvp.hours_by_work_type],
            [(training.name, 3.5), (meeting.name, 1)],
        )
        self.assertEqual(self.mvp.spent_hours, 4.5)
        self.assertEqual(self.mvp.remaining_hours, 5.5)
        self.assertEqual(self.mvp.hours_progress, 45)

    def test_phase_with_time_stays(self):
        line = self._log(1, phase_id=self.mvp.id)
        self.assertRefused(self.mvp.unlink, "history stays")
        self.assertEqual(line.phase_id, self.mvp)

    def test_time_of_somebody_who_sees_no_phases(self):
        self.mvp.action_start()
        user = new_test_user(
            self.env, "pl_time", groups="hr_timesheet.group_hr_timesheet_user"
        )
        self.env["hr.employee"].create({"name": "Helper", "user_id": user.id})
        line = (
            self.env["account.analytic.line"]
            .with_user(user)
            .create({"name": "/", "project_id": self.project.id, "unit_amount": 1})
        )
        self.env.flush_all()
        self.assertEqual(line.sudo().phase_id, self.mvp)

    def test_time_of_another_projects_phase(self):
        other = self._create_project(name="Other")
        with self.assertRaisesRegex(ValidationError, "another project"):
            self._log(1, project_id=other.id, phase_id=self.mvp.id)


@tagged("post_install", "-at_install")
class TestGate(ImplementationCommon):
    """The gates that the phases open."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._keep_criteria(
            "implementation_phase",
            "go_live_phase",
            "go_live_flows",
            "go_live_imports",
        )
        cls.project.stage_id = cls.stage_kickoff

    def assertUnmet(self, stage, *names):
        """Check which criteria keep the gate shut."""
        criteria = self.env["project.stage.criterion"].union(
            *(self.env.ref(f"project_lifecycle.criterion_{name}") for name in names)
        )
        if not criteria:
            self.project.stage_id = stage
            return
        with (
            self.assertRaises(UserError) as caught,
            self.env.cr.savepoint(),
        ):
            self.project.stage_id = stage
        self.project.invalidate_recordset()
        for criterion in stage.criterion_ids:
            check = self.assertIn if criterion in criteria else self.assertNotIn
            check(criterion.name, str(caught.exception))

    def test_phase_with_dates_before_the_implementation(self):
        self.mvp.unlink()
        self.assertUnmet(self.stage_implementation, "implementation_phase")
        phase = self._create_phase("Sales")
        self.assertUnmet(self.stage_implementation, "implementation_phase")
        phase.date_start = date(2030, 1, 7)
        self.assertUnmet(self.stage_implementation, "implementation_phase")
        phase.date_go_live = date(2030, 3, 4)
        self.assertUnmet(self.stage_implementation)

    def test_go_live(self):
        self.project.stage_id = self.stage_implementation
        self.assertUnmet(self.stage_go_live, "go_live_phase")
        self.mvp.action_start()
        self.assertUnmet(self.stage_go_live, "go_live_phase")
        flow = self._create_flow()
        data = self.env["project.data.import"].create(
            {"name": "Customers", "flow_id": flow.id, "needed_to_start": True}
        )
        later = self.env["project.data.import"].create(
            {"name": "Old orders", "flow_id": flow.id}
        )
        other_phase = self._create_phase("Later")
        self._create_flow("Not now", phase_id=other_phase.id)
        self.assertUnmet(self.stage_go_live, "go_live_flows", "go_live_imports")
        self._bring_to_validation(flow)
        self._validate(flow)
        self.assertUnmet(self.stage_go_live, "go_live_flows", "go_live_imports")
        self._train(flow, "user_training")
        flow.step = "done"
        self.assertUnmet(self.stage_go_live, "go_live_imports")
        today = fields.Date.today()
        data.write({"cleaned_on": today, "imported_on": today, "row_count": 3})
        self.assertUnmet(self.stage_go_live)
        self.assertFalse(later.imported_on)


@tagged("post_install", "-at_install")
class TestRights(ImplementationCommon):
    """Whose project it is, and nobody else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls._create_flow()
        cls.request = cls.env["project.development.request"].create(
            {"name": "Labels", "flow_id": cls.flow.id, "need": "Print"}
        )
        cls.data = cls.env["project.data.import"].create(
            {"name": "Customers", "flow_id": cls.flow.id}
        )
        cls.records = (
            cls.mvp,
            cls.flow,
            cls.flow.current_cycle_id,
            cls.request,
            cls.data,
        )

    def _write(self, record):
        if record._name == "project.flow.cycle":
            return record.check_access("write")
        return record.write({"name": "Changed"})

    def test_consultant_of_the_project(self):
        for record in self.records:
            self._write(record.with_user(self.consultant))
        self.mvp.with_user(self.consultant).action_start()
        flow = (
            self.env["project.flow"]
            .with_user(self.consultant)
            .create({"name": "New", "phase_id": self.mvp.id})
        )
        self.assertEqual(flow.cycle_count, 1)

    def test_consultant_of_another_project(self):
        self._create_project(name="Own", user_id=self.colleague.id)
        for record in self.records:
            record = record.with_user(self.colleague)
            record.read(["project_id"])  # open projects may be read
            with self.assertRaises(AccessError):
                self._write(record)
            with self.assertRaises(AccessError):
                record.unlink()
        for model in ("project.phase", "project.flow"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.colleague).create(
                    {"name": "X", "project_id": self.project.id}
                )
        with self.assertRaises(AccessError):
            self.mvp.milestone_id.with_user(self.colleague).write({"name": "X"})

    def test_hidden_project_is_hidden(self):
        self.project.privacy_visibility = "followers"
        for record in self.records:
            found = record.with_user(self.colleague).search([("id", "=", record.id)])
            self.assertFalse(found)

    def test_invited_consultant(self):
        self.project.message_subscribe(partner_ids=self.colleague.partner_id.ids)
        for record in self.records:
            self._write(record.with_user(self.colleague))

    def test_salesperson_reads_the_own_ones_only(self):
        other = self._create_project(name="Other", salesperson_id=False)
        foreign = self._create_phase("Foreign", project_id=other.id)
        Phase = self.env["project.phase"].with_user(self.salesperson)
        self.assertIn(self.mvp, Phase.search([]))
        self.assertNotIn(foreign, Phase.search([]))
        for record in self.records:
            record.with_user(self.salesperson).read(["display_name"])
            with self.assertRaises(AccessError):
                self._write(record.with_user(self.salesperson))

    def test_portal_reads_nothing(self):
        self.project.message_subscribe(partner_ids=self.spoc.ids)
        for user in (self.spoc_user, self.stranger_user):
            for record in self.records:
                with self.assertRaises(AccessError):
                    record.with_user(user).read(["display_name"])
            for name in ("phase_ids", "flow_ids", "phase_timeline"):
                with self.assertRaises(AccessError):
                    self.project.with_user(user).read([name])

    def test_templates_are_the_managers(self):
        template = self.crm.flow_template_ids[0]
        with self.assertRaises(AccessError):
            template.with_user(self.consultant).write({"name": "X"})
        template.with_user(self.manager).write({"name": "X"})

    def test_other_company(self):
        company = self.env["res.company"].create({"name": "B"})
        self.project.company_id = self.env.company
        stranger = new_test_user(
            self.env,
            "pl_company_b",
            groups="project.group_project_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        for record in self.records:
            self.assertFalse(
                record.with_user(stranger).search([("id", "=", record.id)])
            )

    def test_recording_is_the_projects(self):
        meeting = self._show(self.flow)
        for vals in (
            {"recording_url": "https://example.com/x"},
            {"flow_ids": [Command.clear()]},
        ):
            with self.assertRaises(AccessError):
                meeting.with_user(self.colleague).write(vals)

    def test_calendar_stays_open_for_all(self):
        meeting = self._show(self.flow)
        employee = new_test_user(self.env, "pl_employee", groups="base.group_user")
        for user in (self.salesperson, employee, self.consultant):
            with self.subTest(user=user.login):
                self.assertEqual(Form(meeting.with_user(user)).name, meeting.name)


@tagged("post_install", "-at_install")
class TestQueries(ImplementationCommon):
    """Screens cost the same however much is on them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.projects = cls.env["project.project"].create(
            [
                {
                    "name": f"Project {number}",
                    "is_lifecycle": True,
                    "partner_id": cls.client.id,
                    "user_id": cls.consultant.id,
                    "spoc_id": cls.spoc.id,
                }
                for number in range(50)
            ]
        )
        cls.phases = cls.env["project.phase"].create(
            [{"name": p.name, "project_id": p.id} for p in cls.projects]
        )
        for phase in cls.phases:
            phase.state = "in_progress"
        cls.flows = cls.env["project.flow"].create(
            [
                {
                    "name": f"{phase.name} flow {number}",
                    "phase_id": phase.id,
                    "application_ids": [Command.set(cls.crm.ids)],
                }
                for number in range(20)
                for phase in cls.phases
            ]
        )
        cls.env["hr.employee"].create(
            {"name": "Consultant", "user_id": cls.consultant.id}
        )
        cls.env["account.analytic.line"].with_user(cls.consultant).create(
            [
                {
                    "name": "/",
                    "project_id": project.id,
                    "unit_amount": 1,
                    "work_type_id": work_type.id,
                }
                for project in cls.projects
                for work_type in cls.env.ref("project_lifecycle.work_type_analysis")
                | cls.env.ref("project_lifecycle.work_type_training")
            ]
        )
        cls.env.flush_all()

    def _count(self, function):
        """Return the queries of a function on a cold cache of records."""
        for _run in range(2):  # the first one warms the caches of rules and views
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            function()
        return self.env.cr.sql_log_count - before

    def _get_kanban_specification(self, model, view):
        view = self.env.ref(f"project_lifecycle.{view}")
        fields_info = self.env[model].get_views([(view.id, "kanban")])["models"]
        names = fields_info[model]["fields"]
        arch = self.env[model].get_view(view.id, "kanban")["arch"]
        return {
            name: {"fields": {"display_name": {}}}
            if info.get("type") in ("many2one", "many2many")
            else {}
            for name, info in names.items()
            if f'name="{name}"' in arch
        }

    @users("pl_consultant")
    @warmup
    def test_kanban_of_a_thousand_flows(self):
        Flow = self.env["project.flow"]
        spec = self._get_kanban_specification(
            "project.flow", "project_flow_view_kanban"
        )
        self.assertIn("next_action", spec)
        costs = []
        for size in (10, 1000):
            domain = [("id", "in", self.flows[:size].ids)]
            costs.append(
                self._count(
                    lambda domain=domain: Flow.web_search_read(domain, spec, limit=2000)
                )
            )
        self.assertEqual(len(self.flows), 1000)
        self.assertEqual(costs[0], costs[1])
        self.assertLess(costs[1], 30)

    @users("pl_consultant")
    @warmup
    def test_hours_of_fifty_phases_in_one_grouped_query(self):
        phases = self.phases.with_env(self.env)
        phases.mapped("planned_hours")
        self.env["project.work.type"].search([]).mapped("name")
        with self.assertQueryCount(pl_consultant=1):
            phases.mapped("spent_hours")
        self.assertEqual(set(phases.mapped("spent_hours")), {2})

    @users("pl_consultant")
    @warmup
    def test_list_of_phases(self):
        names = {
            name: {}
            for name in (
                "name",
                "is_late",
                "progress",
                "spent_hours",
                "hours_by_work_type",
                "task_count",
                "training_count",
                "display_name",
            )
        }
        costs = [
            self._count(
                lambda size=size: self.env["project.phase"].web_search_read(
                    [("id", "in", self.phases[:size].ids)], names
                )
            )
            for size in (1, 50)
        ]
        self.assertEqual(costs[0], costs[1])

    @users("pl_consultant")
    @warmup
    def test_gate_and_smart_buttons_of_many_projects(self):
        self.projects.sudo().stage_id.ensure_one()
        names = ("gate_progress", "phase_count", "flow_count", "current_phase_id")
        costs = [
            self._count(
                lambda size=size: [
                    self.projects[:size].with_env(self.env).mapped(name)
                    for name in names
                ]
            )
            for size in (2, 50)
        ]
        self.assertEqual(costs[0], costs[1])

    @users("pl_consultant")
    @warmup
    def test_phase_of_many_lines_and_tasks(self):
        lines = self.phases.sudo().timesheet_ids.with_env(self.env)
        tasks = self.env["project.task"].create(
            [
                {"name": "Configure", "project_id": project.id}
                for project in self.projects
            ]
        )

        def compute(records):
            self.env.add_to_compute(records._fields["phase_id"], records)
            records.mapped("phase_id")

        for records in (lines, tasks):
            costs = [
                self._count(lambda size=size, records=records: compute(records[:size]))
                for size in (2, 50)
            ]
            self.assertEqual(costs[0], costs[1])


@tagged("post_install", "-at_install")
class TestTour(HttpCase, ImplementationCommon):
    """A consultant takes a flow through its first cycle."""

    def test_flow_tour(self):
        self.mvp.action_start()
        flow = self._create_flow()
        self._show(flow)
        self._train(flow, "spoc_training")
        self.start_tour(
            f"/odoo/project.flow/{flow.id}",
            "project_lifecycle_flow",
            login="pl_consultant",
        )
        self.assertEqual(flow.cycle_count, 2)
        self.assertEqual(
            flow.cycle_ids.sorted("number")[0].feedback, "The discount is missing"
        )

    @mute_logger("odoo.http")  # it logs the refusal that the tour provokes
    def test_kanban_tour(self):
        self.mvp.action_start()
        flow = self._create_flow()
        self._show(flow)
        self.start_tour(
            "/odoo/business-flows",
            "project_lifecycle_flow_kanban",
            login="pl_consultant",
        )
        self.assertEqual(flow.step, "realisation")

    @mute_logger("odoo.http")  # it logs the refusal that the tour provokes
    def test_phase_tour(self):
        self.env["project.scope.line"].create(
            {
                "project_id": self.project.id,
                "application_id": self.crm.id,
                "wave": "mvp",
            }
        )
        self.start_tour(
            f"/odoo/client-projects/{self.project.id}",
            "project_lifecycle_phase",
            login="pl_consultant",
        )
        self.assertEqual(self.mvp.state, "in_progress")
        self.assertEqual(self.mvp.flow_ids.template_id, self.crm.flow_template_ids)
