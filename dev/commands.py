"""The commands behind the targets of the Makefile."""

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

from . import lint, postgres, process, runtime
from .process import Stop, claim, lock, say, step
from .settings import (
    ADDON,
    ADDON_VIEW,
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
    SERIES,
)
from .workshop import Workshop, tail

STARTED = time.monotonic()


@contextlib.contextmanager
def workshop():
    """Set up all that Odoo needs, and stop it again at the end."""
    runtime.prepare()
    source = runtime.odoo_source()
    runtime.python_environment()
    pdf_folder = runtime.pdf_printer()
    say(f"  Odoo {SERIES} ({source.origin.strip()}), {ADDON} from {ROOT}")
    with postgres.server() as env:
        yield Workshop(source, env, pdf_folder)


@contextlib.contextmanager
def passing_database(shop, name, with_addon=True):
    """A fresh clone of the template, dropped at the end.

    Its name carries our process id, so that two runs do not meet; those of runs
    that were killed are swept away here.
    """
    for old in shop.databases():
        found = re.fullmatch(rf"{shop.prefix}run_\w+_(\d+)(_gw\d+)?", old)
        if found and not os.path.isdir(f"/proc/{found.group(1)}"):
            shop.drop(old)
    database = f"{shop.prefix}run_{name}_{os.getpid()}"
    shop.clone(shop.template(), database)
    try:
        if with_addon:
            shop.install_addon(database)
        yield database
    finally:
        for name in shop.databases():
            if f"{name}_".startswith(f"{database}_"):
                shop.drop(name)


def demo():
    """Serve a database with demo data until Ctrl-C."""
    port = os.environ.get("PORT") or "8069"
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise Stop(f"PORT must be a number from 1 to 65535, not {port!r}.")
    runtime.prepare()
    with contextlib.ExitStack() as servers:
        if not servers.enter_context(claim("demo")):
            raise Stop(f"The demo of this checkout already runs, see {LOGS}/demo.log")
        shop = servers.enter_context(workshop())
        database = demo_database(shop)
        mail_port = free_port(1025)
        service_port = free_port(mail_port + 1)
        outside = process.start(
            [PYTHON, INSIDE / "outside.py", mail_port, MAILBOX, service_port],
            cwd=DATA,
        )
        servers.callback(process.end, outside, patience=3)
        shop.set_company_service(database, service_port)
        server = serve(shop, database, free_port(int(port)), mail_port, servers)
        code = server.wait()
        raise Stop(f"Odoo ended by itself ({code}):\n{tail(LOGS / 'demo.log')}")


def demo_database(shop, upgrade=True):
    """Return the demo database: made once, upgraded when the addon has changed."""
    database = f"{shop.prefix}demo"
    facts = {"template": shop.template_key(demo=True), "addon": runtime.addon_digest()}
    with lock("demo-database"):
        found = shop.facts(database)
        if found.get("template") != facts["template"]:
            shop.clone(shop.template(demo=True), database)
            shop.install_addon(database, demo=True)
        elif found != facts and upgrade:
            title = f"Upgrading {ADDON}"
            shop.odoo(database, "-u", ADDON, title=title, log="upgrade-demo")
        else:
            return database
        shop.note(database, facts)
    return database


def serve(shop, database, port, mail_port, servers):
    """Start Odoo, wait until it answers, and tell the address."""
    log = LOGS / "demo.log"
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
            **shop.options,
        )
        servers.callback(process.end, server)
        while not answers(f"http://127.0.0.1:{port}/web/login"):
            if server.poll() is not None:
                raise Stop(f"Odoo did not start ({log}):\n{tail(log)}")
            time.sleep(0.2)
    introduce(f"http://localhost:{port}")
    return server


def answers(url):
    with contextlib.suppress(OSError):
        with urllib.request.urlopen(url, timeout=60) as page:
            return page.status == 200


