from datetime import date, timedelta

from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common.implementation import ImplementationCommon


class PhaseStateCommon(ImplementationCommon):
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


@tagged("post_install", "-at_install")
class TestPhaseState(PhaseStateCommon):
    """One phase after another, each started, ready, live and complete for real."""

    def test_mvp_then_improvements(self):
        phases = self.mvp | self.stock | self.improvement
        for number, phase in enumerate(phases):
            for later in phases[number + 1 :]:
                with self.assertRefused(UserError, "cannot start yet"):
                    later.action_start()
            self._make_live(phase)
            self.assertEqual(self.project.current_phase_id, phase)
            for later in phases[number + 1 :]:
                with self.assertRefused(
                    UserError, f"go-live of {phase.name} is complete"
                ):
                    later.action_start()
            self._agree_complete(phase)
            self.assertEqual(phase.state, "complete")
            self.assertEqual(phase.completed_by_id, self.spoc)
            self.assertTrue(phase.completed_on)
            self.assertFalse(self.project.current_phase_id)

    def test_state_is_nobodys_to_write(self):
        values = {
            "state": "complete",
            "completion_statement": "Never said",
            "completion_evidence": "Nowhere",
            "completed_by_id": self.spoc.id,
            "completed_on": fields.Datetime.now(),
            "completion_recorded_by_id": self.manager.id,
            "date_start_real": fields.Date.today(),
            "date_go_live_real": fields.Date.today(),
        }
        self.mvp.action_start()
        for user in (self.consultant, self.manager, self.env.user):
            for name, value in values.items():
                with self.subTest(name=name, user=user.login):
                    self._assert_locked(user, name, value)

    def _assert_locked(self, user, name, value):
        """Check that a user cannot write a field on any way."""
        Phase = self.env["project.phase"].with_user(user)
        phase = Phase.browse(self.mvp.id)
        new = {"name": "New", "project_id": self.project.id}
        vals = {name: value}
        update = {"phase_ids": [Command.update(phase.id, vals)]}
        for way in (
            lambda: phase.write(vals),
            lambda: phase.web_save(vals, {}),
            lambda: phase.with_context(lifecycle_unlocked=True).write(vals),
            lambda: self.project.with_user(user).write(update),
            lambda: Phase.create(new | vals),
            lambda: Phase.with_context(**{f"default_{name}": value}).create(new),
        ):
            with self.assertRefused(AccessError, "written by the system"):
                way()

    def test_copy_is_planned(self):
        self._make_live(self.mvp)
        self._agree_complete(self.mvp)
        copy = self.mvp.copy()
        self.assertEqual(copy.state, "planned")
        self.assertFalse(copy.date_go_live)
        self.assertFalse(copy.date_start_real or copy.completion_statement)
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
        self.assertIn("written by the system", result["messages"][0]["message"])

    def test_states_are_not_skipped(self):
        for function in (
            self.mvp._set_ready,
            self.mvp._set_live,
            lambda: self.mvp._complete("Fine", "E-mail"),
            self.mvp.action_back_to_work,
            self.mvp.action_take_back_start,
        ):
            with self.assertRefused(UserError, "What may follow: In Progress"):
                function()
        self.mvp.action_start()
        with self.assertRefused(UserError, "cannot become"):
            self.mvp.action_start()
        with self.assertRefused(UserError, "cannot become"):
            self.mvp.action_back_to_work()
        with self.assertRefused(UserError, "cannot become"):
            (self.mvp | self.stock).action_start()

    def test_only_one_of_a_batch(self):
        with self.assertRefused(UserError, "Only one phase"):
            (self.mvp | self.stock).action_start()

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

    def test_only_the_consultant_of_the_project_moves_it(self):
        for user in (self.colleague, self.salesperson):
            phase = self.mvp.with_user(user)
            for function in (phase.action_start, phase._set_live):
                with self.assertRaises(AccessError):
                    function()
        self.mvp.with_user(self.consultant).action_start()
        self.assertEqual(self.mvp.state, "in_progress")

    def test_ready_needs_validated_and_trained_flows(self):
        self.mvp.action_start()
        with self.assertRefused(UserError, "no business flows"):
            self.mvp._set_ready()
        flow = self._create_flow()
        with self.assertRefused(UserError, flow.name):
            self.mvp._set_ready()
        self._finish(flow)
        data = self.env["project.data.import"].create(
            {"name": "Customers", "flow_id": flow.id, "needed_to_start": True}
        )
        with self.assertRefused(UserError, "Customers"):
            self.mvp._set_ready()
        data.action_cleaned()
        data.write({"imported_on": fields.Date.today(), "row_count": 120})
        self.mvp._set_ready()
        self.assertEqual(self.mvp.state, "ready")

    def test_data_of_no_phase_is_needed_by_each_go_live(self):
        self.mvp.action_start()
        self._finish(self._create_flow())
        data = self.env["project.data.import"].create(
            {
                "name": "Customers",
                "project_id": self.project.id,
                "needed_to_start": True,
            }
        )
        self.assertFalse(data.phase_id)
        with self.assertRefused(UserError, "no phase to come: Customers"):
            self.mvp._set_ready()
        data.phase_id = self.stock
        self.mvp._set_ready()
        data.phase_id = False
        with self.assertRefused(UserError, "no phase to come: Customers"):
            self.mvp._set_live()
        data.needed_to_start = False
        self.mvp._set_live()
        with self.assertRefused(UserError, "is live already"):
            data.write({"phase_id": self.mvp.id, "needed_to_start": True})

    def test_developments_that_the_mvp_needs(self):
        self.mvp.action_start()
        flow = self._create_flow()
        self._finish(flow)
        request = self.env["project.development.request"].create(
            {
                "name": "Labels",
                "project_id": self.project.id,
                "need": "Print labels",
                "value": "Two hours a day",
                "workaround": "Write them by hand",
                "wave": "mvp",
                "mvp_reason": "No bottle leaves without one",
                "specification": "Print them",
                "developer_id": self.colleague.id,
            }
        )
        with self.assertRefused(UserError, "to be decided: Labels"):
            self.mvp._set_ready()
        request.action_approve()
        with self.assertRefused(UserError, "not done yet: Labels"):
            self.mvp._set_ready()
        request.task_id.state = "1_done"
        self.mvp._set_ready()
        request.task_id.state = "01_in_progress"
        with self.assertRefused(UserError, "not done yet: Labels"):
            self.mvp._set_live()

    def test_feedback_takes_back_that_a_phase_is_ready(self):
        self.mvp.action_start()
        flow = self._create_flow()
        self._finish(flow)
        self.mvp._set_ready()
        flow._refine("The label is too small")
        self.assertEqual(self.mvp.state, "in_progress")
        self.assertEqual(flow.step, "analysis")

    def test_complete_needs_the_words_of_the_client(self):
        self._make_live(self.mvp)
        for words in ("", "   ", False):
            with self.assertRefused(UserError, "what the SPOC said"):
                self.mvp._complete(words, "E-mail")
        with self.assertRefused(UserError, "where the SPOC said so"):
            self.mvp._complete("All works", " ")
        self.project.spoc_id = False
        with self.assertRefused(UserError, "has no SPOC"):
            self._agree_complete(self.mvp)

    def test_who_agreed_who_recorded_it_and_when(self):
        self._make_live(self.mvp)
        with freeze_time("2031-02-03 10:00:00"):
            self.mvp.with_user(self.consultant)._complete(" Fine ", "Call")
        self.assertRecordValues(
            self.mvp,
            [
                {
                    "completion_statement": "Fine",
                    "completion_evidence": "Call",
                    "completed_by_id": self.spoc.id,
                    "completion_recorded_by_id": self.consultant.id,
                    "completed_on": fields.Datetime.to_datetime("2031-02-03 10:00:00"),
                }
            ],
        )

    def test_the_spoc_agrees_without_evidence(self):
        self._make_live(self.mvp)
        for user in (self.stranger_user, self.spoc_user):
            with self.assertRaises(AccessError):
                self.mvp.with_user(user)._complete("Fine", "E-mail")
        # as a page of the portal does
        with self.assertRaisesRegex(AccessError, "Only the SPOC"):
            self.mvp.with_user(self.stranger_user).sudo()._complete("Fine", "E-mail")
        self.mvp.with_user(self.spoc_user).sudo()._complete("Fine")
        self.assertEqual(self.mvp.completion_recorded_by_id, self.spoc_user)

    def test_complete_phase_is_not_changed(self):
        flow = self._make_live(self.mvp)
        data = self.env["project.data.import"].create(
            {
                "name": "Old orders",
                "flow_id": flow.id,
                "cleaned_on": fields.Date.today(),
                "imported_on": fields.Date.today(),
                "row_count": 3,
                "needed_to_start": False,
            }
        )
        line = self.env["project.scope.line"].create(
            {"project_id": self.project.id, "application_id": self.crm.id}
        )
        line.phase_id = self.mvp
        self._agree_complete(self.mvp)
        for vals in (
            {"name": "Other"},
            {"description": "<p>Other</p>"},
            {"date_start": date(2030, 1, 8)},
            {"date_go_live": False},
            {"wave": "improvement"},
            {"planned_hours": 7},
            {"scope_line_ids": [Command.unlink(line.id)]},
            {"flow_ids": [Command.create({"name": "New"})]},
        ):
            for user in (self.consultant, self.manager, self.env.user):
                phase = self.mvp.with_user(user)
                with self.assertRefused(UserError, "is complete"):
                    phase.write(vals)
        for record, vals, message in (
            (flow, {"phase_id": self.stock.id}, "stay"),
            (line, {"phase_id": False}, "is complete"),
            (line, {"phase_id": self.stock.id}, "is complete"),
            (self.mvp.milestone_id, {"name": "Other"}, "is complete"),
            (data, {"imported_on": False}, "stays on record"),
        ):
            record = record.with_user(self.manager)
            with self.assertRefused(UserError, message):
                record.write(vals)
        self.mvp.write({"name": "Sales", "date_start": "2030-01-07"})  # nothing new
        for function in (
            self.mvp.action_back_to_work,
            self.mvp.action_take_back_start,
            lambda: self._agree_complete(self.mvp, "Other words"),
        ):
            with self.assertRefused(UserError, "is complete: the client agreed"):
                function()
        self.assertEqual(self.mvp.completion_statement, "All works, go on")

    def test_live_phase_keeps_its_plan(self):
        self._make_live(self.mvp)
        with self.assertRefused(UserError, "planned dates stay"):
            self.mvp.write({"date_go_live": date(2030, 6, 1)})
        self.mvp.description = "<p>What the client does now</p>"


