from odoo import models

from .res_config_settings import ALL_BY_STAGE

PLAIN_MENUS = ("project.menu_projects", "project.menu_projects_config")
STAGE_MENUS = (
    "project.menu_projects_group_stage",
    "project.menu_projects_config_group_stage",
)


class IrUiMenu(models.Model):
    _inherit = "ir.ui.menu"

    def _load_menus_blacklist(self):
        """Keep the menus of all projects as they were before the addon came.

        Client projects need the feature of project stages, with which stock Odoo shows
        all projects by stage. Firms that did not use it find them as ever.
        """
        blacklist = super()._load_menus_blacklist()
        by_stage = (
            self.env["ir.config_parameter"]
            .sudo()  # a switch of the settings, which everybody's menus depend on
            .get_param(ALL_BY_STAGE)
        )
        if not by_stage and self.env.user.has_group("project.group_project_stages"):
            plain_ids = {self.env.ref(xmlid).id for xmlid in PLAIN_MENUS}
            blacklist = [menu_id for menu_id in blacklist if menu_id not in plain_ids]
            blacklist += [self.env.ref(xmlid).id for xmlid in STAGE_MENUS]
        return blacklist