def free_port(port):
    """The first port from ``port`` on that nobody listens on."""
    for candidate in range(port, min(port + 200, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", candidate))
                if candidate != port:
                    say(f"  Port {port} is busy; using {candidate}")
                return candidate
    raise Stop(f"No free port from {port} on.")


def introduce(url):
    logins = configparser.ConfigParser()
    logins.read(DEV / "logins.ini", encoding="utf-8")
    width = max(map(len, logins["logins"]))
    say(f"\n  {url}    (after {time.monotonic() - STARTED:.0f} s)\n")
    say(f"  {'Login':{width}}   (the password is the login)")
    for login, role in logins["logins"].items():
        say(f"  {login:{width}}   {role}")
    say(f"\n  Mails that Odoo sends:  {MAILBOX}/new")
    say(f"  Odoo's log:             {LOGS / 'demo.log'}")
    say("  Ctrl-C stops it; the database stays for the next time.")


def test():
    """Install the addon into a fresh database and run its tests with pytest."""
    try:
        picked = shlex.split(os.environ.get("ARGS", ""))
    except ValueError as error:
        raise Stop(f"ARGS cannot be read: {error}.") from error
    runtime.browser()
    with workshop() as shop, passing_database(shop, "test") as database:
        # Whoever picks tests is in the middle of something: terms come last.
        terms_fit = bool(picked) or terms(shop, database, "check")
        say(f"  Ready after {time.monotonic() - STARTED:.0f} s")
        path = [shop.env["PYTHONPATH"], str(INSIDE), str(runtime.parallel_tests())]
        # Picked tests are done before more processes are ready for them.
        workers = 0 if picked else min(len(os.sched_getaffinity(0)), 8)
        for number in range(workers):
            shop.clone(database, f"{database}_gw{number}")
        code = process.run_in_front(
            [
                *(PYTHON, "-m", "pytest", "-o", f"cache_dir={RUNTIME / 'pytest'}"),
                *("-p", "odoo_checks", f"--odoo-config={CONFIG}"),
                *(f"--odoo-database={database}", "--odoo-http"),
                *("--odoo-log-level=warn", "--dist=loadscope", "-n", workers, *picked),
            ],
            cwd=ADDON_VIEW,
            env=dict(shop.env, PYTHONPATH=os.pathsep.join(path)),
        )
    if not terms_fit:
        raise Stop("The translations are not up to date, see above: make i18n")
    return code


#: The addons that ours extends; their own tests must not notice it.
UPSTREAM = ("project", "hr_timesheet", "sale_project", "sale_timesheet")


def test_upstream():
    """Run Odoo's own tests with the addon installed; compare with stock Odoo."""
    runtime.browser()
    with workshop() as shop:
        # What stock Odoo passes on this very runtime is recorded once.
        record = RUNTIME / "upstream" / f"{shop.template_key(demo=False)}.json"
        if not record.is_file():
            results = _run_upstream(shop, "in stock Odoo, once", with_addon=False)
            record.parent.mkdir(exist_ok=True)
            record.write_text(json.dumps(results, indent=2))
        stock = json.loads(record.read_text())
        ours = _run_upstream(shop, f"with {ADDON}")
    say(f"  {ours['tests']} tests, {len(ours['failures'])} failed")
    for failure in stock["failures"]:
        say(f"    fails in stock Odoo too: {failure}")
    broken = sorted(set(ours["failures"]) - set(stock["failures"]))
    if broken:
        say("  Stock Odoo passes these, and they fail with the addon:")
        raise Stop("\n".join([*broken, f"See {LOGS / 'upstream.log'}"]))
    if ours["tests"] < stock["tests"]:
        raise Stop(f"Stock Odoo ran {stock['tests']} tests, this run fewer.")


def _run_upstream(shop, title, with_addon=True):
    log = LOGS / "upstream.log"
    port = free_port(8200)
    with passing_database(shop, "upstream", with_addon) as database:
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
                **shop.options,
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
        export = ("-d", database, "-o", pot, ADDON)
        process.run(shop.command(*export, program=["i18n", "export"]), **shop.options)
    command = [PYTHON, INSIDE / "terms.py", action, pot, ROOT / "i18n"]
    code, output = process.run(command, check=False)
    say(output.rstrip())
    return not code


def i18n():
    """Update i18n/*.pot and *.po from the addon's terms."""
    with workshop() as shop, passing_database(shop, "i18n") as database:
        if not terms(shop, database, "update"):
            raise Stop("The translations could not be updated.")


def shell():
    """Open Odoo's shell on the demo database, or run the script on stdin."""
    with workshop() as shop, claim("demo") as is_free:
        # An upgrade below a running demo would pull the rug from under it.
        database = demo_database(shop, upgrade=is_free)
        return process.run_in_front(shop.shell(database), **shop.options)


def bench():
    """Run dev/bench.py in Odoo's shell, beside a database of stock Odoo."""
    with (
        workshop() as shop,
        passing_database(shop, "bench") as ours,
        passing_database(shop, "stock", with_addon=False) as stock,
        (DEV / "bench.py").open() as script,
    ):
        env = dict(shop.env, BENCH_STOCK_DATABASE=stock)
        options = dict(shop.options, env=env, stdin=script)
        return process.run_in_front(shop.shell(ours), **options)


def clean():
    """Delete the databases and what belongs to them; keep what was fetched."""
    runtime.prepare()
    with claim("demo") as is_free:
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
    with lock("postgres"), claim("postgres-users") as is_free:
        if not is_free:
            raise Stop("Another command of this checkout is running; stop it first.")
        postgres.remove_own_server()
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


def main(name):
    process.watch_signals()
    try:
        return COMMANDS[name]() or 0
    except KeyboardInterrupt:
        say("\n  Stopped.")
        # What a shell reports for a program that Ctrl-C ended; the demo is meant to
        # be ended that way.
        return 0 if name == "demo" else 130
    except Stop as error:
        print(f"\n{error}", file=sys.stderr)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EACCES, errno.EROFS):
            raise
        print(f"\n{error.strerror}: {error.filename or RUNTIME}", file=sys.stderr)
    return 1