@tagged("post_install", "-at_install")
class TestPhaseStage(PhaseStateCommon):
    """Phases are worked on in their stages of the project only."""

    def _create_in(self, *stages):
        project = self._create_project(name="Staged", spoc_id=self.spoc.id)
        if stages:
            self._enter(project, *stages)
        return project, self._create_phase("First", project_id=project.id)

    def test_not_in_the_internal_kickoff(self):
        project, phase = self._create_in()
        with self.assertRefused(UserError, "Internal kick-off"):
            phase.action_start()

    def test_in_the_kickoff_once_it_is_concluded(self):
        project, phase = self._create_in(self.stage_kickoff)
        with self.assertRefused(UserError, "is not concluded"):
            phase.action_start()
        self._settle(project.checklist_ids)
        self._conclude_kickoff(project)
        phase.action_start()
        self._finish(self._create_flow(project_id=project.id, phase_id=phase.id))
        phase._set_ready()
        with self.assertRefused(UserError, "stage “Kick-off”"):
            phase._set_live()
        self._enter(project, self.stage_implementation)
        phase._set_live()

    def test_not_after_a_no_go(self):
        project, phase = self._create_in(self.stage_kickoff)
        self._settle(project.checklist_ids)
        self._conclude_kickoff(project, "no_go")
        with self.assertRefused(UserError, "is not concluded"):
            phase.action_start()

    def test_not_in_support_nor_when_done(self):
        for stages in ((self.stage_support,), (self.stage_support, self.stage_done)):
            project, phase = self._create_in(
                self.stage_kickoff, self.stage_implementation, *stages
            )
            with self.assertRefused(UserError, stages[-1].name):
                phase.action_start()

    def test_steps_of_a_running_phase_in_support(self):
        project, phase = self._create_in(self.stage_kickoff, self.stage_implementation)
        phase.action_start()
        self._finish(self._create_flow(project_id=project.id, phase_id=phase.id))
        self._enter(project, self.stage_support)
        with self.assertRefused(UserError, "stage “Support”"):
            phase._set_ready()
        self._enter(project, self.stage_implementation)
        phase._set_ready()
        self._enter(project, self.stage_support)
        with self.assertRefused(UserError, "stage “Support”"):
            phase._set_live()
        self._enter(project, self.stage_implementation)
        phase._set_live()
        self._enter(project, self.stage_support)
        with self.assertRefused(UserError, "stage “Support”"):
            self._agree_complete(phase)

    def test_not_in_an_archived_project(self):
        project, phase = self._create_in(self.stage_kickoff, self.stage_implementation)
        project.active = False
        with self.assertRefused(UserError, "restore it"):
            phase.action_start()

    def test_not_in_a_template(self):
        project, phase = self._create_in()
        project.with_user(self.manager).is_template = True
        with self.assertRefused(UserError, "is a template"):
            phase.action_start()


