from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import plaintext2html

from .project_checklist_template import RESPONSIBLES

# What the client acknowledges. It does not change behind the client's back.
ACKNOWLEDGED_FIELDS = {
    "answer",
    "checklist_id",
    "explanation",
    "is_client_visible",
    "name",
    "section",
    "state",
}
# What an answer consists of; the rest of a point is set by its checklist.
ANSWER_FIELDS = {
    "answer",
    "attachment_ids",
    "internal_note",
    "sequence",
    "state",
    "user_id",
}
# What decides about the gate, and is the managers' to change.
RULE_FIELDS = {"checklist_id", "code", "is_blocking_if_refused", "is_mandatory"}


class ProjectChecklistItem(models.Model):
    _name = "project.checklist.item"
    _description = "Point of a Checklist"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "checklist_id, sequence, id"

    checklist_id = fields.Many2one(
        "project.checklist", required=True, index=True, ondelete="cascade"
    )
    project_id = fields.Many2one(
        related="checklist_id.project_id", store=True, precompute=True, index=True
    )
    company_id = fields.Many2one(
        related="checklist_id.company_id",
        store=True,
        precompute=True,
        index="btree_not_null",
    )
    kind = fields.Selection(related="checklist_id.kind")
    sequence = fields.Integer(default=10)
    section = fields.Char(required=True)
    name = fields.Char(string="Point", required=True)
    explanation = fields.Text(help="Why the point matters.")
    state = fields.Selection(
        [
            ("to_discuss", "To Discuss"),
            ("agreed", "Agreed"),
            ("adapted", "Adapted"),
            ("blocked", "Blocked"),
            ("not_applicable", "Not Applicable"),
        ],
        required=True,
        default="to_discuss",
        index=True,
        tracking=True,
        help="Agreed; agreed with an adaptation; blocked: the client or the firm "
        "cannot accept it.",
    )
    progress = fields.Float(
        compute="_compute_progress",
        store=True,
        aggregator="avg",
        help="100 when the point was discussed, so that sections show their progress.",
    )
    is_mandatory = fields.Boolean(string="Mandatory")
    is_blocking_if_refused = fields.Boolean(string="Blocking if Refused")
    is_client_visible = fields.Boolean(string="Visible to the Client")
    code = fields.Char(groups="base.group_user")
    answer = fields.Html(help="What was said or agreed. The client may see it.")
    internal_note = fields.Html(
        groups="base.group_user", help="Never leaves the house."
    )
    responsible = fields.Selection(RESPONSIBLES, default="consultant", required=True)
    user_id = fields.Many2one(
        "res.users",
        string="Assigned To",
        index="btree_not_null",
        domain="[('share', '=', False)]",
    )
    attachment_ids = fields.Many2many("ir.attachment", string="Attachments")
    acknowledged_by = fields.Many2one("res.partner", readonly=True, copy=False)
    acknowledged_on = fields.Datetime(readonly=True, copy=False)

    @api.depends("state")
    def _compute_progress(self):
        for item in self:
            item.progress = 0 if item.state == "to_discuss" else 100

    @api.constrains("name", "section")
    def _check_not_blank(self):
        for item in self:
            if not item.name.strip() or not item.section.strip():
                raise ValidationError(
                    self.env._("A point of a checklist needs a text and a section.")
                )

    @api.model_create_multi
    def create(self, vals_list):
        names = set().union(*vals_list) | {
            name.removeprefix("default_")
            for name in self.env.context
            if name.startswith("default_")
        }
        self._check_acknowledgement(names)
        items = super().create(vals_list)
        items._check_can_set_rules(names - {"checklist_id"})
        items._check_can_set_state()
        items.filtered(lambda item: item.state == "blocked")._tell_salesperson()
        return items

    def write(self, vals):
        self._check_acknowledgement(vals.keys())
        if ACKNOWLEDGED_FIELDS & vals.keys():
            self._check_not_acknowledged(vals)
        if vals.keys() - ANSWER_FIELDS:
            self._check_can_set_rules(vals.keys())
        if "is_client_visible" in vals and self.filtered("is_mandatory"):
            self._check_can_set_rules(RULE_FIELDS)
        blocked = self.filtered(lambda item: item.state == "blocked")
        result = super().write(vals)
        if "state" in vals:
            self._check_can_set_state()
            now_blocked = self.filtered(lambda item: item.state == "blocked")
            (now_blocked - blocked)._tell_salesperson()
            (blocked - now_blocked).activity_feedback(
                ["project_lifecycle.mail_activity_type_blocked_point"]
            )
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_needed(self):
        self._check_not_acknowledged()
        if blocked := self.filtered(lambda item: item.state == "blocked"):
            raise UserError(
                self.env._(
                    "“%s” is blocked: the salesperson clears it up with the client. "
                    "Settle it instead of deleting it.",
                    blocked[0].name,
                )
            )
        if any(item.is_mandatory for item in self):
            self._check_can_set_rules(RULE_FIELDS)

    def _check_can_set_rules(self, fields_):
        """Let only those who run the project change its points, not answer them only.

        What decides about the gate is the project managers' to change.

        :param fields_: names of the fields that change
        :raise AccessError: the user may answer the points and nothing else
        """
        if self.env.su or self.env.user.has_group("project.group_project_manager"):
            return
        projects = self.sudo().project_id.sudo(False)  # sudo: only whose points
        if RULE_FIELDS & set(fields_) or not projects.has_access("write"):
            raise AccessError(
                self.env._(
                    "You may answer the points of this checklist. Which points it has "
                    "is decided by the people who run the project, and which of them "
                    "are mandatory by project managers."
                )
            )

    def _check_can_set_state(self):
        """Keep what the project cannot do without from being passed over.

        :raise AccessError: such a point does not apply, says who is no project manager
        """
        if self.env.su or self.env.user.has_group("project.group_project_manager"):
            return
        for item in self:
            if item.is_blocking_if_refused and item.state == "not_applicable":
                raise AccessError(
                    self.env._(
                        "The project cannot go on without “%s”: discuss it with the "
                        "client. Only project managers can say that it does not apply.",
                        item.name,
                    )
                )

    # ------------------------------------------------------------------
    # The client's acknowledgement
    # ------------------------------------------------------------------
    def _check_acknowledgement(self, names):
        if not self.env.su and {"acknowledged_by", "acknowledged_on"} & names:
            raise AccessError(
                self.env._("Only the SPOC acknowledges points of a checklist.")
            )

    def _check_not_acknowledged(self, vals=None):
        """Keep what the client has acknowledged.

        :param dict vals: what would be written; None when the points would go
        :raise UserError: a point is acknowledged and would change
        """
        for item in self.filtered("acknowledged_on"):
            if vals is None or any(
                (item[field].id if field == "checklist_id" else item[field])
                != vals[field]
                for field in ACKNOWLEDGED_FIELDS & vals.keys()
            ):
                raise UserError(
                    self.env._(
                        "%(spoc)s acknowledged “%(point)s”. Reopen the point before "
                        "you change it: the client will be asked again.",
                        spoc=item.acknowledged_by.name,
                        point=item.name,
                    )
                )

    def action_acknowledge(self):
        """Note that the SPOC has read and accepts these points.

        :raise AccessError: the user is not the SPOC, or the points are not for clients
        :raise UserError: a point is still to be discussed
        """
        for item_sudo in self.sudo():  # sudo: who may is checked here
            if item_sudo.project_id.spoc_id != self.env.user.partner_id or (
                not item_sudo.is_client_visible
            ):
                raise AccessError(
                    self.env._("Only the SPOC acknowledges points of a checklist.")
                )
            if item_sudo.state not in ("agreed", "adapted"):
                raise UserError(
                    self.env._(
                        "“%s” is not agreed yet. It can be acknowledged afterwards.",
                        item_sudo.name,
                    )
                )
        self.sudo().filtered(lambda item: not item.acknowledged_on).write(
            {
                "acknowledged_by": self.env.user.partner_id.id,
                "acknowledged_on": fields.Datetime.now(),
            }
        )
        return True

    def action_reopen(self):
        """Take acknowledged points up again; the client has to acknowledge anew."""
        self.check_access("write")
        self._check_can_set_rules({"name"})
        for item in self.filtered("acknowledged_on"):
            item.message_post(
                body=self.env._(
                    "Reopened. %(spoc)s had acknowledged it: %(state)s.",
                    spoc=item.acknowledged_by.name,
                    state=dict(self._fields["state"]._description_selection(self.env))[
                        item.state
                    ],
                )
            )
        # sudo: checked above
        self.sudo().write({"acknowledged_by": False, "acknowledged_on": False})
        return True

    # ------------------------------------------------------------------
    # Blocked points
    # ------------------------------------------------------------------
    def _tell_salesperson(self):
        """Hand blocked points to the salesperson (`methodology.md` section 2)."""
        for item in self.sudo():  # sudo: the salesperson need not be readable
            user = item.project_id.salesperson_id or item.project_id.user_id
            if not user:
                continue
            translated = item.with_context(lang=user.lang)
            translated.activity_schedule(
                "project_lifecycle.mail_activity_type_blocked_point",
                user_id=user.id,
                summary=translated.env._("Blocked: %s", item.name),
                note=plaintext2html(
                    translated.env._(
                        "Clear this up with the client before the implementation of %s "
                        "starts.",
                        item.project_id.name,
                    )
                ),
            )
