"""A pytest plugin: what Odoo logs as a warning or worse is a failure.

A test that provokes a warning says so with ``mute_logger`` or ``assertLogs``; both
keep the record from the root logger, where this plugin listens. It also gives the
database the address of the server that pytest-odoo starts on a free port.
"""

import logging

import pytest


class _Recorder(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.records = []

    def emit(self, record):
        self.records.append(record)

    def take(self):
        records, self.records = self.records, []
        return "\n".join(self.format(record) for record in records)


_recorder = _Recorder()
_recorder.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
_outside_of_tests = []


def pytest_configure():
    logging.getLogger().addHandler(_recorder)


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


def _note_outside():
    text = _recorder.take()
    if text:
        _outside_of_tests.append(text)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    _note_outside()
    try:
        return (yield)
    finally:
        _note_outside()


def _fail_on_records(phase):
    text = _recorder.take()
    if text:
        pytest.fail(f"Odoo logged during the {phase}:\n{text}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    result = yield
    # The session's set-up, loading all of Odoo, happens in the first test's.
    _fail_on_records("set-up of the test")
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    try:
        result = yield
    except BaseException:
        # The failure tells enough; its log is in pytest's report of it.
        _recorder.take()
        raise
    _fail_on_records("test")
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    result = yield
    _fail_on_records("end of the test")
    return result


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session, exitstatus):
    result = yield
    _note_outside()
    if _outside_of_tests and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    return result


def pytest_terminal_summary(terminalreporter):
    if _outside_of_tests:
        terminalreporter.section("Odoo logged outside of a test", red=True)
        terminalreporter.write_line("\n".join(_outside_of_tests))
