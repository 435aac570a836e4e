from odoo import fields, models


class ProjectChecklist(models.Model):
    _inherit = "project.checklist"

    phase_id = fields.Many2one(
        "project.phase",
        index="btree_not_null",
        ondelete="cascade",
        readonly=True,
        check_company=True,
        help="The phase that the checklist is for. Empty: for the whole project.",
    )

    _project_kind_uniq = models.UniqueIndex(
        "(project_id, kind, COALESCE(phase_id, 0))",
        "The project has this checklist already.",
    )
