"""The commands behind the targets of the Makefile."""

import argparse
import configparser
import contextlib
import errno
import json
import os
import re
import shlex
import shutil
import socket
import sys
import time
import urllib.request

from . import lint, locks, postgres, process, runtime
from .console import Stop, complain, say, step
from .settings import (
    ADDON,
    ADDON_VIEW,
    ARGS,
    CONFIG,
    DATA,
    DEV,
    INSIDE,
    LOGS,
    MAILBOX,
    PYTHON,
    ROOT,
    RUNTIME,
    SCREENSHOTS,
    wanted_port,
)
from .workshop import Workshop, tail


@contextlib.contextmanager
def workshop():
    """Set up all that Odoo needs, and stop it again at the end."""
    started = time.monotonic()
    runtime.prepare()
    source = runtime.odoo_source()
    python = runtime.python_environment()
    pdf_folder = runtime.pdf_printer(python)
    runtime.announce(source)
    with postgres.server(python) as env:
        shop = Workshop(source, python, env, pdf_folder)
        shop.started = started
        yield shop


@contextlib.contextmanager
def passing_database(shop, name, demo=False):
    """A fresh clone of the template, dropped at the end.

    Its name carries our process id, so that two runs do not meet; those of runs
    that were killed are swept away here.
    """
    for old in shop.databases():
        found = re.fullmatch(rf"{shop.prefix}run_\w+_(\d+)", old)
        if found and not os.path.isdir(f"/proc/{found.group(1)}"):
            shop.drop(old)
    database = f"{shop.prefix}run_{name}_{os.getpid()}"
    shop.clone(shop.template(demo), database)
    try:
        yield database
    finally:
        shop.drop(database)


# --- demo -----------------------------------------------------------------------


def demo():
    """Serve a database with demo data until Ctrl-C."""
    port = wanted_port()
    runtime.prepare()
    claim = locks.Claim("demo")
    try:
        if not claim.mine:
            raise Stop(f"The demo of this checkout already runs: {claim.read()}")
        with workshop() as shop, contextlib.ExitStack() as servers:
            database = demo_database(shop)
            mail_port = free_port(1025)
            service_port = free_port(mail_port + 1)
            outside = process.start(
                [shop.python, INSIDE / "outside.py", mail_port, MAILBOX, service_port],
                cwd=DATA,
            )
            servers.callback(process.end, outside, patience=3)
            shop.set_company_service(database, service_port)
            server, port = serve(shop, database, port, mail_port, servers)
            url = f"http://localhost:{port}"
            claim.write(url)
            introduce(shop, url)
            code = server.wait()
            raise Stop(f"Odoo ended by itself ({code}):\n{tail(LOGS / 'demo.log')}")
    finally:
        claim.release()


def demo_database(shop, upgrade=True):
    """Return the demo database: made once, upgraded when the addon has changed."""
    database = f"{shop.prefix}demo"
    facts = {"template": shop.template_key(demo=True), "addon": runtime.addon_digest()}
    with locks.exclusive("demo-database"):
        found = shop.facts(database)
        if found.get("template") != facts["template"]:
            if database in shop.databases():
                say("  The demo database is made anew: what it is built on has changed")
            shop.clone(shop.template(demo=True), database)
            shop.install_addon(database, demo=True)
            shop.note(database, **facts)
        elif found != facts and upgrade:
            shop.odoo(
                database, "-u", ADDON, title=f"Upgrading {ADDON}", log="upgrade-demo"
            )
            shop.note(database, **facts)
    return database


def serve(shop, database, port, mail_port, servers):
    """Start Odoo on the first free port from ``port`` on; wait until it answers."""
    log = LOGS / "demo.log"
    wanted = port
    while True:
        port = free_port(port)
        if port != wanted:
            say(f"  Port {wanted} is busy; using {port}")
            wanted = port
        shop.set_url(database, port)
        with step("Starting Odoo"), log.open("w") as out:
            server = process.start(
                shop.command(
                    *("-d", database, "--db-filter", f"^{database}$"),
                    *("--http-port", str(port), "--max-cron-threads", "1"),
                    *("--smtp", "localhost", "--smtp-port", str(mail_port)),
                ),
                stdout=out,
                stderr=out,
                **shop.options(),
            )
            servers.callback(process.end, server)
            if answers(server, f"http://127.0.0.1:{port}/web/login"):
                return server, port
        if "Address already in use" not in log.read_text(errors="replace"):
            raise Stop(f"Odoo did not start ({log}):\n{tail(log)}")
        port += 1


def answers(server, url, seconds=120):
    """Wait until the page is served; False when the server ended instead."""
    last = time.monotonic() + seconds
    while time.monotonic() < last and server.poll() is None:
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(url, timeout=60) as page:
                return page.status == 200
        time.sleep(0.2)
    return False


