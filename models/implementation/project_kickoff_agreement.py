from odoo import api, models


class ProjectKickoffAgreement(models.Model):
    _inherit = "project.kickoff.agreement"

    @api.model
    def _get_snapshot_fields(self):
        return super()._get_snapshot_fields() | {
            "phases": (
                "project.phase",
                "phase_ids.",
                ["name", "wave", "date_start", "date_go_live"],
            )
        }

    @api.model
    def _get_added_sentence(self, section, name):
        if section == "phases":
            return self.env._("New phase: %s", name)
        return super()._get_added_sentence(section, name)

    @api.model
    def _get_removed_sentence(self, section, name):
        if section == "phases":
            return self.env._("Phase left out: %s", name)
        return super()._get_removed_sentence(section, name)

    @api.model
    def _get_changed_sentence(self, section, name, labels):
        if section == "phases":
            return self.env._(
                "Phase changed: %(phase)s (%(fields)s)", phase=name, fields=labels
            )
        return super()._get_changed_sentence(section, name, labels)
