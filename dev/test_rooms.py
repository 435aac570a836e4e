"""Tests of the scan of the rooms: ``python -m unittest dev.test_rooms``."""

import tempfile
import unittest
from pathlib import Path

from .rooms import scan

#: What the room implementation brings
FILES = {
    "models/implementation/phase.py": """
class ProjectPhase(models.Model):
    _name = "project.phase"
    state = fields.Char()

class ProjectPhaseHours(models.Model):
    _inherit = "project.phase"
    timesheet_ids = fields.One2many("account.analytic.line", "phase_id")

class ProjectProject(models.Model):
    _inherit = "project.project"
    phase_ids = fields.One2many("project.phase", "project_id")
    def action_plan_phases(self): pass
    def action_archive(self): return super().action_archive()

class CalendarEvent(models.Model):
    _inherit = "calendar.event"
    meeting_kind = fields.Selection(selection_add=[("poc", "POC"), ("done",)])
""",
    "views/implementation_views.xml": '<record id="phase_view" model="ir.ui.view" />',
}
#: What pack, an earlier one, may not say of it, and what it may
FORBIDDEN = {
    "models/pack/pack.py": """
from ..implementation import phase
from ..implementation.phase import ProjectPhase
env["project.phase"]
project.phase_ids
project.mapped("phase_ids.name")
[("phase_ids", "!=", False)]
Query("SELECT 1 FROM project_phase")
project.action_plan_phases()
env.ref("project_lifecycle.phase_view")
meeting.kind == "poc"
Project.create(dict(phase_ids=[]))
""",
    "views/pack_views.xml": """
<field name="phase_ids" />
<field name="inherit_id" ref="project_lifecycle.phase_view" />
<t t-foreach="project.phase_ids" t-as="phase" />
<field name="domain">[('phase_ids', '=', False)]</field>
<field name="res_model">project.phase</field>
<record id="x" model="project.phase" />
<field name="model_id" ref="model_project_phase" />
<field name="lifecycle_meeting">poc</field>
<div invisible="kind == 'poc'" />
""",
    "static/src/pack/pack.esm.js": "record.data.phase_ids",
}
ALLOWED = {
    "models/go_live/go_live.py": "project.phase_ids",
    "tests/test_pack.py": "project.phase_ids",
    "models/pack/pack.py": "def f():\n    'See project.phase.'\n"
    "task.timesheet_ids\nproject.action_archive()\nmeeting.state = 'done'\n"
    "_('The phase of a project')",
    "views/pack_views.xml": "<odoo><!-- phase_ids --></odoo>",
}


class TestScan(unittest.TestCase):
    def scan(self, path, text):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in {**FILES, path: text}.items():
                file = Path(folder) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content)
            return scan(folder)

    def test_scan(self):
        for path, text in FORBIDDEN.items():
            for line in text.strip().splitlines():
                with self.subTest(line):
                    self.assertIn(f"{path}:1: ", "\n".join(self.scan(path, line)))
        for path, text in ALLOWED.items():
            with self.subTest(text):
                self.assertEqual(self.scan(path, text), [])

    def test_length(self):
        for path, longest in (("models/pack/pack.py", 600), ("tests/test_a.py", 700)):
            self.assertEqual(self.scan(path, "\n" * longest), [])
            self.assertTrue(self.scan(path, "\n" * (longest + 1)))
