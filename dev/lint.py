"""The linters: OCA's set for Odoo 19, and the order of the rooms."""

import os
import re
import sys

from . import process, runtime
from .process import Stop, say, step
from .settings import ADDON, ADDON_VIEW, ADDONS, INSIDE, ROOT

#: What a linter must leave as it is: other people's files and generated ones.
FOREIGN = re.compile(r"/lib/|package-lock\.json$|description/index\.html$")

PRETTIER = (".cjs", ".css", ".js", ".json", ".md", ".scss", ".xml", ".yaml", ".yml")

#: Git's name for a checkout without files
NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def source_files(*suffixes):
    """The checkout's files that end so, relative to its root."""
    paths = map(str, sorted(runtime.walk()))
    return [p for p in paths if p.endswith(suffixes) and not FOREIGN.search(p)]


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

    def module(self, title, name, *arguments, **options):
        self.run(title, [self.python, "-m", name, *arguments], **options)

    def node(self, title, *arguments):
        self.run(title, [self.node_modules / ".bin" / title, *arguments])


def lint():
    """Check everything that can be checked without running Odoo."""
    linters = Linters()
    python_files = source_files(".py")
    linters.module("ruff", "ruff", "check", "-q", *python_files)
    linters.module("ruff format", "ruff", "format", "-q", "--diff", *python_files)
    linters.module(
        *("pylint-odoo", "pylint", f"--rcfile={ROOT / '.pylintrc'}", ADDON),
        # Each room has its own slice of a model that several rooms extend
        "--disable=consider-merging-classes-inherited",
        cwd=ADDONS,
    )
    linters.module("oca-checks-odoo-module", "oca_pre_commit_hooks.cli", ADDON_VIEW)
    linters.module(
        *("oca-checks-po", "oca_pre_commit_hooks.cli_po"),
        *("--disable=po-pretty-format", *source_files(".po", ".pot")),
    )
    terms = [INSIDE / "terms.py", "check", ROOT / "i18n" / f"{ADDON}.pot"]
    linters.run("translations complete", [linters.python, *terms, ROOT / "i18n"])
    linters.node("prettier", "--check", *source_files(*PRETTIER))
    linters.node("eslint", "--max-warnings=0", *source_files(".js", ".cjs"))
    for name in source_files(".rst"):
        linters.module(name, "docutils", "--strict", "--writer=null", ROOT / name)
    linters.run("white space", ["git", "diff", "--check", NOTHING])
    for module in (["unittest", "-q", "dev.test_rooms"], ["dev.rooms", ROOT]):
        linters.run(f"order of the rooms, {module[0]}", [sys.executable, "-m", *module])
    if linters.findings:
        raise Stop(f"{linters.findings} checks found something; try: make format")


def format_sources():
    """Mend what the linters can mend."""
    linters = Linters()
    python_files = source_files(".py")
    linters.module("ruff", "ruff", "check", "-q", "--fix", *python_files)
    linters.module("ruff format", "ruff", "format", "-q", *python_files)
    linters.node("prettier", "--write", "--log-level=warn", *source_files(*PRETTIER))
    linters.node("eslint", "--fix", *source_files(".js", ".cjs"))
    if linters.findings:
        raise Stop("Some findings need a hand, see above.")
