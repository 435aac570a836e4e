from odoo import api, fields, models

ALL_BY_STAGE = "project_lifecycle.all_projects_by_stage"


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    project_director_id = fields.Many2one(
        related="company_id.project_director_id", readonly=False
    )

    @api.model
    def get_values(self):
        """Read whether all projects are shown by stage: client projects always are."""
        by_stage = self.env["ir.config_parameter"].sudo().get_param(ALL_BY_STAGE)
        return super().get_values() | {"group_project_stages": bool(by_stage)}

    def set_values(self):
        """Keep the stages that client projects need, whatever the switch says.

        Stock Odoo's switch "Project Stages" tells about all other projects.
        """
        by_stage = self.group_project_stages
        self.env["ir.config_parameter"].sudo().set_param(ALL_BY_STAGE, by_stage)
        self.group_project_stages = True
        result = super().set_values()
        self.group_project_stages = by_stage
        self.env.registry.clear_cache()  # the menus depend on it
        return result
