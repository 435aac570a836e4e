from odoo import api, fields, models


class GatePass:
    """What a project manager's override carries to the gate.

    It travels in the context, which RPC clients may fill as they like, but they can
    only send JSON and never an instance of this class.
    """

    def __init__(self, reason, ids):
        """Let projects pass a shut gate.

        :param str reason: why, in plain text
        :param ids: the ids of these projects; others that the same change moves, by an
            automation for example, are checked as ever
        """
        self.reason = reason
        self.ids = frozenset(ids)

    @classmethod
    def of(cls, env):
        """Return the pass that the gate's code put into the context, or None."""
        gate_pass = env.context.get("lifecycle_gate_pass")
        return gate_pass if isinstance(gate_pass, cls) else None


class ProjectStageTransition(models.Model):
    """The history of the stages: nobody may write it, the gate does (with sudo)."""

    _name = "project.stage.transition"
    _description = "Stage Transition"
    _order = "date desc, id desc"
    _rec_name = "project_id"

    project_id = fields.Many2one(
        "project.project", required=True, index=True, ondelete="cascade", readonly=True
    )
    from_stage_id = fields.Many2one(
        "project.project.stage",
        string="From",
        index="btree_not_null",
        ondelete="restrict",
        readonly=True,
    )
    to_stage_id = fields.Many2one(
        "project.project.stage",
        string="To",
        required=True,
        index=True,
        ondelete="restrict",
        readonly=True,
    )
    date = fields.Datetime(
        required=True, default=fields.Datetime.now, index=True, readonly=True
    )
    user_id = fields.Many2one(
        "res.users",
        string="Moved By",
        required=True,
        default=lambda self: self.env.user,
        ondelete="restrict",
        readonly=True,
    )
    duration = fields.Float(
        string="Days in Former Stage",
        aggregator="avg",
        readonly=True,
        help="Days between the entry into the former stage and this transition.",
    )
    overridden_criterion_ids = fields.Many2many(
        "project.stage.criterion",
        string="Overridden Criteria",
        ondelete="restrict",
        context={"active_test": False},
        readonly=True,
    )
    reason = fields.Char(
        readonly=True, help="Why a manager let the project pass the closed gate."
    )
    company_id = fields.Many2one(related="project_id.company_id")
    partner_id = fields.Many2one(related="project_id.partner_id", string="Client")
    project_user_id = fields.Many2one(related="project_id.user_id", string="Consultant")

    _project_date_idx = models.Index("(project_id, date DESC, id DESC)")

    @api.model
    def _get_last(self, projects):
        """Return the last transition of each project, in one query.

        :return: dict from project id to (date in UTC, id of the stage entered)
        """
        self.flush_model(["project_id", "to_stage_id", "date"])
        self.env.cr.execute(
            """
            SELECT DISTINCT ON (project_id) project_id, date, to_stage_id
              FROM project_stage_transition
             WHERE project_id = ANY(%s)
             ORDER BY project_id, date DESC, id DESC
            """,
            [projects.ids],
        )
        return {
            project_id: (date, stage_id)
            for project_id, date, stage_id in self.env.cr.fetchall()
        }

    @api.model
    def _get_used_stages(self, stages):
        """Return those of ``stages`` in which some project has been."""
        groups = self._read_group(
            [
                "|",
                ("from_stage_id", "in", stages.ids),
                ("to_stage_id", "in", stages.ids),
            ],
            ["from_stage_id", "to_stage_id"],
        )
        used = stages.browse().concat(*(stage for group in groups for stage in group))
        return stages & used
