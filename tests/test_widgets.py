from odoo.tests import no_retry, tagged

from odoo.addons.web.tests import test_js


@tagged("post_install", "-at_install")
class TestWidgets(test_js.HOOTCommon):
    """The fields in the browser: ``static/tests/*.test.js``."""

    # Odoo's own tests of this class need not run again
    test_generate_hoot_hash = None
    test_get_hoot_filter = None

    def setUp(self):
        self._test_params = [("+", "@project_lifecycle")]
        super().setUp()

    @no_retry
    def test_widgets(self):
        self.browser_js(
            "/web/tests?headless&loglevel=2&preset=desktop&timeout=15000"
            + self.hoot_filters,
            "",
            "",
            login="admin",
            timeout=600,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=test_js.unit_test_error_checker,
        )
