"""Odoo's processes and its databases."""

import json
import os
import re
import shutil

from . import postgres, runtime
from .process import Stop, lock, run, step
from .settings import (
    ADDON,
    ADDONS,
    CONFIG,
    DATA,
    FILESTORE,
    LANGUAGES,
    LOGS,
    PINS,
    PYTHON,
    SCREENSHOTS,
)

#: An entry of Odoo's log at a level that nobody should have to explain away, with
#: the lines that belong to it
ENTRY = r"\d{4}-\d\d-\d\d [\d:,]+ \d+ "
COMPLAINT = re.compile(
    rf"^{ENTRY}(?:WARNING|ERROR|CRITICAL) .*\n(?:(?!{ENTRY}).*\n)*", re.MULTILINE
)

#: Changes of how a template is made, for its key.
RECIPE = 2

CONFIGURATION = """\
[options]
addons_path = {addons}
data_dir = {data}
screenshots = {screenshots}
http_interface = 127.0.0.1
list_db = False
limit_time_cpu = 900
limit_time_real = 1800
"""


class Workshop:
    """One Odoo with its database server and its databases."""

    def __init__(self, source, server_env, pdf_folder):
        self.source = source
        given = os.environ.get("PGHOST")
        self.prefix = f"{ADDON}_{postgres.runtime_id()}_" if given else ""
        # Odoo takes ODOO_… variables as options and Python takes PYTHON… ones: none
        # of the user's may get in here.
        self.env = {
            key: value
            for key, value in server_env.items()
            if not key.startswith(("ODOO_", "PYTHON"))
        }
        self.env["PATH"] = f"{pdf_folder}{os.pathsep}{self.env['PATH']}"
        self.env["PYTHONPATH"] = str(source.root)
        #: Not the checkout: Python would import from the current folder.
        self.options = {"env": self.env, "cwd": DATA}
        addons = ",".join(str(path) for path in (*source.addons, ADDONS))
        CONFIG.write_text(
            CONFIGURATION.format(addons=addons, data=DATA, screenshots=SCREENSHOTS)
        )

    def command(self, *arguments, program=()):
        return [PYTHON, "-m", "odoo", *program, "-c", CONFIG, *arguments]

    def shell(self, database):
        options = ("-d", database, "--no-http", "--log-level=warn")
        return self.command(*options, program=["shell"])

    def odoo(self, database, *arguments, title, log):
        """Run Odoo to its end on ``database``; its log must be clean."""
        log = LOGS / f"{log}.log"
        command = self.command("-d", database, "--no-http", "--stop-after-init")
        with step(title), log.open("w") as out:
            code, _ = run(
                [*command, *arguments], check=False, output=out, **self.options
            )
        if code:
            raise Stop(f"Odoo failed ({log}):\n{tail(log)}")
        found = "".join(COMPLAINT.findall(log.read_text(errors="replace")))
        if found:
            raise Stop(f"{found[:6000]}\nOdoo's log has warnings or errors: {log}.")

    def sql(self, query, database="postgres"):
        return postgres.sql(self.env, query, database)

    def databases(self):
        names = self.sql("SELECT datname FROM pg_database WHERE NOT datistemplate")
        return [
            name
            for name in names
            if name.startswith(self.prefix) and name != "postgres"
        ]

    def drop(self, database):
        run(["dropdb", "-w", "--force", "--if-exists", database], env=self.env)
        shutil.rmtree(FILESTORE / database, ignore_errors=True)

    def clone(self, template, database):
        """Copy a database with its files, without which every page is an error."""
        self.drop(database)
        run(["createdb", "-w", "-T", template, database], env=self.env)
        # Odoo names stored files by their content and never changes one, so a
        # link is as good as a copy.
        shutil.copytree(
            FILESTORE / template, FILESTORE / database, copy_function=os.link
        )

    def note(self, database, facts):
        """Keep ``facts`` with the database itself; they vanish when it is dropped."""
        text = postgres.literal(json.dumps(facts, sort_keys=True))
        self.sql(f'COMMENT ON DATABASE "{database}" IS {text}')

    def facts(self, database):
        found = self.sql(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
            f" WHERE datname = {postgres.literal(database)}"
        )
        return json.loads(found[0]) if found and found[0] else {}

    def set_parameter(self, database, key, value):
        self.sql(
            "INSERT INTO ir_config_parameter (key, value)"
            f" VALUES ({postgres.literal(key)}, {postgres.literal(value)})"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            database,
        )

    def set_url(self, database, port):
        """Tell Odoo its address: mails link to it, PDFs fetch their style there."""
        self.set_parameter(database, "web.base.url", f"http://localhost:{port}")
        self.set_parameter(database, "report.url", f"http://127.0.0.1:{port}")

    def set_company_service(self, database, port):
        """Say where the paid service that completes companies is asked."""
        self.set_parameter(
            database, "iap.partner_autocomplete.endpoint", f"http://127.0.0.1:{port}"
        )

    def template_key(self, demo):
        depends = runtime.dependencies()
        pins = PINS / "odoo.txt"
        facts = (self.source.version, depends, pins, LANGUAGES, demo)
        return runtime.digest(RECIPE, *facts)

    def template(self, demo=False):
        """Return a database that has what the addon depends on; made once."""
        kind = f"{self.prefix}template_{'demo' if demo else 'plain'}_"
        name = kind + self.template_key(demo)
        with lock("template"):
            if name in self.databases():
                return name
            for other in self.databases():
                if other.startswith(kind):
                    self.drop(other)
            new = f"{kind}new"
            depends = ",".join(runtime.dependencies())
            self.odoo(
                new,
                *("-i", depends, "--load-language", ",".join(LANGUAGES)),
                *(["--with-demo"] if demo else []),
                title=f"Database with {depends}{' and demo data' if demo else ''}",
                log=f"template-{'demo' if demo else 'plain'}",
            )
            # No database of ours sends companies over the internet. Nobody listens on
            # this port; the demo puts its own service there.
            self.set_company_service(new, 9)
            shutil.rmtree(FILESTORE / name, ignore_errors=True)
            (FILESTORE / new).rename(FILESTORE / name)
            self.sql(f'ALTER DATABASE "{new}" RENAME TO "{name}"')
        return name

    def install_addon(self, database, demo=False):
        self.odoo(
            database,
            *("-i", ADDON),
            *(["--with-demo"] if demo else []),
            title=f"Installing {ADDON}{' with its demo data' if demo else ''}",
            log=f"install-{database}",
        )


def tail(log, count=25):
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-count:])
