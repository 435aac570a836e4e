from odoo import api, models


class ProjectConsultancyPack(models.Model):
    _inherit = "project.consultancy.pack"

    @api.model_create_multi
    def create(self, vals_list):
        packs = super().create(vals_list)
        packs.project_id._update_findings()
        packs._note_capacity_uses()
        return packs

    def write(self, vals):
        is_input = vals.keys() & {
            "cancelled",
            "date_end",
            "project_id",
            "purchased_hours",
        }
        projects = self.project_id
        result = super().write(vals)
        if is_input:
            (projects | self.project_id)._update_findings()
            self._note_capacity_uses()
        return result

    def unlink(self):
        projects = self.project_id
        result = super().unlink()
        projects._update_findings()
        return result

    def _note_capacity_uses(self):
        """Note that the consultants have more or less to do for these projects."""
        # sudo: who sells packs need not see the projects
        consultants = self.sudo().project_id.user_id
        self.env["project.feasibility.change"]._note(consultants)
