from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .project_values import clean_numbers


class ProjectProject(models.Model):
    """How long projects stay in their stage, and what they passed before."""

    _inherit = "project.project"

    transition_ids = fields.One2many(
        "project.stage.transition", "project_id", groups="base.group_user"
    )
    days_in_stage = fields.Integer(
        compute="_compute_days_in_stage",
        compute_sudo=True,
        search="_search_days_in_stage",
        groups="base.group_user",
        help="Whole days since the project entered its stage.",
    )
    stage_target_days = fields.Integer(
        string="Target (days)",
        compute="_compute_days_in_stage",
        compute_sudo=True,
        groups="base.group_user",
        help="Days that a project should stay in this stage at most.",
    )
    is_late_in_stage = fields.Boolean(
        compute="_compute_days_in_stage",
        compute_sudo=True,
        search="_search_is_late_in_stage",
        groups="base.group_user",
        help="In its stage for more days than the target of the stage.",
    )

    @api.depends("stage_id.target_days", "is_lifecycle")
    def _compute_days_in_stage(self):
        last = self.env["project.stage.transition"]._get_last(self)
        now = fields.Datetime.now()
        for project in self:
            date, _stage_id = last.get(project._origin.id, (now, False))
            days = (now - date).days
            target = project.stage_id.target_days
            project.days_in_stage = days
            project.stage_target_days = target
            project.is_late_in_stage = project.is_lifecycle and 0 < target < days

    @api.model
    def _search_days_in_stage(self, operator, value):
        wanted = clean_numbers(self, "days_in_stage", operator, value)
        if wanted is None:
            return NotImplemented
        if isinstance(wanted, set):
            wanted = tuple(wanted)
        condition = SQL("%s %s %s", self._days_sql(), SQL(operator), wanted)
        return Domain("id", "in", self._stage_time_sql(condition))

    @api.model
    def _search_is_late_in_stage(self, operator, value):
        if operator != "in":
            return NotImplemented
        condition = SQL(
            "%s > stage.target_days AND stage.target_days > 0 AND project.is_lifecycle",
            self._days_sql(),
        )
        return Domain("id", "in", self._stage_time_sql(condition))

    @api.model
    def _days_sql(self):
        """Return the whole days in stage: periods of 24 hours, as they are computed."""
        now = fields.Datetime.now()
        return SQL(
            "FLOOR(EXTRACT(EPOCH FROM %s - COALESCE(entry.date, %s)) / 86400)",
            now,
            now,
        )

    @api.model
    def _stage_time_sql(self, condition):
        """Return the query of the projects by the time in their stage.

        :param SQL condition: on ``project``, its ``stage`` and its last ``entry``
        """
        self.env["project.stage.transition"].flush_model(["project_id", "date"])
        self.flush_model(["stage_id", "is_lifecycle"])
        self.env["project.project.stage"].flush_model(["target_days"])
        return SQL(
            """(
                SELECT project.id
                  FROM project_project project
             LEFT JOIN project_project_stage stage ON stage.id = project.stage_id
             LEFT JOIN (
                    SELECT project_id, MAX(date) AS date
                      FROM project_stage_transition
                  GROUP BY project_id
                       ) entry ON entry.project_id = project.id
                 WHERE %s
            )""",
            condition,
        )

    def action_view_transitions(self):
        """Open the history of the project's stages."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.lifecycle_transition_action"
        )
        return action | {
            "domain": [("project_id", "=", self.id)],
            "context": {},
            "view_mode": "list,pivot,graph",
            "views": [(False, "list"), (False, "pivot"), (False, "graph")],
        }
