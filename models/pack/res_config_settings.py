from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    pack_alert_thresholds = fields.Char(
        related="company_id.pack_alert_thresholds", readonly=False
    )
    pack_overrun_policy = fields.Selection(
        related="company_id.pack_overrun_policy", readonly=False
    )
    kickoff_share_target = fields.Float(
        related="company_id.kickoff_share_target", readonly=False
    )
    kickoff_share_tolerance = fields.Float(
        related="company_id.kickoff_share_tolerance", readonly=False
    )
