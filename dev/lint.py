"""The linters: OCA's set for Odoo 19, and a few checks that no tool has."""

import os
import re
import sys

from . import process, rooms, runtime
from .console import Stop, say, step
from .settings import ADDON, ADDON_VIEW, ADDONS, INSIDE, PINS, ROOT, RUNTIME, SERIES

#: What a linter must leave as it is: other people's files and generated ones.
FOREIGN = re.compile(r"/lib/|package-lock\.json$|description/index\.html$")

#: Odoo's defaults; its own test_lint refuses a manifest that repeats them.
MANIFEST_DEFAULTS = {
    "application": False,
    "auto_install": False,
    "installable": True,
    "sequence": 100,
}


def source_files(*suffixes):
    """The checkout's files that end so, relative to its root."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in ("__pycache__", "node_modules")
            and os.path.join(folder, name) != str(RUNTIME)
        ]
        paths = (os.path.relpath(os.path.join(folder, name), ROOT) for name in names)
        found += [path for path in paths if path.endswith(suffixes)]
    return sorted(path for path in found if not FOREIGN.search(path))


class Linters:
    def __init__(self):
        runtime.prepare()
        self.python = runtime.python_environment(
            "linters", "lint.txt", "Python's linters"
        )
        self.node_modules = runtime.node_packages()
        self.findings = 0

    def run(self, title, command, cwd=ROOT):
        """Run one linter; print what it finds, or that it is content."""
        env = dict(os.environ, NODE_PATH=str(self.node_modules), NO_COLOR="1")
        with step(title):
            code, output = process.run(command, check=False, cwd=cwd, env=env)
        if code:
            self.findings += 1
            say(output.rstrip())

    def report(self, title, faults):
        """Print the faults that a check of our own has found."""
        with step(title):
            faults = list(faults)
        if faults:
            self.findings += 1
            say("\n".join(faults))

    def node(self, program, *arguments):
        return [self.node_modules / ".bin" / program, *arguments]


def lint():
    """Check everything that can be checked without running Odoo."""
    linters = Linters()
    python = [linters.python, "-m"]
    python_files = source_files(".py")
    linters.run("ruff", [*python, "ruff", "check", "-q", *python_files])
    linters.run(
        "ruff format", [*python, "ruff", "format", "-q", "--diff", *python_files]
    )
    linters.run(
        "pylint-odoo",
        [
            *python,
            "pylint",
            f"--rcfile={ROOT / '.pylintrc'}",
            # Each room has its own slice of a model that several rooms extend
            "--disable=consider-merging-classes-inherited",
            ADDON,
        ],
        cwd=ADDONS,
    )
    linters.run(
        "oca-checks-odoo-module",
        [
            linters.python.parent / "python",
            "-m",
            "oca_pre_commit_hooks.cli",
            ADDON_VIEW,
        ],
    )
    catalogues = source_files(".po", ".pot")
    if catalogues:
        linters.run(
            "oca-checks-po",
            [*python, "oca_pre_commit_hooks.cli_po", "--disable=po-pretty-format"]
            + catalogues,
        )
        linters.run(
            "translations complete",
            [linters.python, INSIDE / "terms.py", "check"]
            + [ROOT / "i18n" / f"{ADDON}.pot", ROOT / "i18n"],
        )
    linters.run("prettier", linters.node("prettier", "--check", *_prettier_files()))
    scripts = source_files(".js", ".cjs")
    linters.run("eslint", linters.node("eslint", "--max-warnings=0", *scripts))
    for name in source_files(".rst"):
        linters.run(
            name, [*python, "docutils", "--strict", "--writer=null", ROOT / name]
        )
    linters.run(
        "test of the rooms' scan",
        [sys.executable, "-m", "unittest", "-q", "dev.test_rooms"],
    )
    linters.report("rooms", rooms.scan(ROOT))
    linters.report("manifest", manifest_faults())
    linters.report("white space", whitespace_faults())
    if linters.findings:
        raise Stop(f"{linters.findings} checks found something; try: make format")


def format_sources():
    """Mend what the linters can mend."""
    linters = Linters()
    python_files = source_files(".py")
    ruff = [linters.python, "-m", "ruff"]
    linters.run("ruff", [*ruff, "check", "-q", "--fix", *python_files])
    linters.run("ruff format", [*ruff, "format", "-q", *python_files])
    linters.run(
        "prettier",
        linters.node("prettier", "--write", "--log-level=warn", *_prettier_files()),
    )
    linters.run("eslint", linters.node("eslint", "--fix", *source_files(".js", ".cjs")))
    if linters.findings:
        raise Stop("Some findings need a hand, see above.")


def _prettier_files():
    return source_files(
        ".cjs", ".css", ".js", ".json", ".md", ".scss", ".xml", ".yaml", ".yml"
    )


def manifest_faults():
    manifest = runtime.manifest()
    version = str(manifest.get("version"))
    if not re.fullmatch(rf"{re.escape(SERIES)}\.\d+\.\d+\.\d+", version):
        yield f"version {version!r} is not {SERIES}.x.y.z"
    if manifest.get("license") != "LGPL-3":
        yield f"licence {manifest.get('license')!r} is not LGPL-3"
    for key, value in MANIFEST_DEFAULTS.items():
        if key in manifest and manifest[key] == value:
            yield f"{key!r} only repeats Odoo's default"
    for bundle, patterns in manifest.get("assets", {}).items():
        for pattern in patterns:
            # A tuple is an operation, such as ("remove", path), on others' files.
            ours = isinstance(pattern, str) and pattern.startswith(f"{ADDON}/")
            if ours and not any(ADDONS.glob(pattern)):
                yield f"{bundle}: no file fits {pattern}"


def whitespace_faults():
    suffixes = (".cfg", ".csv", ".ini", ".in", ".rst", ".toml", ".txt", "Makefile")
    for name in source_files(*suffixes):
        text = (ROOT / name).read_bytes()
        if b"\r" in text:
            yield f"{name}: has carriage returns"
        if text and not text.endswith(b"\n"):
            yield f"{name}: does not end with a line break"
        for number, line in enumerate(text.split(b"\n"), 1):
            if line.endswith((b" ", b"\t")):
                yield f"{name}:{number}: ends with a blank"


def pins():
    """Resolve dev/pins/*.in into the full list of packages, with checksums."""
    with runtime.scratch() as temp:
        with step("uv, which resolves for all Python versions at once"):
            process.run([sys.executable, "-m", "venv", temp / "uv"])
            pip = [temp / "uv" / "bin" / "python", "-m", "pip", "-q"]
            process.run([*pip, "install", "uv"])
        for source in sorted(PINS.glob("*.in")):
            with step(f"{source.name}"):
                process.run(
                    [temp / "uv" / "bin" / "uv", "pip", "compile", "-q", "--upgrade"]
                    + ["--universal", "--python-version", "3.10", "--no-header"]
                    + ["--generate-hashes", source.name]
                    + ["-o", source.with_suffix(".txt").name],
                    cwd=PINS,
                )
