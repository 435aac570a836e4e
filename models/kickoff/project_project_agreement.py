from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize

from ..lifecycle.words import says_something
from .project_kickoff_agreement import CONCLUSIONS


class ProjectProject(models.Model):
    _inherit = "project.project"

    kickoff_agreement_ids = fields.One2many(
        "project.kickoff.agreement",
        "project_id",
        string="Agreements",
        groups="base.group_user",
    )
    kickoff_agreement_id = fields.Many2one(
        "project.kickoff.agreement",
        string="Agreement",
        compute="_compute_kickoff_agreement_id",
        store=True,  # to filter and to group by
        index="btree_not_null",
        groups="base.group_user",
        help="The newest version of what was agreed on in the kick-off.",
    )
    kickoff_agreement_state = fields.Selection(
        related="kickoff_agreement_id.state",
        string="Agreement Status",
        groups="base.group_user",
    )
    kickoff_conclusion = fields.Selection(
        CONCLUSIONS,
        string="Kick-off Conclusion",
        compute="_compute_kickoff_agreement_id",
        store=True,
        groups="base.group_user",
        help="How the consultant concluded the kick-off with the client.",
    )
    kickoff_agreement_pending_changes = fields.Text(
        related="kickoff_agreement_id.pending_changes",
        string="Changed since the Agreement",
        groups="base.group_user",
    )
    is_kickoff_agreement_current = fields.Boolean(
        related="kickoff_agreement_id.is_current",
        string="Agreement Matches",
        groups="base.group_user",
    )
    kickoff_agreement_mail_state = fields.Selection(
        related="kickoff_agreement_id.mail_state",
        string="Mail of the Agreement",
        groups="base.group_user",
    )
    kickoff_point_ids = fields.Many2many(
        "project.checklist.item",
        string="Kick-off Points",
        compute="_compute_kickoff_point_ids",
        groups="base.group_user",
        help="The points of the kick-off with the client.",
    )

    @api.depends("kickoff_agreement_ids.version", "kickoff_agreement_ids.conclusion")
    def _compute_kickoff_agreement_id(self):
        for project in self:
            newest = project.kickoff_agreement_ids.sorted("version")[-1:]
            project.kickoff_agreement_id = newest
            project.kickoff_conclusion = newest.conclusion

    @api.depends("checklist_ids.kind", "checklist_ids.item_ids")
    def _compute_kickoff_point_ids(self):
        self.mapped("checklist_ids.item_ids")  # one query for all projects
        for project in self:
            project.kickoff_point_ids = project.checklist_ids.filtered(
                lambda checklist: checklist.kind == "kickoff"
            ).item_ids

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_agreements(self):
        agreements = self.env["project.kickoff.agreement"].sudo()  # sudo: all count
        agreement = agreements.search([("project_id", "in", self.ids)], limit=1)
        if agreement:
            raise UserError(
                self.env._(
                    "%s has a kick-off agreement and cannot be deleted. Archive it "
                    "instead.",
                    agreement.project_id.name,
                )
            )

    def _get_agreement_points(self):
        """Return the points of the kick-off that go into the agreement."""
        return self.kickoff_point_ids.filtered(
            lambda point: point.is_client_visible and point.state != "not_applicable"
        )

    def _check_time_deduction(self):
        """Check that the client knows and accepts how time is deducted.

        :raises UserError: it was not agreed on
        """
        points = self.kickoff_point_ids.filtered(
            lambda point: point.code == "time_deduction"
        )
        if not points:
            raise UserError(
                self.env._(
                    "The kick-off checklist of %s has no point about how time is "
                    "deducted, which has to be agreed on with every client. Open the "
                    "checklists of the project, or ask a project manager to add it "
                    "(with the code “time_deduction”).",
                    self.name,
                )
            )
        for point in points:
            if point.state in ("to_discuss", "not_applicable") or (
                point.state != "blocked" and not point.is_settled
            ):
                raise UserError(
                    self.env._(
                        "Agree on how time is deducted before anything else:\n%s",
                        self._list_points(point),
                    )
                )

    def _get_refused_points(self):
        """Return the blocked points that the firm cannot do without.

        Above all that every minute is deducted, analysis and project management too
        (`methodology.md` section 2): refusing it is a no-go by itself.
        """
        return self.kickoff_point_ids.filtered(
            lambda point: point.state == "blocked"
            and (point.code == "time_deduction" or point.is_blocking_if_refused)
        )

    @api.model
    def _list_points(self, points):
        """Return points as lines of plain text, for a dialog."""
        return "\n".join(f"• {point.name}" for point in points)

    def _propose_kickoff_conclusion(self):
        """Return the conclusion that the points of the kick-off suggest."""
        self.ensure_one()
        states = set(self.kickoff_point_ids.mapped("state"))
        if "blocked" in states:
            return "no_go"
        return "adapted" if "adapted" in states else "go"

    def _check_can_conclude_kickoff(self):
        """Check that the kick-off of the project can be concluded now.

        :raises UserError: with what is wrong and what to do
        """
        self.ensure_one()
        if not self.is_lifecycle or self.is_template or not self.active:
            raise UserError(
                self.env._(
                    "%s is not a running client project: it has no kick-off to "
                    "conclude.",
                    self.name,
                )
            )
        # sudo: stages are hidden from some groups
        if self.sudo().lifecycle_stage in ("internal_kickoff", "done"):
            raise UserError(
                self.env._(
                    "%(project)s is in %(stage)s: the kick-off with the client is "
                    "concluded once it is going on.",
                    project=self.name,
                    stage=self.sudo().stage_id.name,
                )
            )

    def _check_agreement_recipient(self):
        """Check that the agreement can reach the SPOC.

        :raises UserError: without a SPOC of the client who has an e-mail address
        """
        self.ensure_one()
        spoc = self.spoc_id
        if not self.has_client_spoc:
            raise UserError(
                self.env._(
                    "%s has no SPOC of the client to send the agreement to. Choose the "
                    "SPOC first.",
                    self.name,
                )
            )
        if not email_normalize(spoc.email):
            raise UserError(
                self.env._(
                    "%s has no valid e-mail address. Complete the contact first: the "
                    "agreement is sent there.",
                    spoc.name,
                )
            )

    def _check_kickoff_conclusion(self, conclusion, feasibility_statement):
        """Check that the points of the kick-off allow a conclusion.

        :raises UserError: with the points that do not, or what is missing
        """
        self.ensure_one()
        self._check_can_conclude_kickoff()
        if not says_something(feasibility_statement):
            raise UserError(
                self.env._(
                    "State in your own words whether the project is feasible, and what "
                    "it needs to be: the kick-off ends with it."
                )
            )
        if conclusion == "no_go":
            return
        self._check_time_deduction()
        if refused := self._get_refused_points():
            raise UserError(
                self.env._(
                    "The client refused what the project cannot do without, which is a "
                    "no-go whatever else is agreed:\n%s\nConclude with a no-go: the "
                    "salesperson takes it up with the client.",
                    self._list_points(refused),
                )
            )
        unsettled = self.kickoff_point_ids.filtered(
            lambda point: point.is_mandatory and not point.is_settled
        )
        if unsettled:
            raise UserError(
                self.env._(
                    "These points have to be settled with the client before the "
                    "kick-off is concluded, the questions among them in writing:\n%s",
                    self._list_points(unsettled),
                )
            )
        blocked = self.kickoff_point_ids.filtered(
            lambda point: point.state == "blocked"
        )
        if blocked and conclusion == "go":
            raise UserError(
                self.env._(
                    "The kick-off cannot be concluded with “Go” while points are "
                    "blocked:\n%s\nSettle them with the client, or choose another "
                    "conclusion.",
                    self._list_points(blocked),
                )
            )
        self._check_agreement_recipient()

    def _conclude_kickoff(self, conclusion, feasibility_statement):
        """Conclude the kick-off with a new version of the agreement.

        `go` and `adapted` publish it to the SPOC, whom a mail is not sent to here (see
        :meth:`~.ProjectKickoffAgreement._send_mail`). `no_go` is for the salesperson:
        nothing goes to the client and no former version holds any longer.

        :param str conclusion: ``go``, ``adapted`` or ``no_go``
        :param str feasibility_statement: plain text
        :return: the version (sudo)
        :raises AccessError: for people who may not change the project
        :raises UserError: when the points of the kick-off do not allow it
        """
        self.ensure_one()
        self.check_access("write")
        feasibility_statement = (feasibility_statement or "").strip()
        self._check_kickoff_conclusion(conclusion, feasibility_statement)
        # sudo: nobody may write agreements but this code, and it was checked above
        agreement = (
            self.env["project.kickoff.agreement"]
            .sudo()
            ._create_version(self, conclusion, feasibility_statement)
        )
        if conclusion == "no_go":
            self.sudo()._tell_no_go(agreement)
        else:
            agreement._publish()
        return agreement

    def _tell_no_go(self, agreement):
        """Hand a no-go over to the salesperson, who owns commercial problems."""
        self.ensure_one()
        xmlid = "project_lifecycle.mail_activity_type_kickoff_no_go"
        company = self.company_id or self.env.company
        user = self.salesperson_id or company.project_director_id or self.user_id
        project = self.with_context(lang=user.lang)
        project.activity_unlink(
            [xmlid, "project_lifecycle.mail_activity_type_kickoff_agreement"]
        )
        blocked = project.kickoff_point_ids.filtered(
            lambda point: point.state == "blocked"
        )
        project.activity_schedule(
            xmlid,
            date_deadline=self.env.ref(xmlid)._get_date_deadline(),
            user_id=(user or self.env.user).id,
            note=project.env["ir.qweb"]._render(
                "project_lifecycle.kickoff_no_go_note",
                {"agreement": agreement, "blocked": blocked},
            ),
        )
        self.message_post(
            body=self.env._(
                "The kick-off was concluded with a no-go. The project does not go on "
                "before it is solved with the client."
            )
        )

    def action_conclude_kickoff(self):
        """Open the wizard that concludes the kick-off.

        :raises UserError: when the project is not there yet
        """
        self.ensure_one()
        self._check_can_conclude_kickoff()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.project_kickoff_wizard_action"
        ) | {"context": {"default_project_id": self.id}}

    def action_view_kickoff_agreements(self):
        """Open the versions of the agreement."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.kickoff_agreement_action"
        ) | {"domain": [("project_id", "=", self.id)], "context": {}}