def free_port(port):
    """The first port from ``port`` on that nobody listens on."""
    for candidate in range(port, min(port + 200, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except PermissionError as error:
                raise Stop(f"You may not listen on port {candidate}.") from error
            except OSError:
                continue
            return candidate
    raise Stop(f"No free port from {port} on.")


def introduce(shop, url):
    logins = configparser.ConfigParser()
    logins.read(DEV / "logins.ini", encoding="utf-8")
    width = max(map(len, logins["logins"]))
    say()
    say(f"  {url}    (after {time.monotonic() - shop.started:.0f} s)")
    say()
    say(f"  {'Login':{width}}   (the password is the login)")
    for login, role in logins["logins"].items():
        say(f"  {login:{width}}   {role}")
    say()
    say(f"  Mails that Odoo sends:  {MAILBOX}")
    say(f"  Odoo's log:             {LOGS / 'demo.log'}")
    say("  Ctrl-C stops it; the database stays for the next time.")


# --- test -----------------------------------------------------------------------


def test():
    """Install the addon into a fresh database and run its tests with pytest."""
    runtime.prepare()
    runtime.browser()
    with workshop() as shop, passing_database(shop, "test") as database:
        shop.install_addon(database)
        # Whoever picks tests is in the middle of something: terms come last.
        terms_fit = bool(ARGS) or check_terms(shop, database)
        say(f"  Ready after {time.monotonic() - shop.started:.0f} s")
        code = pytest(shop, database)
    if not terms_fit:
        raise Stop("The translations are not up to date, see above: make i18n")
    return code


def pytest(shop, database):
    try:
        picked = shlex.split(ARGS)
    except ValueError as error:
        raise Stop(f"ARGS cannot be read: {error}.") from error
    options = shop.options()
    options["cwd"] = ADDON_VIEW
    options["env"] = dict(options["env"])
    options["env"]["PYTHONPATH"] += f"{os.pathsep}{INSIDE}"
    command = [
        *(shop.python, "-m", "pytest", "-o", f"cache_dir={RUNTIME / 'pytest'}"),
        *("-p", "strict_log", f"--odoo-config={CONFIG}", f"--odoo-database={database}"),
        *("--odoo-http", "--odoo-log-level=warn"),
        *picked,
    ]
    if sys.stdin.isatty():
        return process.run_interactively(command, **options)
    return process.run_visibly(command, **options)


#: The addons that ours extends; their own tests must not notice it.
UPSTREAM = ("project", "hr_timesheet", "sale_project", "sale_timesheet")


def test_upstream():
    """Run Odoo's own tests with the addon installed; compare with stock Odoo."""
    runtime.prepare()
    runtime.browser()
    with workshop() as shop:
        stock = _stock_results(shop)
        with passing_database(shop, "upstream") as database:
            shop.install_addon(database)
            ours = _run_upstream(shop, database, f"with {ADDON}")
    say(f"  {ours['tests']} tests, {len(ours['failures'])} failed")
    for failure in stock["failures"]:
        say(f"    fails in stock Odoo too: {failure}")
    broken = sorted(set(ours["failures"]) - set(stock["failures"]))
    if broken:
        raise Stop(
            "Stock Odoo passes these, and they fail with the addon:\n  "
            + "\n  ".join(broken)
            + f"\nSee {LOGS / 'upstream.log'}"
        )
    if ours["tests"] < stock["tests"]:
        raise Stop(f"Stock Odoo ran {stock['tests']} tests, this run fewer.")


def _stock_results(shop):
    """What stock Odoo passes on this very runtime; recorded once."""
    record = RUNTIME / "upstream" / f"{shop.template_key(demo=False)}.json"
    if not record.is_file():
        with passing_database(shop, "stock") as database:
            results = _run_upstream(shop, database, "in stock Odoo, once")
        record.parent.mkdir(exist_ok=True)
        record.write_text(json.dumps(results, indent=2))
    return json.loads(record.read_text())


def _run_upstream(shop, database, title):
    log = LOGS / "upstream.log"
    port = free_port(8200)
    shop.set_url(database, port)
    with step(f"Odoo's own tests, {title}"), log.open("w") as out:
        process.run(
            shop.command(
                *("-d", database, "--http-port", str(port), "--stop-after-init"),
                *("--max-cron-threads", "0", "-u", ",".join(UPSTREAM)),
                *("--test-tags", ",".join(f"/{addon}" for addon in UPSTREAM)),
            ),
            check=False,
            output=out,
            **shop.options(),
        )
    text = log.read_text(errors="replace")
    count = re.search(r"odoo\.tests\.result: .* of (\d+) tests", text)
    if not count:
        raise Stop(f"Odoo's tests did not come to an end ({log}):\n{tail(log)}")
    failed = re.findall(r" ERROR \S+ (\S+): (?:FAIL|ERROR): (?:Subtest )?(\S+)", text)
    return {
        "tests": int(count.group(1)),
        "failures": sorted({" ".join(names) for names in failed}),
    }


# --- translations ---------------------------------------------------------------


def export_terms(shop, database):
    pot = RUNTIME / "fresh.pot"
    pot.unlink(missing_ok=True)
    log = LOGS / "i18n.log"
    with step("Exporting the terms"), log.open("w") as out:
        code, _ = process.run(
            [shop.python, "-m", "odoo", "i18n", "export", "-c", CONFIG]
            + ["-d", database, "-o", pot, ADDON],
            check=False,
            output=out,
            **shop.options(),
        )
    if code or not pot.is_file():
        raise Stop(f"Odoo could not export the terms ({log}):\n{tail(log)}")
    return pot


def _terms(shop, action, pot):
    code, output = process.run(
        [shop.python, INSIDE / "terms.py", action, pot, ROOT / "i18n"], check=False
    )
    if output:
        say(output.rstrip())
    return code


def check_terms(shop, database):
    """Whether template and translations are what the addon's terms call for."""
    return not _terms(shop, "check", export_terms(shop, database))


def i18n():
    """Update i18n/*.pot and *.po from the addon's terms."""
    with workshop() as shop, passing_database(shop, "i18n") as database:
        shop.install_addon(database)
        (ROOT / "i18n").mkdir(exist_ok=True)
        if _terms(shop, "update", export_terms(shop, database)):
            raise Stop("The translations could not be updated.")


# --- others ---------------------------------------------------------------------


def shell():
    """Open Odoo's shell on the demo database, or run the script on stdin."""
    with workshop() as shop:
        claim = locks.Claim("demo")
        claim.release()
        # An upgrade below a running demo would pull the rug from under it.
        database = demo_database(shop, upgrade=claim.mine)
        command = shop.command(
            *("-d", database, "--no-http", "--log-level=warn"), subcommand=["shell"]
        )
        return process.run_interactively(command, **shop.options())


def bench():
    """Run dev/bench.py in Odoo's shell, beside a database of stock Odoo."""
    script = DEV / "bench.py"
    if not script.is_file():
        raise Stop("There is no dev/bench.py.")
    result = RUNTIME / "bench.json"
    result.unlink(missing_ok=True)
    with workshop() as shop:
        databases = {name: f"{shop.prefix}{name}" for name in ("bench", "bench_stock")}
        for database in databases.values():
            shop.clone(shop.template(), database)
        shop.install_addon(databases["bench"])
        options = shop.options()
        options["env"] = dict(
            options["env"],
            BENCH_DATABASE=databases["bench"],
            BENCH_STOCK_DATABASE=databases["bench_stock"],
            BENCH_OUTPUT=str(result),
            BENCH_ARGS=ARGS,
        )
        command = shop.command(
            *("-d", databases["bench"], "--no-http", "--log-level=warn"),
            subcommand=["shell"],
        )
        with script.open() as source:
            code = process.run_visibly(command, stdin=source, **options)
    if code:
        raise Stop(f"The benchmark failed ({code}).")
    if result.is_file():
        say(f"  {result}")
    return code


def clean():
    """Delete the databases and what belongs to them; keep what was fetched."""
    runtime.prepare()
    if not locks.Claim("demo").mine:
        raise Stop("The demo of this checkout runs; stop it first.")
    if PYTHON.is_file():
        with workshop() as shop:
            for database in shop.databases():
                if database != "postgres":
                    shop.drop(database)
    for folder in (DATA, LOGS, MAILBOX, SCREENSHOTS, RUNTIME / "pytest"):
        shutil.rmtree(folder, ignore_errors=True)


def distclean():
    """Delete everything that was fetched or made."""
    if not runtime.is_ours():
        return
    if os.environ.get("PGHOST"):
        clean()
    with locks.exclusive("postgres"):
        if not locks.Shared("postgres-users").release():
            raise Stop("Another command of this checkout is running; stop it first.")
        postgres.remove_own_server(PYTHON)
    shutil.rmtree(RUNTIME)


COMMANDS = {
    "demo": demo,
    "test": test,
    "test-upstream": test_upstream,
    "lint": lint.lint,
    "format": lint.format_sources,
    "pins": lint.pins,
    "i18n": i18n,
    "shell": shell,
    "bench": bench,
    "clean": clean,
    "distclean": distclean,
}


def main():
    parser = argparse.ArgumentParser(prog="python3 -m dev")
    names = "\n".join(f"  {name:15}{run.__doc__}" for name, run in COMMANDS.items())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"commands:\n{names}"
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    command = parser.parse_args().command
    process.watch_signals()
    try:
        return COMMANDS[command]() or 0
    except KeyboardInterrupt:
        complain("\n  Stopped.")
        # What a shell reports for a program that Ctrl-C ended; the demo is meant to
        # be ended that way.
        return 0 if command == "demo" else 130
    except Stop as error:
        complain(f"\n{error}")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        complain(f"\n{error.strerror}: {error.filename or RUNTIME}")
    return 1
