from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    project_director_id = fields.Many2one(
        related="company_id.project_director_id", readonly=False
    )
