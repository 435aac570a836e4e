from lxml import etree

from odoo.tests import tagged

from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestPlaces(LifecycleCommon):
    """Tabs, smart buttons and menus stand in the order of the lifecycle."""

    def _get_form(self, user):
        Project = self.env["project.project"].with_user(user)
        view_id = self.env.ref("project.edit_project").id
        return etree.fromstring(Project.get_view(view_id, "form")["arch"])

    def _get_texts(self, arch):
        buttons = arch.xpath("//div[@name='button_box']/button")
        return [
            (button.xpath(".//*[hasclass('o_stat_text')]/text()") or [""])[0]
            if not (named := button.xpath("./field[@widget='statinfo']/@string"))
            else named[0]
            for button in buttons
        ]

    def test_smart_buttons(self):
        for user in (self.manager, self.consultant):
            with self.subTest(user=user.login):
                arch = self._get_form(user)
                names = arch.xpath("//div[@name='button_box']/button/@name")
                ours = names[: names.index("action_view_tasks")]
                self.assertEqual(
                    self._get_texts(arch)[: len(ours)],
                    [
                        *("Hours", "Checklists", "Risks", "Phases"),
                        *("Business Flows", "Developments", "Data Imports"),
                        *("Meetings", "In This Stage"),
                    ],
                )
                hours = arch.xpath("//button[@name='action_view_packs']")[0]
                text = " ".join("".join(hours.itertext()).split())
                self.assertTrue(text.startswith("of h left"), text)

    def test_tabs(self):
        arch = self._get_form(self.manager)
        pages = [
            page.get("name")
            for page in arch.xpath("//sheet/notebook/page")
            if page.get("invisible") not in ("1", "True")
        ]
        ours = ["packs", "scope", "agreement", "phases"]
        self.assertEqual(pages[: len(ours)], ours)
        self.assertEqual(pages[len(ours)], "description")

    def test_other_projects_open_on_their_description(self):
        arch = self._get_form(self.manager)
        for page in arch.xpath("//sheet/notebook/page"):
            if page.get("name") == "description":
                break
            with self.subTest(page=page.get("name")):
                self.assertRegex(page.get("invisible"), "^1$|^True$|not is_lifecycle")

    def test_menus(self):
        menus = self.env["ir.ui.menu"].with_user(self.manager).load_menus(False)

        def names(xmlid):
            menu = menus[self.env.ref(xmlid).id]
            return [menus[child]["name"] for child in menu["children"]]

        shown = [
            name for name in names("project.menu_main_pm") if name != "Project Updates"
        ]
        self.assertEqual(
            shown,
            [
                *("Projects", "Client Projects", "Implementation", "Tasks"),
                *("Consultancy Packs", "Reporting", "Configuration"),
            ],
        )
        self.assertEqual(
            names("project_lifecycle.lifecycle_menu"),
            ["Projects", "Hand-overs", "Agreements", "Risks", "Checklists"],
        )
        self.assertEqual(
            names("project_lifecycle.implementation_menu"),
            ["Phases", "Business Flows", "Developments", "Data Imports", "Trainings"],
        )
