"""A pytest plugin: what Odoo logs as a warning or worse in a test is a failure.

A test that provokes a warning says so with ``mute_logger`` or ``assertLogs``. The
database also learns the address of the server that pytest-odoo starts on a free port.
"""

import logging
import os

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config):
    """Give each of several processes its own database, with its own files.

    pytest-odoo would share the files, and a process then deletes those of another.
    """
    worker = os.environ.pop("PYTEST_XDIST_WORKER", None)
    if worker:
        config.option.odoo_database += f"_{worker}"
    return (yield)


@pytest.fixture(scope="session", autouse=True)
def own_address(load_http):
    """Links in mails and in PDFs lead to the server that the tests talk to."""
    import odoo.api
    from odoo.modules.registry import Registry
    from odoo.tools import config

    (database,) = config["db_name"]
    with Registry(database).cursor() as cr:
        env = odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {})
        for key in ("web.base.url", "report.url"):
            url = f"http://127.0.0.1:{config['http_port']}"
            env["ir.config_parameter"].set_param(key, url)


@pytest.fixture(autouse=True)
def clean_log(own_address, caplog):
    """No test, nor its set-up (with the loading of Odoo), leaves a warning."""
    yield
    complaints = [
        f"{record.levelname} {record.name}: {record.getMessage()}"
        for phase in ("setup", "call")
        for record in caplog.get_records(phase)
        if record.levelno >= logging.WARNING
    ]
    if complaints:
        pytest.fail("Odoo logged\n" + "\n".join(complaints), pytrace=False)
