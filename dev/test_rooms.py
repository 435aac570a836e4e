"""Tests of the scan of the rooms: ``python -m unittest dev.test_rooms``."""

import tempfile
import unittest
from pathlib import Path
from textwrap import dedent

from .rooms import scan

PHASE = """
class ProjectPhase(models.Model):
    _name = "project.phase"
    state = fields.Char()

class ProjectPhaseHours(models.Model):
    _inherit = "project.phase"
    timesheet_ids = fields.One2many("account.analytic.line", "phase_id")

class ProjectProject(models.Model):
    _inherit = "project.project"
    phase_ids = fields.One2many("project.phase", "project_id")
    name = fields.Char()

    def action_plan_phases(self):
        pass

    def action_archive(self):
        return super().action_archive()

class CalendarEvent(models.Model):
    _inherit = "calendar.event"
    meeting_kind = fields.Selection(selection_add=[("poc", "POC"), ("done",)])
"""
VIEW = '<odoo><record id="phase_view" model="ir.ui.view" /></odoo>'


class TestScan(unittest.TestCase):
    """A project of two rooms: what does the earlier one say about the later one?"""

    def scan(self, path, text):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in (
                ("models/implementation/phase.py", PHASE),
                ("views/implementation_views.xml", VIEW),
                (path, dedent(text)),
            ):
                file = Path(folder) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content)
            return scan(folder)

    def assertFound(self, path, text, *words):
        faults = self.scan(path, text)
        self.assertTrue(faults, text)
        for word in words:
            self.assertIn(word, "\n".join(faults))

    def test_python(self):
        for line in (
            "from ..implementation import phase",
            "from ..implementation.phase import ProjectPhase",
            'env["project.phase"]',
            "project.phase_ids",
            'project.mapped("phase_ids.name")',
            '[("phase_ids", "!=", False)]',
            'Query("SELECT 1 FROM project_phase")',
            "project.action_plan_phases()",
            'env.ref("project_lifecycle.phase_view")',
            'meeting.kind == "poc"',
            "Project.create(dict(phase_ids=[]))",
        ):
            with self.subTest(line):
                self.assertFound("models/pack/pack.py", line, "implementation")

    def test_markup(self):
        for line in (
            '<field name="phase_ids" />',
            '<field name="inherit_id" ref="phase_view" />',
            '<field name="inherit_id" ref="project_lifecycle.phase_view" />',
            '<t t-foreach="project.phase_ids" t-as="phase" />',
            "<field name=\"domain\">[('phase_ids', '=', False)]</field>",
            '<field name="res_model">project.phase</field>',
            '<record id="x" model="project.phase" />',
            '<field name="model_id" ref="model_project_phase" />',
            '<field name="lifecycle_meeting">poc</field>',
            "<field name=\"domain\">[('kind', '=', 'poc')]</field>",
            "<div invisible=\"kind == 'poc'\" />",
        ):
            for path in ("views/pack_views.xml", "demo/pack_demo.xml"):
                with self.subTest(line, path=path):
                    self.assertFound(path, f"<odoo>\n{line}</odoo>", f"{path}:2: ")

    def test_scripts(self):
        self.assertFound("static/src/pack/pack.esm.js", "record.data.phase_ids")

    def test_what_is_allowed(self):
        for path, text in (
            ("models/go_live/go_live.py", "project.phase_ids"),
            ("tests/test_pack.py", "project.phase_ids"),
            ("models/pack/pack.py", "def f():\n    'See project.phase.'\n"),
            ("models/pack/pack.py", "project.action_archive()\nmeeting.state = 'done'"),
            ("models/pack/pack.py", "task.timesheet_ids"),
            ("models/pack/pack.py", "_('The phase of a project')"),
            ("views/pack_views.xml", "<odoo><!-- phase_ids --></odoo>"),
        ):
            with self.subTest(text):
                self.assertEqual(self.scan(path, text), [])

    def test_length(self):
        self.assertFound("models/pack/pack.py", "\n" * 601, "more than 600")
        self.assertFound("tests/test_pack.py", "\n" * 701, "more than 700")
        self.assertFalse(self.scan("models/pack/pack.py", "\n" * 600))
