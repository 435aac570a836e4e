from odoo import api, models


class ProjectStageTransition(models.Model):
    _inherit = "project.stage.transition"

    @api.model_create_multi
    def create(self, vals_list):
        transitions = super().create(vals_list)
        projects = self.env["project.project"]
        kinds = dict(self.env["project.checklist"]._selection_kind())
        by_kind = {}
        for transition in transitions.sudo():  # sudo: made by the system
            kind = transition.to_stage_id.lifecycle_stage
            if kind in kinds:
                by_kind[kind] = by_kind.get(kind, projects) | transition.project_id
        if by_kind:
            self.env["project.checklist"].sudo()._create_for(by_kind)
        return transitions
