from functools import partial

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_access_matrix import ADDON, read_table
from .test_access_methods import MethodsCase, Rollback


@tagged("post_install", "-at_install", "access")
class TestAccessParts(MethodsCase):
    """What is refused on a record is refused by its parents and in batches."""

    def _get_x2many_fields(self):
        """Return the links to records of ours that a record of the project has."""
        for name in sorted(self.registry):
            model = self.env[name]
            if model._abstract or model._transient:
                continue
            for field in model._fields.values():
                if (
                    field.type in ("one2many", "many2many")
                    and field._modules[:1] == (ADDON,)
                    and not field.inherited
                ):
                    yield name, field

    def _get_locked_values(self, name, table):
        """Return values for what nobody writes by hand on a model."""
        return {
            field.name: self._get_value(
                field, self._get_record(name)[field.name], self.env.user
            )[0]
            for field in self._get_fields()[name]
            if table[name, field.name]["kind"] in ("action", "never", "creation")
        }

    @mute_logger("odoo.sql_db", "odoo.models", "odoo.addons")
    def test_commands(self):
        """No command on a link does what its user may not do on the record itself."""
        table = read_table("fields.csv")
        for name, field in self._get_x2many_fields():
            self._get_record(name)
            self._get_record(field.comodel_name)
        self.env.flush_all()
        self.before = self._get_fingerprint()
        own = self._get_fields()
        problems = []
        for name, field in self._get_x2many_fields():
            record = self._get_record(name)
            parts = record.sudo()[field.name]
            part = parts[:1] or self._get_record(field.comodel_name)
            if field.comodel_name not in own or not part:
                continue
            editors = set(table[name, field.name]["editable_by"].split())
            links = {
                "link": [Command.link(part.id)],
                "unlink": [Command.unlink(part.id)],
                "delete": [Command.delete(part.id)],
                "clear": [Command.clear()],
                "set": [Command.set([])],
            }
            locked = {
                key: [Command.update(part.id, values)]
                for key, values in self._get_locked_values(
                    field.comodel_name, table
                ).items()
                if parts
            }
            for role, user in self.roles.items():
                env = self.env(user=user, context={})
                # Who may not touch the list sends no command, and who may, no value
                # that is locked
                may_delete = part.with_env(env).has_access("unlink")
                tried = locked if role in editors else links
                for what, commands in tried.items():
                    if may_delete and what not in (*locked, "link"):
                        continue
                    answer = self._try(
                        partial(self._send, env, record, field, commands),
                        *(name, field.name, role, what),
                    )
                    if answer:
                        problems.append(
                            f"{role}: {what} on {name}.{field.name} changes {answer}"
                        )
        problems += [str(fault) for fault in self.faults]
        self.assertFalse(problems, "\n" + "\n".join(problems))

    def _send(self, env, record, field, commands):
        record.with_env(env).write({field.name: commands})
        env.flush_all()
        return self.has_written and self._is_changed()

    @mute_logger("odoo.sql_db", "odoo.models", "odoo.addons")
    def test_mixed_batches(self):
        """One record of somebody else in a batch, and nothing changes."""
        table = read_table("fields.csv")
        foreign = self._create_foreign_records()
        self.env.flush_all()
        self.before = self._get_fingerprint()
        env = self.env(user=self.consultant, context={})
        problems = []
        for name, other in foreign.items():
            mine = self._get_record(name)
            for field in self._get_fields()[name]:
                if "consultant" not in table[name, field.name]["editable_by"].split():
                    continue
                values, _taken = self._get_value(
                    field, mine[field.name], self.consultant
                )
                for records in (mine + other, other + mine):
                    if self._try(
                        lambda records=records, values=values: self._write_batch(
                            records.with_env(env), values
                        ),
                        *(name, field.name),
                    ):
                        problems.append(f"{name}.{field.name}")
            if name == "calendar.event":
                continue  # stock Odoo: who sees a meeting may take it off the calendar
            both = (mine + other).with_env(env)
            if self._try(partial(self._delete_batch, both), name):
                problems.append(f"{name} is deleted")
        problems += [str(fault) for fault in self.faults]
        self.assertFalse(problems, "\n" + "\n".join(problems))

    def _write_batch(self, records, values):
        records.write(values)
        records.env.flush_all()
        return self._is_changed()

    def _delete_batch(self, records):
        records.unlink()
        records.env.flush_all()
        return True

    def _create_foreign_records(self):
        """Create a project of a colleague with one of everything in it."""
        project = self._create_project(
            name="Harbour ERP",
            partner_id=self.other_client.id,
            user_id=self.colleague.id,
            company_id=self.env.company.id,
        )
        phase = self._create_phase(project, "Ride")
        create = {
            "project.flow": {"phase_id": phase.id},
            "project.risk": {},
            "project.scope.line": {"application_id": self.crm.id},
        }
        records = {
            name: self.env[name].create(
                {"name": "Theirs", "project_id": project.id} | values
                if "name" in self.env[name]._fields
                else {"project_id": project.id} | values
            )
            for name, values in create.items()
        }
        flow = records["project.flow"]
        for name in ("project.development.request", "project.data.import"):
            records[name] = self.env[name].create(
                {"name": "Theirs", "flow_id": flow.id}
                | (
                    {"need": "<p>A label</p>"}
                    if "need" in self.env[name]._fields
                    else {}
                )
            )
        checklist = project.checklist_ids[:1]
        return records | {
            "project.project": project,
            "project.phase": phase,
            "calendar.event": self._create_meeting(
                project,
                "kickoff",
                held=False,
                user_id=self.colleague.id,
                partner_ids=[Command.set(self.colleague.partner_id.ids)],
            ),
            "project.checklist.item": checklist.item_ids[:1],
        }

    def test_wizards_are_their_users_own(self):
        """Nobody reads, changes, confirms or deletes what another one fills in."""
        problems = []
        for name in sorted(self.registry):
            model = self.env[name]
            if (
                model._original_module != ADDON
                or not model._transient
                or name == "project.phase.plan.wizard.line"
            ):
                continue
            with self.assertRaises(Rollback), self.cr.savepoint():
                self._prepare(name, "")
                wizard = model.with_user(self.manager).create(
                    self._get_wizard_values(name)
                )
                self.env.flush_all()
                for role, user in self.roles.items():
                    if user == self.manager:
                        continue
                    theirs = wizard.with_user(user)
                    for way, function in (
                        ("reads", theirs.read),
                        ("writes", lambda: theirs.write({"create_date": False})),  # noqa: B023
                        ("deletes", theirs.unlink),
                    ):
                        if self._try(function, name, way, role) is not None:
                            problems.append(f"{role} {way} {name}")
                        elif not isinstance(
                            self.refusals.get((name, way, role)), AccessError
                        ):
                            problems.append(f"{role} {way} {name}: another refusal")
                raise Rollback
        self.assertFalse(problems, "\n" + "\n".join(problems))
