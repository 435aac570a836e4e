from datetime import date, timedelta

from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import mute_logger

from .implementation_common import ImplementationCommon


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
