from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import ormcache

LIFECYCLE_STAGES = [
    ("internal_kickoff", "Internal kick-off"),
    ("kickoff", "Kick-off"),
    ("implementation", "Implementation"),
    ("go_live", "Go-live"),
    ("support", "Support"),
    ("done", "Done"),
]
FIRST_KIND = LIFECYCLE_STAGES[0][0]
KIND_ORDER = {kind: number for number, (kind, _name) in enumerate(LIFECYCLE_STAGES)}


class ProjectProjectStage(models.Model):
    _name = "project.project.stage"
    _inherit = ["project.project.stage", "project.lock.mixin"]

    lifecycle_stage = fields.Selection(
        LIFECYCLE_STAGES,
        index="btree_not_null",
        help="Stage of the client implementation lifecycle that this column stands "
        "for. Only client projects can enter it, through its gate. Leave it empty "
        "for the stages of all other projects.",
    )
    target_days = fields.Integer(
        string="Target (days)",
        help="Days that a client project should stay here at most. Projects that "
        "stay longer are shown as late. 0 means that there is no target.",
    )
    next_stage_ids = fields.Many2many(
        "project.project.stage",
        "project_stage_next_rel",
        "stage_id",
        "next_stage_id",
        string="Next Stages",
        domain="[('lifecycle_stage', '!=', False)]",
        # An archived stage still is the one way on: nobody may go elsewhere instead
        context={"active_test": False},
        help="Stages to which a client project may go from here. Leave it empty to "
        "allow all of them: whoever leaves stages out meets their criteria as well.",
    )
    criterion_ids = fields.One2many(
        "project.stage.criterion",
        "stage_id",
        string="Entry Criteria",
        help="What must hold before a client project enters this stage.",
    )

    _target_days_positive = models.Constraint(
        "CHECK (target_days >= 0)",
        "The target of a stage is a number of days: it cannot be negative.",
    )

    @api.constrains("lifecycle_stage", "next_stage_ids")
    def _check_next_stages(self):
        for stage in self:
            foreign = stage.next_stage_ids.filtered(lambda s: not s.lifecycle_stage)
            if foreign or (stage.next_stage_ids and not stage.lifecycle_stage):
                raise UserError(
                    self.env._(
                        "The stages that follow one another must all be lifecycle "
                        "stages: choose a lifecycle stage for %(stages)s first.",
                        stages=", ".join((foreign or stage).mapped("name")),
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        stages = super().create(vals_list)
        self.env.registry.clear_cache()  # _get_next_stage_ids
        return stages

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result

    def write(self, vals):
        # Giving a stage another meaning would move its projects past the gate.
        if "lifecycle_stage" in vals:
            changed = self.filtered(
                lambda stage: stage.lifecycle_stage
                != (vals["lifecycle_stage"] or False)
            )
            used = (
                self.env["project.project"]
                .sudo()  # a project that the user does not see would move as well
                .with_context(active_test=False)
                ._read_group(
                    [("stage_id", "in", changed.ids)], ["stage_id"], ["__count"]
                )
            )
            if used:
                raise UserError(
                    self.env._(
                        "%(stages)s cannot stand for another lifecycle stage while "
                        "projects are in it. Move them first, or add a new stage.",
                        stages=", ".join(stage.name for stage, _count in used),
                    )
                )
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_history(self):
        history = self.env["project.stage.transition"].sudo()  # rights do not matter
        if stages := history._get_used_stages(self):
            raise UserError(
                self.env._(
                    "Projects have been in %(stages)s: their history needs it. "
                    "Archive the stage instead of deleting it.",
                    stages=", ".join(stages.mapped("name")),
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_only_way(self):
        former = self.sudo().search([("next_stage_ids", "in", self.ids)]) - self
        for stage in former:
            if not stage.next_stage_ids - self:
                raise UserError(
                    self.env._(
                        "%(former)s leads to %(stages)s only: without it, projects "
                        "could go anywhere from there. Choose other next stages for "
                        "%(former)s first, or archive the stage.",
                        former=stage.name,
                        stages=", ".join(stage.next_stage_ids.mapped("name")),
                    )
                )

    @api.model
    @ormcache("stage_id", "company_id")
    def _get_next_stage_ids(self, stage_id, company_id):
        """Return where a project should go next, as ids in the order of the stages.

        Cached, since it is configuration that every card of the kanban asks for.

        :param stage_id: id of the stage that the project is in
        :param company_id: id of the project's company, or False
        :return: the stages that are set to follow or, where all may follow, the one
            that comes next in the order
        """
        stage = self.sudo().browse(stage_id)  # sudo: the same for everybody
        if not stage.lifecycle_stage:
            return ()
        stages = stage._get_lifecycle(company_id)
        if stage.next_stage_ids:
            return tuple((stages & stage.next_stage_ids).ids)
        following = stages.filtered(
            lambda other: KIND_ORDER[other.lifecycle_stage]
            > KIND_ORDER[stage.lifecycle_stage]
        )
        return tuple(following.ids[:1])

    def _get_skipped(self, stage, company):
        """Return the stages between this one, empty for a new project, and ``stage``.

        :param company: the company of the project that goes there, or none
        """
        if not (self and stage):
            return self.browse()
        return self.browse(self._get_skipped_stage_ids(self.id, stage.id, company.id))

    @api.model
    @ormcache("from_stage_id", "to_stage_id", "company_id")
    def _get_skipped_stage_ids(self, from_stage_id, to_stage_id, company_id):
        """Return the stages that a step leaves out, as ids.

        A step that the configuration names leaves nothing out. Where all stages may
        follow, what guards those in between guards this step as well.

        :param from_stage_id: id of the stage that the project leaves
        :param to_stage_id: id of the stage that it enters
        :param company_id: id of the project's company, or False
        """
        former, stage = self.sudo().browse([from_stage_id, to_stage_id])
        if (
            former.next_stage_ids
            or not former.lifecycle_stage
            or not stage.lifecycle_stage
        ):
            return ()
        ordered = (former._get_lifecycle(company_id) | former | stage)._sort_way()
        ids = list(ordered.ids)
        return tuple(ids[ids.index(from_stage_id) + 1 : ids.index(to_stage_id)])

    def _get_lifecycle(self, company_id):
        """Return the stages in use by the client projects of a company, in order."""
        return self.search(
            [
                ("lifecycle_stage", "!=", False),
                ("company_id", "in", [False, company_id]),
            ]
        )._sort_way()

    def _sort_way(self):
        """Return stages in the order of the lifecycle, however their columns stand."""
        return self.sorted(
            lambda stage: (KIND_ORDER[stage.lifecycle_stage], stage.sequence, stage.id)
        )
