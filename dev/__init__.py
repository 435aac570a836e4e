"""The developer's tools: set up a complete Odoo 19 and run the addon in it.

Only Python's standard library is needed to start them (``python3 -m dev``, or
better the targets of the Makefile). Everything that they fetch or write is kept
in one folder, ``.runtime``, which may be deleted at any time.
"""
