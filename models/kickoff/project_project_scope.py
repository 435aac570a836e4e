from odoo import api, fields, models

# What findings are made of, on the project itself.
FINDING_INPUTS = {
    "active",
    "approach_id",
    "company_id",
    "date",
    "date_start",
    "is_lifecycle",
    "is_template",
    "salesperson_id",
    "user_id",
    "weekly_hours",
}
# What decides how much of a consultant's week is left for the other projects.
CAPACITY_INPUTS = {
    "active",
    "is_lifecycle",
    "is_template",
    "stage_id",
    "user_id",
    "weekly_hours",
}


class ProjectProject(models.Model):
    _inherit = "project.project"

    approach_id = fields.Many2one(
        "project.approach",
        compute="_compute_approach_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
        groups="base.group_user",
        help="How the project is implemented. Its factor tells how many hours the "
        "scope takes.",
    )
    weekly_hours = fields.Float(
        string="Hours a Week",
        tracking=True,
        groups="base.group_user",
        help="Hours a week that the consultant can give to this project. Zero: all the "
        "hours of the working calendar.",
    )
    scope_line_ids = fields.One2many(
        "project.scope.line",
        "project_id",
        string="Scope",
        copy=True,
        groups="base.group_user",
    )
    scope_hours = fields.Float(
        compute="_compute_scope_hours",
        compute_sudo=True,
        groups="base.group_user",
        help="Hours that the scope takes: the standard hours of its applications times "
        "the factor of the approach, and the kick-off with its share of the whole.",
    )

    _weekly_hours_range = models.Constraint(
        "CHECK (weekly_hours >= 0 AND weekly_hours <= 168)",
        "The hours a week must be between 0 and 168.",
    )

    @api.depends("is_lifecycle")
    def _compute_approach_id(self):
        without = self.filtered(lambda p: p.is_lifecycle and not p.approach_id)
        if without:
            without.approach_id = self.env["project.approach"].search([], limit=1)
        for project in self - without:
            project.approach_id = project.approach_id

    @api.depends(
        "approach_id.factor",
        "company_id.kickoff_share_target",
        "scope_line_ids.application_id.standard_hours",
    )
    def _compute_scope_hours(self):
        for project in self:
            standard = sum(
                project.scope_line_ids.application_id.mapped("standard_hours")
            )
            hours = standard * (project.approach_id.factor or 1)
            share = (project.company_id or self.env.company).kickoff_share_target
            # A kick-off that takes everything leaves no measure of the whole
            project.scope_hours = hours / (1 - share / 100) if share < 100 else hours

    @api.model_create_multi
    def create(self, vals_list):
        projects = super().create(vals_list)
        # Orders and templates fill in the scope right after
        projects._mark_findings_stale()
        projects.filtered("date")._update_findings()
        return projects

    def write(self, vals):
        if vals.get("date") and "date_start" not in vals:
            self._start_before_deadline(vals["date"])
        former = self._get_capacity_uses() if vals.keys() & CAPACITY_INPUTS else {}
        result = super().write(vals)
        if vals.keys() & FINDING_INPUTS:
            self._update_findings()
        self._note_capacity_uses(former)
        return result

    def _get_capacity_uses(self):
        """Return what each project (sudo) takes of the week of which consultant."""
        return {
            project: (project._is_checked(), project.user_id, project.weekly_hours)
            for project in self.sudo()  # sudo: stages are hidden from some groups
        }

    def _note_capacity_uses(self, former):
        """Note whose weeks are used otherwise than before.

        :param former: what :meth:`_get_capacity_uses` said before the change
        """
        changed = [
            (project, user | project.user_id)
            for project, (was_checked, user, hours) in former.items()
            if (was_checked or project._is_checked())
            and (was_checked, user, hours)
            != (project._is_checked(), project.user_id, project.weekly_hours)
        ]
        self.env["project.feasibility.change"]._note(
            self.browse().union(*(project for project, _users in changed)),
            self.env["res.users"].union(*(users for _project, users in changed)),
        )

    def _mark_findings_stale(self):
        """Have the findings of these projects looked at soon, without waiting for it.

        Nothing that goes wrong with it, and nobody who works on these projects, keeps
        the caller from what he or she is doing.
        """
        # sudo: which projects are client projects may be known
        self.env["project.feasibility.change"]._note(
            self.sudo().filtered("is_lifecycle")
        )

    def _start_before_deadline(self, deadline):
        """Give client projects without a start one, as they are given a deadline.

        Stock Odoo keeps a deadline only together with a start, and drops it silently.
        """
        # sudo: whether it starts may be read here; write checks the rights
        without = self.filtered(
            lambda project: project.sudo().is_lifecycle and not project.date_start
        )
        if without:
            deadline = fields.Date.to_date(deadline)
            today = fields.Date.context_today(self)
            without.write({"date_start": min(today, deadline), "date": deadline})
