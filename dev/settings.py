"""Where things are, and what the environment asks for."""

import os
from pathlib import Path

from .console import Stop

ADDON = "project_lifecycle"
SERIES = "19.0"
LANGUAGES = ("en_US", "es_ES")

ROOT = Path(__file__).resolve().parent.parent
DEV = ROOT / "dev"
PINS = DEV / "pins"

#: Programs for the Python of the runtime, which has Odoo and the packages.
INSIDE = DEV / "inside"

#: Everything fetched or written goes here. ``RUNTIME=`` puts it elsewhere.
RUNTIME = Path(os.environ.get("RUNTIME") or ROOT / ".runtime").absolute()

#: The addon under its technical name, whatever the checkout's folder is called.
ADDONS = RUNTIME / "addons"
ADDON_VIEW = ADDONS / ADDON

PYTHON = RUNTIME / "python" / "bin" / "python"
LOGS = RUNTIME / "log"
DATA = RUNTIME / "data"
FILESTORE = DATA / "filestore"
MAILBOX = RUNTIME / "mail"
SCREENSHOTS = RUNTIME / "screenshots"
CONFIG = RUNTIME / "odoo.conf"

ODOO_SRC = os.environ.get("ODOO_SRC")
ARGS = os.environ.get("ARGS", "")

#: Top-level entries of the checkout that are not part of the addon.
NOT_ADDON = {
    "CHANGELOG.md",
    "Makefile",
    "__pycache__",
    "dev",
    "eslint.config.cjs",
    "node_modules",
    "prettier.config.cjs",
}


def wanted_port():
    """The port to serve the demo on, from ``PORT``."""
    text = os.environ.get("PORT") or "8069"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Stop(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def check_runtime_path():
    """Refuse a path that Odoo's addons path or Python's path cannot express."""
    for char, name in ((",", "comma"), (":", "colon"), ('"', "quotation mark")):
        if char in str(RUNTIME):
            raise Stop(
                f"The path {RUNTIME} holds a {name}, which Odoo cannot take in its "
                "list of addon folders. Put the runtime elsewhere: "
                "make … RUNTIME=/some/other/folder"
            )
