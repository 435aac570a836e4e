import csv
import json

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import AccessCommon
from .test_access_matrix import ADDON, MAGIC, TABLES

SECRET = "INTERNAL-"
OUTSIDERS = (
    *("spoc", "client_colleague", "client_stranger", "former_spoc", "other_client"),
    *("employee", "foreign_consultant", "foreign_manager"),
)
PORTAL = OUTSIDERS[:5]
# Where a secret could come to light beside our own models
STOCK = (
    *("project.project", "project.task", "project.milestone", "project.update"),
    *("account.analytic.line", "calendar.event", "calendar.attendee"),
    *("mail.message", "mail.tracking.value", "mail.activity", "mail.notification"),
    *("mail.followers", "ir.attachment", "sale.order", "sale.order.line"),
    *("res.company", "res.partner", "res.users", "product.template"),
)
REFUSALS = (UserError, ValueError)

# Leaks that are being mended. Empty when all is well.
KNOWN = set()


class LeakCase(AccessCommon):
    """A client project with a secret wherever the firm writes for itself."""

    @classmethod
    def _create_roles(cls):  # pylint: disable=missing-return
        super()._create_roles()
        for role, login in (("client_stranger", "pl_away"), ("former_spoc", "pl_past")):
            partner = cls.env["res.partner"].create(
                {"name": role, "parent_id": cls.client.id, "email": f"{login}@x.test"}
            )
            cls.roles[role] = cls._new_user(
                login, "base.group_portal", partner_id=partner.id
            )

    @classmethod
    def _create_client_project(cls):  # pylint: disable=missing-return
        super()._create_client_project()
        cls.secrets = 0
        project = cls.project
        # Somebody else was the SPOC, and what comes now is not for that person
        spoc, cls.project.spoc_id = project.spoc_id, cls.roles["former_spoc"].partner_id
        cls.env.flush_all()
        cls.project.spoc_id = spoc
        project.write(
            {
                "spoc_communication": cls._secret("the SPOC is in a hurry"),
                "spoc_it_affinity": "low",
            }
        )
        cls._settle(cls.checklist)
        cls._conclude_kickoff(project)
        cls._move(project, cls.stage_implementation, cls._secret("override"))
        activity = project.activity_schedule(
            "mail.mail_activity_data_todo", user_id=cls.consultant.id
        )
        activity.with_user(cls.consultant).action_feedback(cls._secret("feedback"))
        as_consultant = project.with_user(cls.consultant)
        as_consultant.spoc_communication = cls._secret("the SPOC hurries")
        cls.point.write(
            {
                "internal_note": f"<p>{cls._secret('note')}</p>",
                "answer": f"<p>{cls._secret('answer')}</p>",
                "is_client_visible": False,
            }
        )
        cls.point.state = "blocked"
        cls.risk.write({"name": cls._secret("risk"), "answer": cls._secret("risk")})
        cls.scope_line.expectations = cls._secret("expectations")
        cls.flow.delicate_points = f"<p>{cls._secret('delicate')}</p>"
        cls.development.value = f"<p>{cls._secret('value')}</p>"
        cls.meeting.minutes = f"<p>{cls._secret('minutes')}</p>"
        cls.meeting.attendee_ids.write(
            {
                "attended": True,
                "reaction": "opposed",
                "reaction_note": cls._secret("reaction"),
            }
        )
        cls.attachments = cls.env["ir.attachment"].create(
            [
                {
                    "name": cls._secret(record._name),
                    "raw": cls._secret("file").encode(),
                    "res_model": record._name,
                    "res_id": record.id,
                }
                for record in (
                    *(cls.point, cls.risk, cls.scope_line, cls.flow, cls.development),
                    *(cls.data_import, cls.phase, cls.pack, cls.checklist),
                )
            ]
        )
        cls.point.attachment_ids = [Command.link(cls.attachments[0].id)]
        for record in (project, cls.risk, cls.point, cls.flow, cls.meeting):
            record.message_post(
                body=cls._secret(f"log on {record._name}"),
                message_type="comment",
                subtype_xmlid="mail.mt_note",
            )
        cls.env["project.scenario"].create(
            {
                "name": "Ten percent off",
                "flow_id": cls.flow.id,
                "expected_result": cls._secret("result"),
            }
        )
        cls.env.flush_all()

    @classmethod
    def _secret(cls, text):
        cls.secrets += 1
        return f"{SECRET}{cls.secrets} {text}"

    def _get_models(self):
        own = [
            name
            for name in self.registry
            if self.env[name]._original_module == ADDON
            and not self.env[name]._abstract
            and not self.env[name]._transient
        ]
        return sorted({*own, *STOCK})

    def _get_own_models(self):
        return [name for name in self._get_models() if name not in STOCK]

    def _as(self, role, name):
        return self.env(user=self.roles[role], context={})[name]


