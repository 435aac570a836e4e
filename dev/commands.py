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


def demo():
    """Serve a database with demo data until Ctrl-C."""
    port = wanted_port()
    runtime.prepare()
    with contextlib.ExitStack() as servers:
        if not servers.enter_context(locks.claim("demo")):
            raise Stop(f"The demo of this checkout already runs, see {LOGS}/demo.log")
        shop = servers.enter_context(workshop())
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
        introduce(shop, f"http://localhost:{port}")
        code = server.wait()
        raise Stop(f"Odoo ended by itself ({code}):\n{tail(LOGS / 'demo.log')}")


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


def test():
    """Install the addon into a fresh database and run its tests with pytest."""
    runtime.prepare()
    runtime.browser()
    with workshop() as shop, passing_database(shop, "test") as database:
        shop.install_addon(database)
        # Whoever picks tests is in the middle of something: terms come last.
        terms_fit = bool(ARGS) or terms(shop, database, "check")
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
    path = f"{shop.env['PYTHONPATH']}{os.pathsep}{INSIDE}"
    options = {"cwd": ADDON_VIEW, "env": dict(shop.env, PYTHONPATH=path)}
    command = [
        *(shop.python, "-m", "pytest", "-o", f"cache_dir={RUNTIME / 'pytest'}"),
        *(
            "-p",
            "odoo_checks",
            f"--odoo-config={CONFIG}",
            f"--odoo-database={database}",
        ),
        *("--odoo-http", "--odoo-log-level=warn"),
        *picked,
    ]
    return process.run_in_front(command, **options)


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


def terms(shop, database, action):
    """Check or update the translations; return whether all is well."""
    pot = RUNTIME / "fresh.pot"
    pot.unlink(missing_ok=True)
    with step("Exporting the terms"):
        command = shop.command("-d", database, "-o", pot, ADDON)
        command[3:3] = ["i18n", "export"]
        process.run(command, **shop.options())
    command = [shop.python, INSIDE / "terms.py", action, pot, ROOT / "i18n"]
    code, output = process.run(command, check=False)
    say(output.rstrip())
    return not code


def i18n():
    """Update i18n/*.pot and *.po from the addon's terms."""
    with workshop() as shop, passing_database(shop, "i18n") as database:
        shop.install_addon(database)
        if not terms(shop, database, "update"):
            raise Stop("The translations could not be updated.")


def shell():
    """Open Odoo's shell on the demo database, or run the script on stdin."""
    with workshop() as shop, locks.claim("demo") as is_free:
        # An upgrade below a running demo would pull the rug from under it.
        database = demo_database(shop, upgrade=is_free)
        return process.run_in_front(shop.shell(database), **shop.options())


def bench():
    """Run dev/bench.py in Odoo's shell, beside a database of stock Odoo."""
    with (
        workshop() as shop,
        passing_database(shop, "bench") as ours,
        passing_database(shop, "stock") as stock,
        (DEV / "bench.py").open() as script,
    ):
        shop.install_addon(ours)
        options = shop.options()
        options["env"] = dict(options["env"], BENCH_STOCK_DATABASE=stock)
        return process.run_in_front(shop.shell(ours), stdin=script, **options)


def clean():
    """Delete the databases and what belongs to them; keep what was fetched."""
    runtime.prepare()
    with locks.claim("demo") as is_free:
        if not is_free:
            raise Stop("The demo of this checkout runs; stop it first.")
    if PYTHON.is_file():
        with workshop() as shop:
            for database in shop.databases():
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
