"""Where things are, and what the environment asks for."""

import os
from pathlib import Path

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
LOCKS = RUNTIME / "locks"
LOGS = RUNTIME / "log"
DATA = RUNTIME / "data"
FILESTORE = DATA / "filestore"
MAILBOX = RUNTIME / "mail"
SCREENSHOTS = RUNTIME / "screenshots"
CONFIG = RUNTIME / "odoo.conf"

#: Top-level entries of the checkout that are not part of the addon.
NOT_ADDON = {
    *("CHANGELOG.md", "Makefile", "__pycache__", "dev", "node_modules"),
    *("eslint.config.cjs", "prettier.config.cjs"),
}
