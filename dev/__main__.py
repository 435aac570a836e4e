"""Entry point. Kept free of modern syntax: an old Python must reach the message."""

import sys

OLDEST, NEWEST = (3, 10), (3, 13)

if not OLDEST <= sys.version_info[:2] <= NEWEST:
    sys.exit(
        "Odoo 19 runs on Python 3.10 to 3.13, and this is %d.%d. Name another one, "
        "for example: make demo PYTHON=python3.12" % sys.version_info[:2]
    )

from dev.commands import main

sys.exit(main(*sys.argv[1:]))
