from odoo import models

from ..implementation.project_phase import CURRENT_STATES


class ProjectProject(models.Model):
    _inherit = "project.project"

    def _get_checklist_key(self, kind):
        """Each phase goes live with a checklist of its own."""
        key = super()._get_checklist_key(kind)
        if kind == "go_live":
            current = self.phase_ids.filtered(
                lambda phase: phase.state in CURRENT_STATES
            )
            key["phase_id"] = current[:1].id
        return key
