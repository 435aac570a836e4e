import inspect

from odoo import models
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..models.lifecycle.project_lock import unlocked
from .test_access_matrix import ADDON, AccessMatrixCase, read_table

OURS = f"odoo.addons.{ADDON}."
# What a call could change beside our own tables
STOCK_TABLES = (
    *("project_project", "project_task", "project_milestone", "calendar_event"),
    *("calendar_attendee", "account_analytic_line", "sale_order", "sale_order_line"),
    *("mail_message", "mail_activity", "mail_followers", "mail_mail"),
    *("ir_attachment", "res_partner", "res_company", "product_template"),
)


class Rollback(Exception):
    """What was prepared for a method is over."""


class MethodsCase(AccessMatrixCase):
    """Calls on a prepared project, and whether they changed anything."""

    def setUp(self):
        super().setUp()
        self.bases = {}
        self.records = dict(self.records)
        self._get_record("project.scenario")  # made before anything is tried

    # What is called with what

    def _get_arguments(self, name, method):
        return {
            (name, "message_subscribe"): [self.manager.partner_id.ids],
            ("project.project", "action_move_to_stage"): [self.stage_implementation.id],
            ("project.project", "message_subscribe"): [self.mate.ids],
            ("project.project", "map_tasks"): [self.other_project.id],
        }.get((name, method), [])

    def _get_keywords(self, method):
        return {"body": "Said"} if method == "message_post" else {}

    def _get_wizard_values(self, name):
        """Return what a wizard of ours is filled in with."""
        return {
            "project.stage.override.wizard": {
                "project_id": self.project.id,
                "stage_id": self.stage_go_live.id,
                "reason": "It is late",
            },
            "project.kickoff.wizard": {
                "project_id": self.project.id,
                "conclusion": "go",
                "feasibility_statement": "It can be done",
            },
            "project.flow.decision.wizard": {
                "cycle_id": self.flow.current_cycle_id.id,
                "result": "set_aside",
                "feedback": "Not now",
                "evidence": "A call",
            },
            "project.phase.plan.wizard": {
                "phase_id": self.phase.id,
                "scope_line_ids": [Command.set(self.scope_line.ids)],
            },
            "project.phase.complete.wizard": {
                "phase_id": self.phase.id,
                "statement": "All runs",
                "evidence": "A call",
            },
            "project.phase.dates.wizard": {
                "phase_id": self.phase.id,
                "date_start_real": "2026-01-05",
                "reason": "It was on Monday",
            },
            "project.scenario.fail.wizard": {
                "scenario_id": self._get_record("project.scenario").id,
                "note": "It does not print",
            },
        }.get(name, {})

    def _prepare(self, name, method):
        """Bring the record to where the method does what it is for."""
        if name.startswith(("project.phase", "project.flow", "project.scenario")):
            self._move(self.project, self.stage_implementation)
        record = unlocked(self._get_record(name).sudo())
        states = {
            ("project.phase", "action_set_ready"): "in_progress",
            ("project.phase", "action_back_to_work"): "ready",
            ("project.phase", "action_go_live"): "ready",
            ("project.phase", "action_complete"): "live",
            ("project.risk", "action_reopen"): "resolved",
        }
        if (name, method) in states:
            record.write({"state": states[name, method]})
        if method == "action_take_back_start":
            phase = self._create_phase(
                self.project,
                "Later",
                date_start="2031-07-07",
                date_go_live="2031-09-01",
            )
            unlocked(phase).state = "in_progress"
            self.records[name] = phase
        if name == "project.phase.complete.wizard":
            unlocked(self.phase.sudo()).state = "live"
        if name == "project.phase.dates.wizard":
            unlocked(self.phase.sudo()).write(
                {"state": "in_progress", "date_start_real": "2026-01-06"}
            )
        if name == "project.risk":
            record.answer = "We know"
        if name in ("project.scenario", "project.scenario.fail.wizard"):
            unlocked(self.flow.current_cycle_id.sudo()).step = "validation"
            self.env.flush_all()
        if name == "project.data.import":
            record.row_count = 3
        if method == "action_take_up":
            record.active = False
        if method == "action_reactivate":
            record.cancelled = True
        if name == "project.development.request":
            record.write(
                {
                    "specification": "<p>A label</p>",
                    "workaround": "By hand",
                    "value": "<p>Faster</p>",
                    "developer_id": self.consultant.id,
                }
            )
            if method == "action_reopen":
                record.decision = "rejected"
            if method == "action_reject":
                record.wave = "improvement"
        if name == "project.kickoff.agreement":
            record.spoc_id.email = "spoc@example.com"
        self.env.flush_all()
        self.env.invalidate_all()

    def _call(self, env, name, method):
        model = env[name]
        if model._transient:
            records = model.create(self._get_wizard_values(name))
        else:
            records = self._get_record(name).with_env(env)
        function = getattr(records, method)
        function(*self._get_arguments(name, method), **self._get_keywords(method))
        env.flush_all()
        return "wrote" if self.has_written and self._is_changed() else "nothing"

    # What it changed

    def _get_tables(self):
        tables = dict.fromkeys(STOCK_TABLES)
        for name in self.registry:
            model = self.env[name]
            if model._abstract or model._transient:
                continue
            if model._original_module == ADDON and model._auto:
                tables[model._table] = None
            for field in model._fields.values():
                if field.type == "many2many" and field._modules[:1] == (ADDON,):
                    if field.store and field.relation:
                        tables[field.relation] = None
        return sorted(tables)

    def _get_fingerprint(self):
        query = SQL(" UNION ALL ").join(
            SQL(
                "SELECT %s, md5(string_agg(t, ',' ORDER BY t)) FROM "
                "(SELECT (to_jsonb(r) - 'write_date' - 'write_uid')::text t FROM %s r)",
                table,
                SQL.identifier(table),
            )
            for table in self._get_tables()
        )
        return dict(self.env.execute_query(query))

    def _is_changed(self):
        """Return the tables that differ from what they were, as words."""
        now = self._get_fingerprint()
        return ", ".join(name for name in now if now[name] != self.before[name])


