from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common.implementation import ImplementationCommon


@tagged("post_install", "-at_install")
class TestWays(ImplementationCommon):
    """There is no way round what is gated, and a way back from each mistake."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mvp.action_start()
        cls.flow = cls._create_flow(to_be="<p>Quotation, order</p>")

    def _log(self, **values):
        return self.env["account.analytic.line"].create(
            {
                "name": "Work",
                "project_id": self.project.id,
                "user_id": self.consultant.id,
                "unit_amount": 3,
            }
            | values
        )

    # Time

    def test_time_of_a_complete_phase_stays(self):
        self.env["hr.employee"].create(
            {"name": "Consultant", "user_id": self.consultant.id}
        )
        line = self._log(flow_id=self.flow.id)
        self._finish(self.flow)
        self._go_live(self.mvp)
        self._agree_complete(self.mvp)
        later = self._create_phase("Warehouse")
        other = self._create_flow("Deliveries", phase_id=later.id)
        for user in (self.consultant, self.manager):
            for values in (
                {"phase_id": later.id},
                {"phase_id": later.id, "project_id": self.project.id},
                {"phase_id": False, "project_id": self.project.id, "name": "Work"},
                {"flow_id": other.id},
                {"flow_id": False},
            ):
                with self.subTest(values=values, user=user.login):
                    with self.assertRefused(UserError, "time that it took stays"):
                        line.with_user(user).write(values)
            for command in (Command.unlink(line.id), Command.clear(), Command.set([])):
                with self.assertRefused(UserError, "time that it took stays"):
                    self.flow.with_user(user).write({"timesheet_ids": [command]})
        self.assertEqual((self.mvp.spent_hours, self.flow.spent_hours), (3, 3))
        line.write({"name": "Talk", "phase_id": self.mvp.id, "flow_id": self.flow.id})

    def test_hours_of_flows_in_any_unit(self):
        self.env["hr.employee"].create(
            {"name": "Consultant", "user_id": self.consultant.id}
        )
        minutes = self.env["uom.uom"].create(
            {
                "name": "Minutes",
                "relative_factor": 1 / 60,
                "relative_uom_id": self.env.ref("uom.product_uom_hour").id,
            }
        )
        self._log(flow_id=self.flow.id)
        self._log(
            flow_id=self.flow.id, unit_amount=90, product_uom_id=minutes.id
        ).product_uom_id = minutes
        self.assertAlmostEqual(self.flow.spent_hours, 4.5)
        self.assertAlmostEqual(self.mvp.spent_hours, 4.5)

    # Where the project is

    def test_flows_wait_with_their_phase(self):
        flow = self.flow
        self._show(flow)
        validating = self._create_flow("Deliveries")
        self._bring_to_validation(validating)
        for stage in (self.stage_support, self.stage_done):
            self._override_to(stage)
            with self.assertRefused(UserError, "its phases wait"):
                flow.with_user(self.consultant).action_next_step()
            for answer in (self._validate, self._reject):
                with self.assertRefused(UserError, "its phases wait"):
                    answer(validating.with_user(self.consultant))
            self._override_to(self.stage_implementation)
        self.project.active = False
        with self.assertRefused(UserError, "restore it"):
            flow.with_user(self.manager).write({"step": "realisation"})
        self.project.active = True
        flow.action_next_step()
        self.assertEqual(flow.step, "realisation")
        self._validate(validating)

    def _override_to(self, stage):
        self.env["project.stage.override.wizard"].with_user(self.manager).create(
            {
                "project_id": self.project.id,
                "stage_id": stage.id,
                "reason": "The client goes on",
            }
        ).action_override()

    # Days

    def test_whole_day_has_begun_where_the_user_is(self):
        for zone, now, today, tomorrow in (
            ("Pacific/Auckland", "2029-05-06 12:30:00", "2029-05-07", "2029-05-08"),
            ("Asia/Tokyo", "2029-05-06 15:30:00", "2029-05-07", "2029-05-08"),
            ("America/Mexico_City", "2029-05-07 02:00:00", "2029-05-06", "2029-05-07"),
        ):
            self.consultant.tz = zone
            with self.subTest(zone=zone), freeze_time(now):
                meetings = (
                    self.env["calendar.event"]
                    .with_user(self.consultant)
                    .with_context(tz=zone)
                )
                for day in (today, tomorrow):
                    meetings |= self._meet(
                        self.flow,
                        "spoc_training",
                        held=False,
                        allday=True,
                        start=f"{day} 08:00:00",
                        stop=f"{day} 18:00:00",
                        start_date=day,
                        stop_date=day,
                    )
                meetings[0].held = True
                with self.assertRefused(UserError, "has not begun"):
                    meetings[1].held = True

    def test_days_of_a_phase_are_corrected_by_managers(self):
        self._finish(self.flow)
        self._go_live(self.mvp)
        today = fields.Date.context_today(self.mvp)
        monday = today - timedelta(days=7)
        days = {"date_start_real": monday, "date_go_live_real": today}
        phase = self.mvp.with_user(self.manager)
        context = phase.action_correct_dates()["context"]
        wizards = self.env["project.phase.dates.wizard"].with_user(self.manager)
        wizards.with_context(**context).create(
            {"date_start_real": monday, "reason": "It started\0 last week"}
        ).action_confirm()
        self.assertRecordValues(self.mvp, [days])
        self.assertIn("It started last week", self.mvp.message_ids[0].body)
        self.assertTrue(self.mvp.message_ids[0].subtype_id.internal)
        for values, message in (
            ({"reason": " . "}, "Write down why"),
            ({"date_start_real": False}, "what has happened"),
            ({"date_go_live_real": False}, "what has happened"),
            ({"date_start_real": today, "date_go_live_real": monday}, "before it"),
            ({"date_go_live_real": today + timedelta(days=9)}, "future"),
            ({"date_go_live_real": "soon"}, "cannot be used"),
        ):
            with self.subTest(values=values):
                with self.assertRefused((UserError, ValidationError), message):
                    wizards.create(
                        days | {"phase_id": phase.id, "reason": "Wrong"} | values
                    ).action_confirm()
        planned = self._create_phase("Warehouse")
        with self.assertRefused(UserError, "what has happened"):
            planned.with_user(self.manager)._correct_dates(monday, False, "Earlier")
        for user in (self.consultant, self.colleague, self.salesperson):
            with self.assertRaises(AccessError), self.cr.savepoint():
                wizards.with_user(user).create({"phase_id": phase.id, "reason": "No"})
            with self.assertRaises(AccessError), self.cr.savepoint():
                self.mvp.with_user(user)._correct_dates(today, today, "Because")
        self.assertRecordValues(self.mvp, [days])

    # Junk

    def test_junk_is_answered_in_a_sentence(self):
        cycle = self.flow.current_cycle_id
        task = self.env["project.task"].create(
            {"name": "Configure", "project_id": self.project.id}
        )
        Decision = self.env["project.flow.decision.wizard"].with_user(self.consultant)
        for record, name, value in (
            (self.mvp, "sequence", "1.5"),
            (self.mvp, "flow_ids", {"a": 1}),
            (self.flow, "application_ids", [self.crm.id, "x"]),
            (self.flow, "user_id", {"login": "x"}),
            (task, "work_type_id", 2**40),
            (task, "phase_id", {"a": 1}),
        ):
            with self.subTest(name=name):
                with self.assertRefused(UserError, "cannot be used|not a valid"):
                    record.with_user(self.consultant).write({name: value})
        with self.assertRefused(UserError, "cannot be used"):
            Decision.create({"cycle_id": cycle.id, "result": "perhaps"})
        self._bring_to_validation(self.flow)
        for words in ("\0", "\ud800", "\u200b\0"):
            with self.assertRefused(UserError, "Write down what must"):
                Decision.create(
                    {"cycle_id": cycle.id, "result": "rejected", "feedback": words}
                ).action_confirm()
        Decision.create(
            {
                "cycle_id": cycle.id,
                "result": "rejected",
                "feedback": "No\0 \ud800way",
                "evidence": "Call",
            }
        ).action_confirm()
        self.assertEqual(cycle.feedback, "No way")
