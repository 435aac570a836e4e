import threading

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.sql_db import db_connect
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestConcurrentMoves(BaseCase):
    """Several people move one project at once, each by a connection of its own."""

    CONNECTIONS = 6

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        self.addCleanup(self._delete_data)
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.client = env["res.partner"].create({"name": "Concurrent Client"})
            self.project = env["project.project"].create(
                {
                    "name": "Concurrent",
                    "is_lifecycle": True,
                    "partner_id": self.client.id,
                }
            )

    def _connect(self):
        """Return a cursor of its own, which commits at the end."""
        return db_connect(get_db_name()).cursor()

    def _delete_data(self):
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            project = self.project.with_env(env)
            account = project.account_id
            project.unlink()
            account.unlink()
            self.client.with_env(env).unlink()

    def _move(self, stage, start, errors):
        """Override the gate as a request does it: Odoo tries it again."""
        start.wait()
        try:
            with self._connect() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                project = self.project.with_env(env)
                retrying(
                    lambda: project._override_gate(
                        env.ref(f"project_lifecycle.stage_{stage}"), "Everybody knows"
                    ),
                    env,
                )
        except Exception as error:  # a thread's exception reaches nobody otherwise
            errors.append(error)

    def test_one_moves_and_the_others_read_why_not(self):
        errors = []
        start = threading.Barrier(self.CONNECTIONS)
        threads = [
            threading.Thread(target=self._move, args=("kickoff", start, errors))
            for _number in range(self.CONNECTIONS)
        ]
        with mute_logger("odoo.sql_db"):  # PostgreSQL's refusals, which are tried again
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(len(errors), self.CONNECTIONS - 1)
        for error in errors:
            self.assertIsInstance(error, UserError)
            self.assertIn("is in Kick-off already", str(error))
        with self._connect() as cr:
            project = self.project.with_env(api.Environment(cr, SUPERUSER_ID, {}))
            self.assertEqual(project.lifecycle_stage, "kickoff")
            self.assertEqual(len(project.transition_ids), 2)
            self.assertEqual(len(project.checklist_ids), 2)
