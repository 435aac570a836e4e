from odoo import api, fields, models
from odoo.tools import ormcache


class ProjectProjectStage(models.Model):
    _inherit = "project.project.stage"

    work_type_id = fields.Many2one(
        "project.work.type",
        ondelete="restrict",
        help="Proposed for time that is logged while a project is in this stage, "
        "unless the task says otherwise.",
    )

    @api.model
    @ormcache("stage_id")
    def _get_work_type_id(self, stage_id):
        """Return the id of the work type proposed in a stage, if any.

        Cached, since it is configuration that every line of time asks for; changing a
        stage clears the cache.
        """
        return self.browse(stage_id).work_type_id.id
