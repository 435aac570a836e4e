from odoo import api, models


class ProjectConsultancyPack(models.Model):
    _inherit = "project.consultancy.pack"

    @api.model_create_multi
    def create(self, vals_list):
        packs = super().create(vals_list)
        packs.project_id._update_findings()
        return packs

    def write(self, vals):
        is_input = vals.keys() & {"cancelled", "project_id", "purchased_hours"}
        projects = self.project_id
        result = super().write(vals)
        if is_input:
            (projects | self.project_id)._update_findings()
        return result

    def unlink(self):
        projects = self.project_id
        result = super().unlink()
        projects._update_findings()
        return result
