"""The database server: one of our own, or the one that PGHOST names.

Ours listens on a unix socket only, so that two checkouts never meet on a port.
Commands of the same checkout share it; the last one to end stops it.
"""

import contextlib
import os
import pwd
import re
import shutil
import tempfile
from pathlib import Path

from . import locks
from .console import Stop, say, step
from .process import Failed, run
from .runtime import database_binaries
from .settings import ADDON, RUNTIME

#: PostgreSQL refuses to run as root: then this system user runs it.
SYSTEM_USER = "odoo-dev-postgres"

#: Longest path of a unix socket, less the name that PostgreSQL gives its own.
LONGEST_FOLDER = 107 - len("/.s.PGSQL.5432")

#: A crash of the machine may lose the last second; nothing here is worth a sync.
TUNING = """
listen_addresses = ''
unix_socket_permissions = 0700
synchronous_commit = off
shared_buffers = 256MB
max_wal_size = 2GB
"""


@contextlib.contextmanager
def server(python):
    """Run a database server; give the environment in which clients reach it."""
    binaries = database_binaries(python)
    env = {key: value for key, value in os.environ.items() if key[:2] != "PG"}
    env["PATH"] = f"{binaries}{os.pathsep}{env.get('PATH', os.defpath)}"
    if os.environ.get("PGHOST"):
        names = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSSLMODE")
        env.update({key: os.environ[key] for key in names if os.environ.get(key)})
        env.setdefault("PGUSER", pwd.getpwuid(os.geteuid()).pw_name)
        _check_given(env)
        yield env
        return
    own = _OwnServer(binaries)
    with locks.exclusive("postgres"):
        users = locks.Shared("postgres-users")
        env.update(PGHOST=str(own.start()), PGPORT="5432", PGUSER="odoo")
    try:
        yield env
    finally:
        with locks.exclusive("postgres"):
            if users.release():
                own.stop()


def sql(env, query, database="postgres"):
    """Run ``query`` and return its first column, row by row."""
    command = ["psql", "-w", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
    _, output = run([*command, "-d", database, "-c", query], env=env)
    return output.splitlines()


def literal(text):
    """``text`` as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def _check_given(env):
    try:
        (row,) = sql(
            dict(env, PGCONNECT_TIMEOUT="10"),
            "SELECT current_user <> 'postgres' AND (rolcreatedb OR rolsuper)"
            " AND current_setting('server_version_num')::int >= 130000"
            " FROM pg_roles WHERE rolname = current_user",
        )
    except Failed as error:
        row = error.output.strip()
    if row != "t":
        raise Stop(
            f"Cannot use the database server {env['PGHOST']} as {env['PGUSER']}. It "
            "has to be PostgreSQL 13 or newer; the user must not be postgres, and may "
            "create databases. Without PGHOST, a server of our own is started."
            + (f"\n{row}" if row != "f" else "")
        )


class _OwnServer:
    def __init__(self, binaries):
        self.options = {}
        self.binaries = binaries
        self.home = RUNTIME / "postgres"
        if os.geteuid() == 0:
            self._become_system_user()
        self.home.mkdir(parents=True, exist_ok=True)
        self.cluster = self.home / "cluster"

    def _become_system_user(self):
        try:
            user = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            run(
                ["useradd", "--system", "--no-create-home", "-s", "/bin/false"]
                + [SYSTEM_USER]
            )
            user = pwd.getpwnam(SYSTEM_USER)
        self.options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        try:
            run([self.binaries / "postgres", "--version"], cwd="/", **self.options)
        except (PermissionError, Failed):
            # The checkout lies where only root may look, as below /root. Rather than
            # open those folders for everybody, the server moves out of them.
            self.home = Path("/var/lib") / ADDON / runtime_id()
            self.binaries = self._copy_binaries()
        self.home.mkdir(parents=True, exist_ok=True)
        os.chown(self.home, user.pw_uid, user.pw_gid)

    def _copy_binaries(self):
        package = self.binaries.parent.parent
        copy = self.home / "programs"
        if not (copy / "done").is_file():
            shutil.rmtree(copy, ignore_errors=True)
            for folder in (package, package.with_name(f"{package.name}.libs")):
                shutil.copytree(folder, copy / folder.name, symlinks=True)
            run(["chmod", "-R", "go+rX", copy])
            self.home.parent.chmod(0o755)
            (copy / "done").touch()
        return copy / package.name / "pginstall" / "bin"

    def _run(self, program, *arguments, **options):
        command = [self.binaries / program, *arguments]
        return run(command, cwd="/", **self.options, **options)

    def _running(self):
        return (self.cluster / "PG_VERSION").is_file() and not self._run(
            "pg_ctl", "status", "-D", self.cluster, check=False
        )[0]

    def start(self):
        """Start the server unless it runs; return the folder of its socket."""
        if self._running():
            pid_file = (self.cluster / "postmaster.pid").read_text().splitlines()
            return pid_file[4]
        self._init()
        socket = self._socket_folder()
        try:
            with step("Database server"):
                self._run(
                    *("pg_ctl", "start", "-w", "-t", "60", "-D", self.cluster),
                    *("-l", self.home / "log", "-o", f"-k {_shell_quote(socket)}"),
                )
        except Failed as error:
            log = (self.home / "log").read_text().splitlines()[-10:]
            raise Stop(
                "The database server did not start:\n" + "\n".join(log)
            ) from error
        return socket

    def _init(self):
        _, output = self._run("postgres", "--version")
        major = re.search(r" (\d+)", output).group(1)
        version = self.cluster / "PG_VERSION"
        if version.is_file() and version.read_text().strip() == major:
            return
        if version.is_file():
            say(f"  PostgreSQL is now {major}: the databases are made anew")
        with step(f"Database cluster, PostgreSQL {major}"):
            shutil.rmtree(self.cluster, ignore_errors=True)
            new = self.home / "cluster.new"
            shutil.rmtree(new, ignore_errors=True)
            self._run(
                *("initdb", "-D", new, "-U", "odoo", "--auth=trust", "--no-sync"),
                *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
                "--builtin-locale=C.UTF-8",
            )
            with (new / "postgresql.conf").open("a") as conf:
                conf.write(TUNING)
            new.rename(self.cluster)

    def _socket_folder(self):
        folder = str(self.home)
        if len(folder.encode()) <= LONGEST_FOLDER and not re.search(
            r"[^\w./ -]", folder
        ):
            return folder
        folder = tempfile.mkdtemp(prefix="odoo-dev-postgres-")
        if self.options:
            os.chown(folder, self.options["user"], self.options["group"])
        return folder

    def stop(self):
        if not self._running():
            return
        socket = Path((self.cluster / "postmaster.pid").read_text().splitlines()[4])
        self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self.cluster)
        if socket != self.home:
            shutil.rmtree(socket, ignore_errors=True)


def _shell_quote(text):
    # pg_ctl hands its -o to a shell.
    return "'" + text + "'"


def runtime_id():
    """A name of this runtime folder that no other checkout has."""
    path = RUNTIME / "id"
    with locks.exclusive("id"):
        if not path.is_file():
            path.write_text(os.urandom(4).hex())
    return path.read_text()


def remove_own_server(python):
    """Stop a server that a killed command has left, and delete what it keeps."""
    if python.is_file():
        own = _OwnServer(database_binaries(python))
        own.stop()
        shutil.rmtree(own.home, ignore_errors=True)
