from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    project_director_id = fields.Many2one(
        related="company_id.project_director_id", readonly=False
    )
    all_projects_by_stage = fields.Boolean(
        string="All projects by stage",
        config_parameter="project_lifecycle.all_projects_by_stage",
    )

    def set_values(self):
        result = super().set_values()
        self.env.registry.clear_cache()  # the menus depend on all_projects_by_stage
        return result
