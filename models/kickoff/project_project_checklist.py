from odoo import api, fields, models
from odoo.exceptions import UserError


class ProjectProject(models.Model):
    _inherit = "project.project"

    checklist_ids = fields.One2many(
        "project.checklist", "project_id", string="Checklists", groups="base.group_user"
    )
    checklist_count = fields.Integer(
        compute="_compute_checklist_count", compute_sudo=True, groups="base.group_user"
    )
    spoc_it_affinity = fields.Selection(
        [
            ("low", "Needs help with computers"),
            ("medium", "Uses office software with ease"),
            ("high", "Learns new software alone"),
        ],
        string="Ease with Computers",
        copy=False,
        groups="base.group_user",
        help="Profile of the SPOC. For internal eyes only.",
    )
    spoc_communication = fields.Text(
        string="Way of Communicating",
        copy=False,
        groups="base.group_user",
        help="How to talk to the SPOC: channels, tone, hours. For internal eyes only.",
    )

    @api.depends("checklist_ids")
    def _compute_checklist_count(self):
        counts = dict(
            self.env["project.checklist"]._read_group(
                [("project_id", "in", self.ids)], ["project_id"], ["__count"]
            )
        )
        for project in self:
            project.checklist_count = counts.get(project._origin, 0)

    def _get_checklist_lang(self, kind):
        """Return the language of a checklist of the project.

        :param str kind: kind of checklist
        """
        self.ensure_one()
        if kind == "internal_kickoff":
            person = self.user_id.partner_id
        else:
            person = self.spoc_id or self.partner_id
        return person.lang or self.company_id.partner_id.lang or "en_US"

    def _get_checklist_key(self, kind):
        """Return what tells checklists of one kind of the project apart.

        :param str kind: kind of checklist
        :return: values of a checklist, above its project and kind
        """
        self.ensure_one()
        return {}

    def action_view_checklists(self):
        """Open the checklists of the project, and make the one of its stage if needed.

        :raises UserError: there is no template with points for the stage
        """
        self.ensure_one()
        kind = self.sudo().lifecycle_stage  # sudo: stages are hidden from some groups
        kinds = dict(self.env["project.checklist"]._selection_kind())
        if kind in kinds and self.has_access("write"):
            # sudo: checklists are made by the system
            self.env["project.checklist"].sudo()._create_for({kind: self.sudo()})
        if kind in kinds and kind not in self.checklist_ids.mapped("kind"):
            self.check_access("write")
            raise UserError(
                self.env._(
                    "There is no checklist template with points for this stage. "
                    "Ask a project manager to add one."
                )
            )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.project_checklist_action"
        )
        action["domain"] = [("project_id", "=", self.id)]
        action["context"] = {}
        if len(self.checklist_ids) == 1:
            action |= {"views": [(False, "form")], "res_id": self.checklist_ids.id}
        return action