def read_readers():
    """Return who may read what, by model and field; no field stands for the record."""
    with (TABLES / "readers.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["model"], row["field"]): set(row["readers"].split())
            for row in csv.DictReader(file)
        }


@tagged("post_install", "-at_install", "access")
class TestAccessLeaks(LeakCase):
    """What is internal never comes back, whatever an outsider asks for."""

    def _check(self, problems, what, function):
        """Note when a function returns a secret."""
        try:
            with self.cr.savepoint():
                result = function()
        except REFUSALS:
            return
        text = result if isinstance(result, str) else str(result)
        if SECRET in text and what not in KNOWN:
            at = text.index(SECRET)
            problems.append(f"{what}: {text[at : at + 50]!r}")

    def _get_foreign_messages(self, role):
        """Return the messages of what a role may not read, or reads as a client."""
        readers = read_readers()
        messages = self.env["mail.message"].search([("model", "!=", False)])
        if role in PORTAL:
            return messages
        return messages.filtered(
            lambda message: role not in readers.get((message.model, ""), ())
        )

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_no_secret_by_search_or_id(self):
        """Nothing that is found, read by id, exported or grouped holds a secret."""
        readers = read_readers()
        problems = []
        for role in OUTSIDERS:
            for name in self._get_models():
                if role not in PORTAL and role in readers.get((name, ""), ()):
                    continue  # the house reads what is its own
                model = self._as(role, name)
                everything = self.env[name].sudo()._read_group([], [], ["id:recordset"])
                ids = everything[0][0].ids
                if name == "mail.message":
                    ids = self._get_foreign_messages(role).ids
                if name in ("res.partner", "res.users", "product.template"):
                    ids = []
                self._check(
                    problems,
                    f"{role} search {name}",
                    lambda: model.search([]).read(),  # noqa: B023
                )
                self._check(
                    problems,
                    f"{role} name {name}",
                    lambda: model.name_search("", limit=None),  # noqa: B023
                )
                for record_id in ids:
                    record = model.browse(record_id)
                    self._check(
                        problems,
                        f"{role} read {name}",
                        lambda: record.read(),  # noqa: B023
                    )
                if name != "mail.tracking.value":
                    self._check(
                        problems,
                        f"{role} export {name}",
                        lambda: model.search([]).export_data(  # noqa: B023
                            list(model.fields_get())  # noqa: B023
                        ),
                    )
        self.assertFalse(problems, "\n" + "\n".join(sorted(set(problems))))

    def _get_project_records(self, name):
        """Return the records of the client project, or all of a configuration."""
        records = self.env[name].search([])
        if name == "project.project":
            return self.project
        if "project_id" in records._fields:
            return records.filtered(lambda record: record.project_id == self.project)
        return records

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_records_are_for_their_readers(self):
        """Of the client project, each role finds and reads what the table says."""
        readers = read_readers()
        problems = []
        for name in (*self._get_own_models(), "project.project", "calendar.event"):
            if (name, "") not in readers:
                problems.append(f"{name} needs a row in tests/access/readers.csv")
            records = self._get_project_records(name)
            for role, user in self.roles.items():
                model = self._as(role, name)
                may_read = role in readers.get((name, ""), ())
                found = model.browse()
                try:
                    found = model.search([("id", "in", records.ids)])
                    mine = records.with_user(user)._filtered_access("read")
                except AccessError:
                    mine = found
                if bool(found or mine) != may_read and records:
                    what = "reads no" if may_read else "reads"
                    problems.append(f"{role} {what} {name} ({len(found)})")
        self.assertFalse(problems, "\n" + "\n".join(problems))

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_fields_on_stock_models_are_hidden_from_clients(self):
        """Portal users neither read our fields nor ask a search about them."""
        readers = read_readers()
        problems = []
        for name in self._get_models():
            for field in self.env[name]._fields.values():
                if (
                    field._modules[:1] != (ADDON,)
                    or field.name in MAGIC
                    or self.env[name]._original_module == ADDON
                ):
                    continue
                open_to = readers.get((name, field.name), set())
                for role in ("spoc", "client_colleague", "other_client"):
                    if role not in open_to:
                        for way in self._get_ways_in(role, name, field.name):
                            if f"{name}.{field.name}" not in KNOWN:
                                problems.append(f"{role} {way} {name}.{field.name}")
        self.assertFalse(problems, "\n" + "\n".join(problems))

    def _get_ways_in(self, role, name, field):
        """Return in which ways a role gets at a field although nobody said so."""
        model = self._as(role, name)
        some = model.search([], limit=1) if model.has_access("read") else model
        if not some:
            return
        for way, function in (
            ("reads", lambda: some.read([field])),
            ("exports", lambda: some.export_data([field])),
            ("searches", lambda: model.search([(field, "!=", False)])),
            ("sorts by", lambda: model.search([], order=field)),
            ("groups by", lambda: model.formatted_read_group([], [field], ["__count"])),
            ("lists by", lambda: model.web_read_group([], [field])),
            ("shows", lambda: model.web_search_read([], {field: {}})),
            ("sees the label of", lambda: self._get_description(model, field)),
            ("filters by", lambda: self._get_panel(model, field)),
            ("learns from a change of", lambda: self._get_onchange(model, field)),
        ):
            try:
                with self.cr.savepoint():
                    function()
            except REFUSALS:
                continue
            except NotImplementedError:
                way = "gets a traceback when it " + way
            if way == "sorts by" and not self.env[name]._fields[field].store:
                continue
            yield way

    def _get_description(self, model, field):
        if not model.fields_get([field]):
            raise ValueError("No such field")

    def _get_panel(self, model, field):
        kind = (
            "multi_" if self.env[model._name]._fields[field].type == "many2many" else ""
        )
        if self.env[model._name]._fields[field].type not in (
            *("many2one", "many2many", "selection"),
        ):
            raise ValueError("No such filter")
        try:
            return getattr(model, f"search_panel_select_{kind}range")(field)
        except KeyError as error:  # stock Odoo: no such field for this user
            raise ValueError(str(error)) from error

    def _get_onchange(self, model, field):
        """Ask a form about a record that is being changed."""
        some = model.search([], limit=1)
        try:
            result = some.onchange({}, [], {field: {}})
        except KeyError as error:  # stock Odoo: no such field for this user
            raise ValueError(str(error)) from error
        if not result["value"].get(field):
            raise ValueError("Nothing to learn")

    def _is_readable(self, message):
        try:
            return message.has_access("read")
        except AccessError:
            return False

    def test_messages_are_not_for_outsiders(self):
        """No message with a secret is readable, whoever follows what it is about."""
        problems = []
        for role in OUTSIDERS:
            secret = self._get_foreign_messages(role).filtered(
                lambda m: SECRET in str(m.body) + str(m.tracking_value_ids.read())
            )
            self.assertTrue(secret, "Nothing was written that could leak")
            seen = secret.with_user(self.roles[role]).filtered(self._is_readable)
            problems += [
                f"{role} reads on {message.model}: {message.body}"
                for message in seen.sudo()
                if f"{role} reads on {message.model}" not in KNOWN
            ]
        self.assertFalse(problems, "\n" + "\n".join(problems))


