from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..lifecycle.project_lock import is_manager
from .project_risk import UNANSWERED_STATES


class ProjectProject(models.Model):
    _inherit = "project.project"

    risk_ids = fields.One2many(
        "project.risk", "project_id", string="Risks", groups="base.group_user"
    )
    risk_count = fields.Integer(
        compute="_compute_risk_count", compute_sudo=True, groups="base.group_user"
    )
    open_risk_count = fields.Integer(
        string="Unanswered Risks",
        compute="_compute_risk_count",
        compute_sudo=True,
        groups="base.group_user",
    )

    @api.depends("risk_ids.state")
    def _compute_risk_count(self):
        counts = defaultdict(lambda: [0, 0])
        for project, state, count in self.env["project.risk"]._read_group(
            [("project_id", "in", self.ids)], ["project_id", "state"], ["__count"]
        ):
            counts[project.id][0] += count
            counts[project.id][1] += count * (state in UNANSWERED_STATES)
        for project in self:
            project.risk_count, project.open_risk_count = counts[project._origin.id]

    def write(self, vals):
        people = vals.keys() & {"salesperson_id", "spoc_id", "user_id"}
        if "salesperson_id" in vals:
            self._check_may_replace_salesperson(vals["salesperson_id"])
        before = people and {
            # sudo: contacts may be hidden; super() checks the rights
            project: (project.spoc_id, project.salesperson_id, project.user_id)
            for project in self.sudo()
        }
        result = super().write(vals)
        if before:
            self._hand_over_risks(before)
            self._raise_spoc_changes(before)
        return result

    def _get_risk_owner(self, risk_type):
        """Return who answers for a risk of this kind.

        The salesperson for commercial ones and the consultant for the others, or
        whichever of them there is; else who watches all projects.

        :param str risk_type: of the risk
        :return: one user, or none when nobody is left
        """
        self.ensure_one()
        people = [self.user_id, self.salesperson_id]
        if risk_type == "commercial":
            people.reverse()
        for user in people:
            if user.active:
                return user
        return (self.company_id or self.env.company)._get_project_managers()[:1]

    def _check_may_replace_salesperson(self, user_id):
        """Check that nobody takes the salesperson's part over, to answer it alone.

        :param user_id: id of the next salesperson, or False
        :raises AccessError: there is a salesperson already, and the user neither is
            that one nor decides for the salespersons or the projects
        """
        if is_manager(self.env) or self.env.user.has_group(
            "sales_team.group_sale_manager"
        ):
            return
        for project in self.sudo():  # sudo: who sells may be known
            seller = project.salesperson_id
            if project.is_lifecycle and seller.id not in (
                False,
                user_id,
                self.env.uid,
            ):
                raise AccessError(
                    self.env._(
                        "%(salesperson)s answers for what was sold to %(project)s. "
                        "Only the salesperson, a sales manager or a project manager "
                        "hands that over to somebody else.",
                        salesperson=seller.name,
                        project=project.name,
                    )
                )

    # Change of people

    @api.model
    def _hand_over_blocked_points(self, projects, former):
        """Give the blocked points of a salesperson to the next one."""
        activity_type = self.env.ref(
            "project_lifecycle.mail_activity_type_blocked_point"
        )
        items = projects.checklist_ids.item_ids.filtered(
            lambda item: item.state == "blocked"
        )
        for activity in items.activity_ids.filtered(
            lambda activity: activity.activity_type_id == activity_type
        ):
            project = items.browse(activity.res_id).project_id
            heir = project._get_risk_owner("commercial")
            if heir and activity.user_id == former[project][1]:
                activity.user_id = heir

    def _hand_over_risks(self, former):
        """Give the unanswered risks of a salesperson or consultant to the next one.

        :param former: dict from project (sudo) to its SPOC, salesperson and consultant
            before the change
        """
        changed = self.sudo().filtered(  # sudo: risks are handed over by who may write
            lambda project: former[project][1:]
            != (project.salesperson_id, project.user_id)
        )
        if not changed:
            return
        Risk = self.env["project.risk"].sudo()  # as above
        heirs = defaultdict(Risk.browse)
        for risk in Risk.search(
            [
                ("project_id", "in", changed.ids),
                ("state", "in", UNANSWERED_STATES),
            ]
        ):
            project = risk.project_id
            _spoc, salesperson, consultant = former[project]
            missed = consultant if risk.type != "commercial" else salesperson
            # Who stood in for somebody who was missing hands over, too
            if not missed.active or risk.owner_id in (salesperson, consultant):
                heirs[project._get_risk_owner(risk.type)] += risk
        self._hand_over_blocked_points(changed, former)
        for heir, risks in heirs.items():
            if risks.owner_id != heir:
                risks.owner_id = heir

    def _raise_spoc_changes(self, former):
        """Raise a risk where the SPOC changed after the kick-off, and tell managers.

        :param former: dict from project (sudo) to its SPOC, salesperson and consultant
            before the change
        """
        changed = self.sudo().filtered(  # sudo: contacts may be hidden
            lambda project: project.is_lifecycle
            and not project.is_template
            and former[project][0]
            and former[project][0] != project.spoc_id
        )
        if not changed:
            return
        started = changed.meeting_ids.filtered(
            lambda meeting: meeting.lifecycle_meeting == "kickoff" and meeting.held
        ).project_id
        vals_list = []
        for project in changed:
            if project not in started and project.lifecycle_stage in (
                "internal_kickoff",
                "kickoff",
            ):
                continue
            owner = project._get_risk_owner("people")
            env = project._with_lang_of(owner).env
            client = project._with_lang_of_client().env
            vals_list.append(
                {
                    "project_id": project.id,
                    "key": f"spoc_change_{former[project][0].id}_{project.spoc_id.id}"
                    f"_{fields.Date.context_today(self)}",
                    "name": env._("The SPOC changed after the kick-off"),
                    "published_name": client._("There is a new SPOC"),
                    "origin": "spoc_change",
                    "type": "people",
                    "severity": "medium",
                    "owner_id": owner.id,
                    "description": env._(
                        "%(former)s handed over to %(new)s. Explain the methodology "
                        "and the tasks of the SPOC again, repeat the trainings that "
                        "are needed, and find out whether scope and dates still hold.",
                        former=former[project][0].name,
                        new=project.spoc_id.name or env._("nobody yet"),
                    ),
                }
            )
        self.env["project.risk"]._raise_risks(vals_list)._tell_managers()
