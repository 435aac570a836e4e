from datetime import date, timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common.implementation import ImplementationCommon


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

    def test_mvp_comes_first(self):
        self.project.invalidate_recordset()
        self.assertEqual(
            self.project.phase_ids.mapped("name"), ["Sales", "Warehouse", "Automation"]
        )

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
        with self.assertRefused(ValidationError, "before its planned start"):
            milestone.write({"deadline": date(2029, 1, 1)})
        with self.assertRefused(UserError, "cannot become"):
            milestone.toggle_is_reached(True)
        self.mvp.action_start()
        self._finish(self._create_flow())
        self.mvp._set_ready()
        milestone.toggle_is_reached(True)
        self.assertEqual(self.mvp.state, "live")
        self.assertEqual(self.mvp.date_go_live_real, fields.Date.today())
        with self.assertRefused(UserError, "is live"):
            milestone.toggle_is_reached(False)

    def test_one_milestone_each(self):
        with self.assertRefused(AccessError, "written by the system"):
            self._create_phase("Other", milestone_id=self.mvp.milestone_id.id)
        with self.assertRefused(AccessError, "written by the system"):
            self.mvp.write({"milestone_id": self.stock.milestone_id.id})
        with self.assertRefused(AccessError, "written by the system"):
            self.mvp.milestone_id.write({"phase_ids": [Command.link(self.stock.id)]})
        with self.assertRefused(UserError, "delete the phase instead"):
            self.mvp.milestone_id.unlink()

    def test_milestone_stays_in_the_project(self):
        other = self._create_project(name="Other")
        with self.assertRefused(UserError, "stays in the project"):
            self.mvp.milestone_id.write({"project_id": other.id})

    def test_dates_of_a_phase_do_not_cross(self):
        with self.assertRefused(ValidationError, "is before its planned start"):
            self.mvp.write({"date_start": date(2030, 3, 5)})

    def test_phases_do_not_cross(self):
        with self.assertRefused(ValidationError, "overlap those of Sales"):
            self.stock.write({"date_start": date(2030, 3, 1)})
        with self.assertRefused(ValidationError, "overlap those of Warehouse"):
            self._create_phase("X", date(2030, 4, 1), date(2030, 4, 2))
        self.stock.date_start = self.mvp.date_go_live  # the very day is fine

    def test_real_dates(self):
        today = fields.Date.today()
        for vals in (
            {"date_start_real": today},
            {"date_go_live_real": today},
        ):
            with self.assertRefused(AccessError, "written by the system"):
                self.mvp.with_user(self.manager).write(vals)
        with self.assertRefused(ValidationError, "in the future"):
            self.mvp._start(today + timedelta(days=30))
        self.mvp.action_start()
        self.assertEqual(self.mvp.date_start_real, today)

    def test_junk(self):
        Phase = self.env["project.phase"].with_user(self.consultant)
        phase = Phase.browse(self.mvp.id)
        new = {"name": "New", "project_id": self.project.id}
        for vals in (
            {"planned_hours": "many"},
            {"planned_hours": float("nan")},
            {"planned_hours": float("inf")},
            {"planned_hours": 1e308},
            {"planned_hours": [1]},
            {"sequence": 2**40},
            {"sequence": "first"},
            {"date_start": "soon"},
            {"date_go_live": "2030-02-30"},
            {"date_go_live": 7},
            {"wave": "tsunami"},
            {"project_id": "Almazara"},
        ):
            for function in (
                lambda vals=vals: phase.write(vals),
                lambda vals=vals: Phase.create(new | vals),
            ):
                self.assertRefused(function, "is not a valid value")
        data = self.env["project.data.import"].create(
            {"name": "Customers", "project_id": self.project.id}
        )
        for vals in (
            {"row_count": 1e308},
            {"row_count": "x"},
            {"imported_on": "yesterday"},
        ):
            self.assertRefused(lambda vals=vals: data.write(vals), "is not a valid")

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

    def test_phase_with_history_stays(self):
        flow = self._make_live(self.mvp)
        with self.assertRefused(UserError, "has started and cannot be deleted"):
            self.mvp.unlink()
        with self.assertRefused(UserError, "stays"):
            flow.unlink()
        with self.assertRefused(UserError, "Archive the project"):
            self.project.unlink()
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

    def test_phase_stays_in_its_project_and_wave(self):
        other = self._create_project(name="Other")
        with self.assertRefused(UserError, "stays in Almazara ERP"):
            self.mvp.write({"project_id": other.id})
        self.mvp.action_start()
        with self.assertRefused(UserError, "stays in its wave"):
            self.mvp.write({"wave": "improvement"})
        plain = self.env["project.project"].create({"name": "Internal"})
        with self.assertRefused(ValidationError, "is not a client project"):
            self._create_phase("X", project_id=plain.id)

    def test_scope_of_another_project(self):
        other = self._create_project(name="Other")
        line = self.env["project.scope.line"].create(
            {"project_id": other.id, "application_id": self.crm.id}
        )
        with self.assertRefused(ValidationError, "cannot bring what is in the scope"):
            line.write({"phase_id": self.mvp.id})