@tagged("post_install", "-at_install", "access")
class TestAccessLeaksHttp(LeakCase, HttpCase):
    """The same through the pages and files that all can ask for by address."""

    def _get_addresses(self):
        for attachment in self.attachments:
            yield f"/web/content/{attachment.id}"
            yield f"/web/image/{attachment.id}"
        for name, record in (
            ("project.checklist.item", self.point),
            ("project.risk", self.risk),
            ("project.project", self.project),
            ("calendar.event", self.meeting),
        ):
            yield f"/web/content/{name}/{record.id}/message_main_attachment_id"
            yield f"/mail/view?model={name}&res_id={record.id}"
        yield f"/my/projects/{self.project.id}"
        yield "/my/home"
        reports = self.env["ir.actions.report"].search(
            [("model", "=like", "project.%")]
        )
        for report in reports.filtered(
            lambda report: report.get_external_id()[report.id].startswith(ADDON)
        ):
            for record in self.env[report.model].search([]):
                yield f"/report/html/{report.report_name}/{record.id}"

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule")
    def test_addresses(self):
        problems = []
        for role in ("spoc", "client_colleague", "other_client", "former_spoc"):
            login = self.roles[role].login
            self.authenticate(login, login)
            for address in self._get_addresses():
                if SECRET in self.url_open(address).text:
                    problems.append(f"{role} {address}")
            for record in (
                self.project,
                self.point,
                self.risk,
                self.flow,
                self.meeting,
            ):
                answer = self.url_open(
                    "/mail/thread/messages",
                    data=json.dumps(
                        {
                            "params": {
                                "thread_model": record._name,
                                "thread_id": record.id,
                            }
                        }
                    ),
                    headers={"Content-Type": "application/json"},
                )
                if SECRET in answer.text:
                    problems.append(f"{role} messages of {record._name}")
        self.assertFalse(problems, "\n" + "\n".join(problems))
