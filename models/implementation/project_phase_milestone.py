from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..lifecycle.project_lock import unlocked


class ProjectPhase(models.Model):
    _inherit = "project.phase"

    milestone_id = fields.Many2one(
        "project.milestone",
        copy=False,
        index=True,
        ondelete="set null",  # only when the project goes with both of them
        readonly=True,
        help="The milestone of this phase in the project: same name, the go-live as "
        "deadline, reached when the phase is live.",
    )

    _milestone_uniq = models.UniqueIndex(
        "(milestone_id) WHERE milestone_id IS NOT NULL",
        "This milestone belongs to another phase: each phase has its own.",
    )

    @api.constrains("milestone_id", "project_id")
    def _check_milestone(self):
        for phase in self.sudo():  # milestones have rules of their own
            if phase.milestone_id and phase.milestone_id.project_id != phase.project_id:
                raise ValidationError(
                    self.env._(
                        "The milestone %(milestone)s belongs to another project than "
                        "the phase %(phase)s.",
                        milestone=phase.milestone_id.name,
                        phase=phase.name,
                    )
                )

    def _prepare_milestone_values(self):
        """Return what the milestone of the phase says."""
        self.ensure_one()
        return {
            "name": self.name,
            "deadline": self.date_go_live,
            "is_reached": self.state in ("live", "complete"),
        }

    def _create_milestones(self):
        """Give each phase its milestone, and switch milestones on in its project."""
        # sudo: the project is the user's, who has just been allowed to plan it
        projects = self.project_id.sudo()
        projects.filtered(lambda p: not p.allow_milestones).allow_milestones = True
        missing = self.filtered(lambda phase: not phase.milestone_id)
        milestones = (
            self.env["project.milestone"]
            .sudo()
            .create(
                [
                    phase._prepare_milestone_values()
                    | {"project_id": phase.project_id.id}
                    for phase in missing
                ]
            )
        )
        for phase, milestone in zip(missing, milestones, strict=True):
            unlocked(phase).milestone_id = milestone
        (self - missing)._push_to_milestones()

    def _push_to_milestones(self):
        """Bring the milestones in step with their phases."""
        for phase in self.sudo():  # sudo: the milestone is part of the phase
            milestone = phase.milestone_id
            changed = {
                name: value
                for name, value in phase._prepare_milestone_values().items()
                if milestone and milestone[name] != value
            }
            if changed:
                unlocked(milestone).write(changed)

    def _follow_milestone(self, is_reached):
        """Do what somebody said about the milestones: they are the phases' go-lives.

        :param bool is_reached: whether the milestones were marked as reached
        :raises UserError: for a phase that may not go live yet, or that is live
        """
        live = self.filtered(lambda phase: phase.state in ("live", "complete"))
        if is_reached:
            (self - live)._set_live()
        elif live:
            raise UserError(
                self.env._(
                    "%(phase)s is live: its milestone is reached, and that stays.",
                    phase=live[0].name,
                )
            )
