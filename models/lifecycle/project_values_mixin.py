from odoo import api, models

from .project_values import clean_values


class ProjectValuesMixin(models.AbstractModel):
    """Values that cannot be stored are answered with a sentence.

    For models without locked fields, such as wizards. The lock does the same.
    """

    _name = "project.values.mixin"
    _description = "Checked Values"

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([clean_values(self, vals) for vals in vals_list])

    def write(self, vals):
        return super().write(clean_values(self, vals))
