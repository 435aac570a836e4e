import csv
from collections import defaultdict
from datetime import date, datetime
from pathlib import Path

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.lifecycle.project_lock import unlocked
from .common import AccessCommon

TABLES = Path(__file__).parent / "access"
ADDON = "project_lifecycle"
WAYS = ("write", "import", "create", "default")
TEXTS = ("char", "text", "html")
NUMBERS = ("integer", "float", "monetary")
MAGIC = ("id", "create_uid", "create_date", "write_uid", "write_date")
MARK = "Matrix"


def read_table(name):
    """Return the rows of a table beside the tests, by its first two columns."""
    with (TABLES / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first, second = list(rows[0])[:2]
    return {(row[first], row[second]): row for row in rows}


class AccessMatrixCase(AccessCommon):
    """Try to change every field of ours, as every role and in every way."""

    def _get_fields(self):
        """Return our fields by model: those of our models, and ours on stock models."""
        found = defaultdict(list)
        for name in sorted(self.registry):
            model = self.env[name]
            if model._abstract:
                continue
            for field in model._fields.values():
                if (
                    field._modules[:1] == (ADDON,)
                    and not field.inherited
                    and field.name not in MAGIC
                ):
                    found[name].append(field)
        return {name: sorted(fs, key=lambda f: f.name) for name, fs in found.items()}

    # What is tried on which record, and with which values

    @classmethod
    def _create_client_project(cls):  # pylint: disable=missing-return
        super()._create_client_project()
        env = cls.env
        second_phase = cls._create_phase(
            cls.project, "Deliver", date_start="2031-04-07", date_go_live="2031-06-02"
        )
        env["project.flow"].create(
            {
                "name": "From the order to the delivery",
                "project_id": cls.project.id,
                "phase_id": second_phase.id,
            }
        )
        pack = cls._create_pack(cls.project, 8)
        poc, cls.second_poc = (
            cls._create_meeting(
                cls.project, "poc", flow_ids=[Command.set(cls.flow.ids)]
            )
            for _index in range(2)
        )
        application = env["project.application"].create({"name": "Parking"})
        template = env["project.flow.template"].create(
            {
                "name": "Buy",
                "application_id": cls.sales.id,
                "task_ids": [Command.create({"name": "Vendors"})],
            }
        )
        cls._settle(cls.project.checklist_ids.filtered(lambda c: c.kind == "kickoff"))
        agreement = cls._conclude_kickoff(cls.project)
        draft = cls.order.copy()
        planned = cls._create_meeting(
            cls.project,
            "kickoff",
            held=False,
            start=datetime(2031, 1, 6, 9),
            stop=datetime(2031, 1, 6, 10),
        )
        stage = cls.stage_kickoff.copy({"name": "Second Kick-off"})
        cls.records = {
            record._name: record
            for record in (
                *(agreement, cls.crm, cls.project, pack, cls.scope_line),
                *(cls.phase, cls.flow, cls.flow.cycle_ids[:1], cls.development),
                *(cls.data_import, cls.task, cls.line, cls.risk, planned),
                *(cls.meeting.attendee_ids[:1], cls.checklist, cls.point, template),
                *(template.task_ids, cls.project.transition_ids[:1], draft),
                *(draft.order_line[:1], cls.phase.milestone_id, stage),
                *(cls.client, env.company),
                *(
                    cls.order.order_line.product_id,
                    draft.order_line.product_template_id,
                ),
            )
        }
        cls.others = {
            "project.project": cls.other_project,
            "project.phase": second_phase,
            "project.project.stage": cls.stage_go_live,
            "calendar.event": poc,
            "project.application": application,
            "res.company": cls.other_company,
            "res.partner": cls.mate,
        }

    def _get_record(self, name):
        if name not in self.records:
            model = self.env[name]
            domain = (
                [("project_id", "=", self.project.id)]
                if "project_id" in model._fields and model._fields["project_id"].store
                else []
            )
            record = model if model._transient else model.search(domain, limit=1)
            if not record and not model._transient:
                record = unlocked(model).create(self._get_base(name))
                record = record.with_env(self.env)
            self.records[name] = record
        return self.records[name]

    def _get_base(self, name):
        """Return what a record of the client project is created with."""
        if name not in self.bases:
            base = {}
            for field in self.env[name]._fields.values():
                # sudo-less on purpose: defaults are the same for everybody
                is_needed = field.required and not field.default
                is_part = field.name in (
                    "project_id",
                    "phase_id",
                    "flow_id",
                    "cycle_id",
                )
                if (
                    (is_needed or is_part)
                    and not field.related
                    and field.store
                    and field.type not in ("one2many", "many2many")
                ):
                    base[field.name] = self._get_base_value(field)
            self.bases[name] = base | self._get_special_base().get(name, {})
        return dict(self.bases[name])

    def _get_base_value(self, field):
        if field.type == "many2one":
            return self._get_record(field.comodel_name).id
        if field.type == "selection":
            return field.get_values(self.env)[0]
        if field.type in NUMBERS:
            return 1
        if field.type in ("date", "datetime"):
            return field.to_string(
                field.today() if field.type == "date" else field.now()
            )
        return "New"

    def _get_special_base(self):
        return {
            "project.project": {
                "is_lifecycle": True,
                "partner_id": self.client.id,
                "company_id": self.env.company.id,
            },
            "account.analytic.line": {
                "project_id": self.project.id,
                "task_id": self.task.id,
                "unit_amount": 1,
            },
            "calendar.event": {
                "lifecycle_meeting": "kickoff",
                "start": "2031-01-06 09:00:00",
                "stop": "2031-01-06 10:00:00",
            },
            "project.checklist": {"kind": "go_live"},
            "project.consultancy.pack": {"purchased_hours": 8},
            "project.development.request": {"wave": "mvp", "mvp_reason": "The law"},
            "project.scope.line": {"application_id": self.sales.id},
            "project.stage.criterion": {"domain": "[('id', '!=', 0)]"},
            "sale.order": {"partner_id": self.client.id},
            "sale.order.line": {
                "product_id": self.order.order_line.product_id.id,
            },
        }

    def _get_special_values(self):
        """Return the values that differ from what their type would take.

        A dict holds what has to be written together with the field.
        """
        return {
            ("project.stage.criterion", "domain"): "[('id', '>', 0)]",
            ("project.project", "spoc_id"): self.mate.id,
            ("project.project", "spoc_stand_in_id"): self.mate.id,
            ("project.stage.override.wizard", "stage_id"): self.stage_go_live.id,
            ("calendar.event", "recording_url"): "https://meet.example.com/Matrix",
            # What was held keeps its project and its kind
            ("calendar.event", "project_id"): {
                "project_id": self.other_project.id,
                "held": False,
            },
            ("calendar.event", "lifecycle_meeting"): {
                "lifecycle_meeting": "internal_kickoff",
                "held": False,
            },
            ("account.analytic.line", "pack_write_off"): {
                "pack_write_off": True,
                "write_off_reason": "Our mistake",
            },
            ("project.development.request", "wave"): {
                "wave": "mvp",
                "mvp_reason": "The law",
            },
            ("project.data.import", "date_planned"): {
                "needed_to_start": True,
                "date_planned": date(2031, 2, 3),
            },
            ("project.data.import", "imported_on"): {
                "needed_to_start": True,
                "cleaned_on": date(2025, 2, 3),
                "imported_on": date(2025, 2, 3),
                "row_count": 12,
            },
            ("project.development.request", "phase_id"): {
                "phase_id": self.others["project.phase"].id,
                "wave": "mvp",
                "mvp_reason": "The law",
            },
            ("project.flow", "poc_meeting_id"): self.second_poc.id,
            ("calendar.event", "held"): {
                "held": True,
                "start": "2025-02-03 09:00:00",
                "stop": "2025-02-03 10:00:00",
            },
            ("calendar.attendee", "reaction"): {
                "attended": True,
                "reaction": "practice",
            },
            ("res.company", "pack_alert_thresholds"): "10, 20",
            ("res.config.settings", "pack_alert_thresholds"): "10, 20",
        }

    def _get_value(self, field, current, user):
        """Return what to hand in for a field and what tells whether it was taken.

        :param current: the value that it has without
        :param user: who does it: links to users and contacts lead to themselves
        """
        special = self._get_special_values().get((field.model_name, field.name))
        if special is not None:
            values = special if isinstance(special, dict) else {field.name: special}
            expected = values[field.name]
            return values, lambda value: (
                value.id if field.type == "many2one" else value
            ) == expected
        if field.type == "one2many":
            child = self._get_base(field.comodel_name)
            child.pop(field.inverse_name, None)
            known = len(current)
            return (
                {field.name: [Command.create(child)]},
                lambda value: len(value) > known,
            )
        if field.type in ("many2one", "many2many"):
            other = self._get_other(field, current, user)
            value = other.id if field.type == "many2one" else [Command.set(other.ids)]
            return {field.name: value}, lambda value: bool(other) and value == other
        is_past = field.name.endswith(("_on", "_real"))
        day = "2025-02-03" if is_past else "2031-02-03"
        value = {
            "boolean": lambda: not current,
            "selection": lambda: next(
                (key for key in field.get_values(self.env) if key != current), False
            ),
            "date": lambda: day,
            "datetime": lambda: f"{day} 05:06:07",
            "binary": lambda: "TWF0cml4",
            "json": lambda: {MARK: 1},
        }.get(field.type)
        if field.type in TEXTS:
            text = f"https://{MARK}.example.com" if "url" in field.name else MARK
            return {field.name: text}, lambda value: MARK in str(value)
        if field.type in NUMBERS:
            number = (current or 0) + 7
            return {field.name: number}, lambda value: value == number
        handed = value()
        expected = {
            "date": fields.Date.to_date,
            "datetime": fields.Datetime.to_datetime,
            "binary": lambda value: value.encode(),
        }.get(field.type, lambda value: value)(handed)
        return {field.name: handed}, lambda value: value == expected

    def _get_other(self, field, current, user):
        comodel = self.env[field.comodel_name]
        if field.comodel_name == "res.users" and not user.share and current != user:
            return user
        other = self.others.get(field.comodel_name, comodel)
        if other and other != current:
            return other
        domain = [("id", "not in", current.ids)]
        if "project_id" in comodel._fields and comodel._fields["project_id"].store:
            domain.append(("project_id", "=", self.project.id))
        return comodel.search(domain, limit=1)

    # Trying

    def _as_text(self, name, values):
        """Return the header and the row of an import with these values."""
        header, row = [], []
        for key, value in values.items():
            field = self.env[name]._fields[key]
            if field.type == "many2many":
                key, value = f"{key}/.id", ",".join(map(str, value[0][2]))
            elif field.type == "many2one":
                key = f"{key}/.id"
            elif isinstance(value, bool):
                value = int(value)
            header.append(key)
            row.append(str(value))
        return header, row

    def _load(self, model, values, record=None):
        header, row = self._as_text(model._name, values)
        if record:
            header, row = [".id", *header], [str(record.id), *row]
        result = model.load(header, [row])
        for message in result["messages"]:
            if "Unknown" in str(message["message"]):
                raise ValueError(message["message"])
        return model.browse(result["ids"] or [])

    def _observe(self, table):
        """Return how fields were changed: ``{(model, field): {way: {role}}}``.

        What the table allows is tried together first, for its tracebacks and to see
        that it is taken; what it does not allow is tried alone, field by field.
        """
        self.bases = {}
        self.env.flush_all()
        seen = defaultdict(lambda: {way: set() for way in WAYS})
        for name, own in self._get_fields().items():
            for role, user in self.roles.items():
                allowed = {
                    way: [
                        field
                        for field in own
                        if role in self._get_allowed(table[name, field.name], way)
                    ]
                    for way in WAYS
                }
                if role == "administrator" and not any(allowed.values()):
                    continue  # whose rights are those of an employee
                env = self.env(user=user, context={"tracking_disable": True})
                self._observe_write(env, role, name, own, allowed, seen)
                self._observe_create(env, role, name, own, allowed, seen)
        return seen

    def _observe_write(self, env, role, name, own, allowed, seen):
        record = self._get_record(name).sudo()
        model = env[name]
        if model._transient:
            return  # everybody reaches their own only: creation tells
        self.assertTrue(record, f"No record of {name} to try")
        mine = record.with_env(env)
        in_reach = bool(self._try(lambda: mine.has_access("write")))

        def write(way, tried):
            values = {
                key: value for v, _taken in tried.values() for key, value in v.items()
            }
            if way == "write":
                mine.write(values)
            else:
                self._load(model, values, record)
            env.flush_all()
            record.invalidate_recordset()
            return {
                field.name
                for field, (_values, was_taken) in tried.items()
                if was_taken(record[field.name])
            }

        for way in WAYS[:2]:
            tried = {
                field: self._get_value(field, record[field.name], env.user)
                for field in own
                if way == "write" or (in_reach and field.type != "one2many")
            }
            self._observe_way(role, name, way, tried, allowed[way], write, seen)

    def _observe_create(self, env, role, name, own, allowed, seen):
        base = self._get_base(name)
        model = env[name]

        def create(way, tried=None):
            values = {
                key: value
                for v, _taken in (tried or {}).values()
                for key, value in v.items()
            }
            if way == "default":
                context = {f"default_{key}": value for key, value in values.items()}
                rest = {key: value for key, value in base.items() if key not in values}
                record = model.with_context(**context).create(rest)
            else:
                record = model.create(base | values)
            env.flush_all()
            record_sudo = record.sudo()
            record_sudo.invalidate_recordset()
            if tried is None:
                return {field.name: record_sudo[field.name] for field in own}
            return {
                field.name
                for field, (_values, was_taken) in tried.items()
                if was_taken(record_sudo[field.name])
            }

        natural = self._try(lambda: create("create"), name, "", role, "create")
        if natural is None:
            return
        seen[name, ""]["create"].add(role)
        tried = {
            field: self._get_value(field, natural[field.name], env.user)
            for field in own
        }
        for way in WAYS[2:]:
            self._observe_way(role, name, way, tried, allowed[way], create, seen)

    def _observe_way(self, role, name, way, tried, allowed, function, seen):
        """Try values, those that are allowed together and the others one by one."""
        together = {field: tried[field] for field in tried if field in allowed}
        taken = set()
        if len(together) > 1:
            faults = list(self.faults)
            taken = self._try(lambda: function(way, together)) or set()
            self.faults = faults  # each is tried again, alone
        for field in tried:
            if field.name not in taken and self._try(
                lambda field=field: function(way, {field: tried[field]}),
                *(name, field.name, role, way),
            ):
                taken.add(field.name)
        for field_name in taken:
            seen[name, field_name][way].add(role)

    def _get_allowed(self, row, way):
        """Return the roles that change a field in that way."""
        editors = set(row["editable_by"].split())
        if way in ("write", "import"):
            return editors
        return editors | set(row["created_by"].split())


@tagged("post_install", "-at_install", "access")
class TestAccessMatrix(AccessMatrixCase):
    """``access/fields.csv`` says of each field by whom it is changed."""

    def test_every_field_has_a_row(self):
        known = read_table("fields.csv")
        found = {
            (name, field.name)
            for name, own in self._get_fields().items()
            for field in own
        }
        self.assertFalse(
            found - known.keys(), "These fields need a row in tests/access/fields.csv"
        )
        self.assertFalse(
            known.keys() - found, "These rows of fields.csv have no field any more"
        )

    def test_roles_and_kinds(self):
        for key, row in read_table("fields.csv").items():
            editors = self._get_allowed(row, "write")
            creators = self._get_allowed(row, "create")
            self.assertLessEqual(editors | creators, self.roles.keys(), key)
            self.assertIn(row["kind"], ("editable", "creation", "action", "never"), key)
            self.assertEqual(bool(editors), row["kind"] == "editable", key)
            self.assertEqual(
                bool(creators), row["kind"] in ("editable", "creation"), key
            )

    def test_fields(self):
        """Each field is changed by those of its row, and by nobody else in any way."""
        table = read_table("fields.csv")
        with mute_logger("odoo.sql_db", "odoo.models"):
            seen = self._observe(table)
        problems = [str(fault) for fault in self.faults]
        for (name, field), row in table.items():
            editors = self._get_allowed(row, "write")
            creators = self._get_allowed(row, "create")
            ways = seen[name, field]
            for way in WAYS:
                if intruders := ways[way] - self._get_allowed(row, way):
                    problems.append(
                        f"{name}.{field} ({row['kind']}) is changed by {way}: "
                        + ", ".join(sorted(intruders))
                    )
            is_base = field in self._get_base(name)
            must = (
                creators - seen[name, "" if is_base else field]["create"]
                if row["kind"] == "creation"
                else set()
                if self.env[name]._transient
                else editors - ways["write"]
            )
            for role in sorted(must):
                error = self.refusals.get((name, field, role, "write"), "ignored")
                problems.append(f"{name}.{field} is refused to {role}: {error}")
        self.assertFalse(problems, "\n" + "\n".join(problems))
