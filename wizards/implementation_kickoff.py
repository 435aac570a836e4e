from odoo import fields, models


class ProjectKickoffWizard(models.TransientModel):
    _inherit = "project.kickoff.wizard"

    phase_ids = fields.One2many(related="project_id.phase_ids", readonly=False)
