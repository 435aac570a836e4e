"""Odoo's processes and its databases."""

import json
import os
import re
import shutil
from pathlib import Path

from . import locks, postgres, runtime
from .console import Stop, complain, step
from .process import run
from .settings import (
    ADDON,
    ADDONS,
    CONFIG,
    DATA,
    FILESTORE,
    LANGUAGES,
    LOGS,
    PINS,
    SCREENSHOTS,
)

#: A line of Odoo's log at a level that nobody should have to explain away.
COMPLAINT = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ \d+ (WARNING|ERROR|CRITICAL) ")
ENTRY = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ \d+ [A-Z]+ ")

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
    """One Odoo with its Python, its database server and its databases."""

    def __init__(self, source, python, server_env, pdf_folder):
        self.source = source
        self.python = python
        self.prefix = f"{ADDON}_{postgres.runtime_id()}_" if _given_server() else ""
        # Odoo takes ODOO_… variables as options and Python takes PYTHON… ones: none
        # of the user's may get in here.
        self.env = {
            key: value
            for key, value in server_env.items()
            if not key.startswith(("ODOO_", "PYTHON"))
        }
        self.env["PATH"] = f"{pdf_folder}{os.pathsep}{self.env['PATH']}"
        self.env["PYTHONPATH"] = str(source.root)
        CONFIG.write_text(
            CONFIGURATION.format(
                addons=",".join(str(path) for path in (*source.addons, ADDONS)),
                data=DATA,
                screenshots=SCREENSHOTS,
            )
        )

    def command(self, *arguments):
        return [self.python, "-m", "odoo", "-c", CONFIG, *arguments]

    def shell(self, database):
        command = self.command("-d", database, "--no-http", "--log-level=warn")
        return [*command[:3], "shell", *command[3:]]

    def options(self):
        # Not the checkout: Python would import from the current folder.
        return {"env": self.env, "cwd": DATA}

    def odoo(self, database, *arguments, title, log, strict=True):
        """Run Odoo to its end on ``database``; by default its log must be clean."""
        log = LOGS / f"{log}.log"
        command = self.command("-d", database, "--no-http", "--stop-after-init")
        with step(title), log.open("w") as out:
            code, _ = run(
                [*command, *arguments], check=False, output=out, **self.options()
            )
        if code:
            raise Stop(f"Odoo failed ({log}):\n{tail(log)}")
        if strict:
            check_log(log)

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
        if (FILESTORE / template).is_dir():
            # Odoo names stored files by their content and never changes one, so a
            # link is as good as a copy.
            shutil.copytree(
                FILESTORE / template, FILESTORE / database, copy_function=os.link
            )

    def note(self, database, **facts):
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
        return runtime.digest(
            RECIPE,
            self.source.version,
            sorted(runtime.manifest()["depends"]),
            PINS / "odoo.txt",
            LANGUAGES,
            demo,
        )

    def template(self, demo=False):
        """Return a database that has what the addon depends on; made once."""
        kind = "demo" if demo else "plain"
        name = f"{self.prefix}template_{kind}_{self.template_key(demo)}"
        with locks.exclusive("template"):
            if name in self.databases():
                return name
            runtime.need_space(1)
            for other in self.databases():
                if other.startswith(f"{self.prefix}template_{kind}_"):
                    self.drop(other)
            new = f"{self.prefix}new_{kind}"
            self.drop(new)
            depends = ",".join(runtime.manifest()["depends"])
            self.odoo(
                new,
                *("-i", depends, "--load-language", ",".join(LANGUAGES)),
                *(["--with-demo"] if demo else []),
                title=f"Database with {depends}{' and demo data' if demo else ''}",
                log=f"template-{kind}",
            )
            # No database of ours sends companies over the internet. Nobody listens on
            # this port; the demo puts its own service there.
            self.set_company_service(new, 9)
            self.sql(f'ALTER DATABASE "{new}" RENAME TO "{name}"')
            if (FILESTORE / new).is_dir():
                shutil.rmtree(FILESTORE / name, ignore_errors=True)
                (FILESTORE / new).rename(FILESTORE / name)
        return name

    def install_addon(self, database, demo=False):
        self.odoo(
            database,
            *("-i", ADDON),
            *(["--with-demo"] if demo else []),
            title=f"Installing {ADDON}{' with its demo data' if demo else ''}",
            log=f"install-{database}",
        )


def _given_server():
    return bool(os.environ.get("PGHOST"))


def tail(log, count=25):
    return "\n".join(f"    {line}" for line in log_lines(log)[-count:])


def log_lines(log):
    return Path(log).read_text(errors="replace").splitlines()


def complaints(log):
    """The entries of WARNING and above, each with the lines that belong to it."""
    found, inside = [], False
    for line in log_lines(log):
        if ENTRY.match(line):
            inside = bool(COMPLAINT.match(line))
        if inside:
            found.append(line)
    return found


def check_log(log):
    found = complaints(log)
    if found:
        complain("\n".join(found[:60]))
        raise Stop(f"Odoo's log has warnings or errors, see above and {log}.")