@tagged("post_install", "-at_install")
class TestPhaseUndo(PhaseStateCommon):
    """What was started by mistake has a way back, and the messages name it."""

    def test_start_by_mistake(self):
        flow = self._create_flow()
        self.mvp.with_user(self.consultant).action_start()
        with self.assertRefused(UserError, "take the start back first"):
            self.mvp.unlink()
        self.mvp.with_user(self.consultant).action_take_back_start()
        self.assertEqual(self.mvp.state, "planned")
        self.assertFalse(self.mvp.date_start_real)
        self.assertEqual(flow.phase_id, self.mvp)
        self.assertFalse(self.project.current_phase_id)
        self.mvp.action_start()
        self.assertEqual(self.mvp.date_start_real, fields.Date.today())

    def test_not_once_time_was_logged(self):
        self.mvp.action_start()
        self.env["hr.employee"].create(
            {"name": "Consultant", "user_id": self.consultant.id}
        )
        line = (
            self.env["account.analytic.line"]
            .with_user(self.consultant)
            .create({"name": "/", "project_id": self.project.id, "unit_amount": 1})
        )
        self.assertEqual(line.phase_id, self.mvp)
        with self.assertRefused(UserError, "move that time to another"):
            self.mvp.action_take_back_start()
        line.phase_id = self.stock
        self.mvp.action_take_back_start()
        self.assertEqual(self.mvp.state, "planned")

    def test_not_once_a_flow_has_gone_on(self):
        self.mvp.action_start()
        flow = self._create_flow()
        self._show(flow)
        flow.step = "realisation"
        with self.assertRefused(UserError, "Set the Flow Aside"):
            self.mvp.action_take_back_start()
        self.mvp.write({"name": "Really meant", "date_start": date(2030, 1, 8)})

    def test_not_once_data_was_imported(self):
        self.mvp.action_start()
        yesterday = fields.Date.today() - timedelta(days=1)
        data = self.env["project.data.import"].create(
            {
                "name": "Customers",
                "project_id": self.project.id,
                "phase_id": self.mvp.id,
                "needed_to_start": True,
                "cleaned_on": yesterday,
                "imported_on": yesterday,
                "row_count": 3,
            }
        )
        for function in (self.mvp.unlink, self.mvp.action_take_back_start):
            with self.assertRefused(UserError, "Customers|take the start back"):
                function()
        data.phase_id = self.stock
        self.mvp.action_take_back_start()
        self.mvp.unlink()
        with self.assertRefused(UserError, "Data was imported"):
            self.stock.unlink()