@tagged("post_install", "-at_install", "access")
class TestAccessMethods(MethodsCase):
    """``access/methods.csv`` says of each method by whom it is called over RPC."""

    def _get_methods(self):
        """Return our public methods, but those that every model has."""
        found = set()
        for name in self.registry:
            model = self.env[name]
            if model._abstract:
                continue
            for base in type(model).mro():
                if not base.__module__.startswith(OURS):
                    continue
                for method, function in vars(base).items():
                    if (
                        inspect.isfunction(function)
                        and not method.startswith("_")
                        and (
                            method.startswith("action_")
                            or not hasattr(models.BaseModel, method)
                        )
                        and not getattr(function, "_api_private", False)
                    ):
                        found.add((name, method))
        return found

    def test_every_method_has_a_row(self):
        known = read_table("methods.csv")
        found = self._get_methods()
        self.assertFalse(
            found - known.keys(),
            "These methods need a row in tests/access/methods.csv, or an underscore",
        )
        self.assertFalse(
            known.keys() - found, "These rows of methods.csv have no method any more"
        )
        for key, row in known.items():
            self.assertLessEqual(set(row["callers"].split()), self.roles.keys(), key)

    def test_methods(self):
        """Who is not listed changes nothing; who is listed gets through."""
        problems = []
        own = read_table("methods.csv")
        for (name, method), row in own.items():
            callers = set(row["callers"].split())
            answers = {}
            records = dict(self.records)
            with mute_logger("odoo.sql_db", "odoo.models", "odoo.addons"):
                with self.assertRaises(Rollback), self.cr.savepoint():
                    self._prepare(name, method)
                    self.before = self._get_fingerprint()
                    for role, user in self.roles.items():
                        env = self.env(user=user, context={})
                        answers[role] = self._try(
                            lambda env=env: self._call(env, name, method),  # noqa: B023
                            *(name, method, role),
                        )
                    raise Rollback
            self.records = records
            for role, answer in answers.items():
                error = self.refusals.get((name, method, role))
                if role not in callers and answer == "wrote":
                    problems.append(f"{name}.{method} is not for {role}")
                if role in callers and isinstance(error, AccessError):
                    problems.append(f"{name}.{method} is refused to {role}: {error}")
            # Where the state of things refuses everybody, rights have to be asked first
            strangers = self.roles.keys() - callers
            if callers and not (
                any(answers[role] for role in callers)
                or all(
                    isinstance(self.refusals.get((name, method, role)), AccessError)
                    for role in strangers
                )
            ):
                errors = {
                    role: self.refusals.get((name, method, role)) for role in self.roles
                }
                problems.append(f"{name}.{method} proves nothing: {errors}")
        problems += [str(fault) for fault in self.faults]
        self.assertFalse(problems, "\n" + "\n".join(problems))
