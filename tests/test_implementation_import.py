from datetime import date, timedelta

from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common.implementation import ImplementationCommon


@tagged("post_install", "-at_install")
class TestDataImport(ImplementationCommon):
    """Only data that is needed to start is imported before the go-live."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls._create_flow()
        cls.developer = new_test_user(
            cls.env, "pl_developer", groups="project.group_project_user"
        )

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
        with self.assertRefused(
            ValidationError, "cannot be planned before the go-live"
        ):
            self._create_import(date_planned=before)
        data = self._create_import(date_planned=after)
        with self.assertRefused(
            ValidationError, "cannot be planned before the go-live"
        ):
            data.write({"date_planned": before})
        with self.assertRefused(
            ValidationError, "cannot be planned before the go-live"
        ):
            self.mvp.write({"date_go_live": date(2030, 4, 1)})
        undated = self._create_phase("Undated")
        with self.assertRefused(ValidationError, "First choose a phase"):
            self._create_import(
                date_planned=after,
                flow_id=False,
                phase_id=undated.id,
                project_id=self.project.id,
            )
        needed = self._create_import(needed_to_start=True, date_planned=before)
        with self.assertRefused(
            ValidationError, "cannot be planned before the go-live"
        ):
            needed.write({"needed_to_start": False})
        today = fields.Date.today()
        data.date_planned = False
        self.mvp.write({"date_start": today, "date_go_live": today})
        with self.assertRefused(ValidationError, "imported after Sales is live"):
            data.write({"cleaned_on": today, "imported_on": today, "row_count": 1})

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
                with self.assertRefused(ValidationError, message):
                    data.write(vals)
        with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation):
            with self.env.cr.savepoint():
                data.row_count = -1
                self.env.flush_all()
        data.write({"cleaned_on": today, "imported_on": today, "row_count": 5})
        self.assertEqual(data.state, "imported")
        with self.assertRefused(UserError, "stays on record"):
            data.unlink()
