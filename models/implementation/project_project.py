from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .project_phase import CURRENT_STATES


class ProjectProject(models.Model):
    _inherit = "project.project"

    phase_ids = fields.One2many(
        "project.phase", "project_id", string="Phases", groups="base.group_user"
    )
    flow_ids = fields.One2many(
        "project.flow",
        "project_id",
        string="Business Flows",
        groups="base.group_user",
    )
    development_ids = fields.One2many(
        "project.development.request",
        "project_id",
        string="Development Requests",
        groups="base.group_user",
    )
    import_ids = fields.One2many(
        "project.data.import",
        "project_id",
        string="Data Imports",
        groups="base.group_user",
    )
    current_phase_id = fields.Many2one(
        "project.phase",
        compute="_compute_current_phase_id",
        search="_search_current_phase_id",
        compute_sudo=True,
        groups="base.group_user",
        help="The phase that the project works on, until its go-live is agreed "
        "complete.",
    )
    phase_timeline = fields.Json(
        compute="_compute_phase_timeline",
        groups="base.group_user",
        export_string_translation=False,
    )
    phase_count = fields.Integer(
        compute="_compute_implementation_counts",
        groups="base.group_user",
        export_string_translation=False,
    )
    complete_phase_count = fields.Integer(
        compute="_compute_implementation_counts",
        groups="base.group_user",
        export_string_translation=False,
    )
    flow_count = fields.Integer(
        compute="_compute_implementation_counts",
        groups="base.group_user",
        export_string_translation=False,
    )
    done_flow_count = fields.Integer(
        compute="_compute_implementation_counts",
        groups="base.group_user",
        export_string_translation=False,
    )
    undecided_development_count = fields.Integer(
        compute="_compute_implementation_counts",
        groups="base.group_user",
        export_string_translation=False,
    )
    development_count = fields.Integer(
        compute="_compute_implementation_counts",
        groups="base.group_user",
        export_string_translation=False,
    )
    pending_import_count = fields.Integer(
        compute="_compute_implementation_counts",
        groups="base.group_user",
        export_string_translation=False,
    )
    import_count = fields.Integer(
        compute="_compute_implementation_counts",
        groups="base.group_user",
        export_string_translation=False,
    )

    def _get_current_phases(self):
        """Return the phase that each client project works on, in one query.

        :return: dict from project to its phase; projects between phases are missing
        """
        lifecycle = self.filtered("is_lifecycle")
        if not lifecycle.ids:
            return {}
        phases = self.env["project.phase"].search(
            [("project_id", "in", lifecycle.ids), ("state", "in", CURRENT_STATES)]
        )
        return {phase.project_id: phase for phase in phases}

    @api.depends("phase_ids.state")
    def _compute_current_phase_id(self):
        current = self._get_current_phases()
        for project in self:
            project.current_phase_id = current.get(project._origin, False)

    @api.model
    def _search_current_phase_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        current = Domain("state", "in", CURRENT_STATES)
        domain = Domain("phase_ids", "any", current & Domain("id", "in", value))
        if False in value:
            domain |= Domain("phase_ids", "not any", current)
        return domain

    @api.depends("phase_ids", "flow_ids", "development_ids", "import_ids")
    def _compute_implementation_counts(self):
        """Count for the smart buttons, in one query: every project form asks for it."""
        counted = (
            ("project.phase", "state", "complete", "phase", "complete_phase"),
            ("project.flow", "step", "done", "flow", "done_flow"),
            (
                "project.development.request",
                "decision",
                "to_decide",
                "development",
                "undecided_development",
            ),
            ("project.data.import", "state", "imported", "import", "imported"),
        )
        parts = []
        for model, field, value, total, matching in counted:
            self.env[model].flush_model()
            parts.append(
                SQL(
                    """
                    SELECT project_id, %s, COUNT(*), %s, COUNT(*) FILTER (WHERE %s = %s)
                      FROM %s
                     WHERE project_id IN %s AND %s
                  GROUP BY project_id
                    """,
                    total,
                    matching,
                    SQL.identifier(field),
                    value,
                    SQL.identifier(self.env[model]._table),
                    tuple(self.ids) or (0,),
                    SQL("active" if "active" in self.env[model]._fields else "TRUE"),
                )
            )
        counts = defaultdict(int)
        for project_id, total, number, matching, matched in self.env.execute_query(
            SQL(" UNION ALL ").join(parts)
        ):
            counts[project_id, total] = number
            counts[project_id, matching] = matched
        for project in self:
            project_id = project._origin.id
            project.phase_count = counts[project_id, "phase"]
            project.complete_phase_count = counts[project_id, "complete_phase"]
            project.flow_count = counts[project_id, "flow"]
            project.done_flow_count = counts[project_id, "done_flow"]
            project.development_count = counts[project_id, "development"]
            project.undecided_development_count = counts[
                project_id, "undecided_development"
            ]
            project.import_count = counts[project_id, "import"]
            project.pending_import_count = (
                project.import_count - counts[project_id, "imported"]
            )

    @api.depends(
        "phase_ids.name",
        "phase_ids.sequence",
        "phase_ids.wave",
        "phase_ids.state",
        "phase_ids.date_start",
        "phase_ids.date_go_live",
        "phase_ids.date_start_real",
        "phase_ids.date_go_live_real",
    )
    def _compute_phase_timeline(self):
        for project in self:
            project.phase_timeline = project.phase_ids._get_timeline()

    def unlink(self):
        # One after another and not by a cascade in the database: that would update
        # rows of flows and cycles that are about to be deleted.
        self.check_access("unlink")
        self._unlink_except_phases_with_history()
        # sudo: the project's own, which the user may delete
        projects = self.sudo().with_context(active_test=False)
        projects.import_ids.unlink()
        projects.development_ids.unlink()
        projects.flow_ids.unlink()
        projects.phase_ids.unlink()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_phases_with_history(self):
        # sudo: history counts, whoever deletes the project
        for phase in self.sudo().phase_ids:
            if phase._has_history():
                raise UserError(
                    self.env._(
                        "%(project)s cannot be deleted: work was done in its phase "
                        "%(phase)s, and that history stays. Archive the project.",
                        project=phase.project_id.name,
                        phase=phase.name,
                    )
                )
