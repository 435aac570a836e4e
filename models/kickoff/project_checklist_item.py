from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import html2plaintext, plaintext2html

from ..lifecycle.project_lock import is_manager, unlocked
from ..lifecycle.words import says_something
from .project_checklist_template import RESPONSIBLES

# What the client acknowledges. It does not change behind the client's back.
ACKNOWLEDGED_FIELDS = {
    "answer",
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
RULE_FIELDS = {"code", "is_blocking_if_refused", "is_mandatory", "needs_answer"}
# What managers alone change on mandatory points.
MANDATORY_RULE_FIELDS = {"is_client_visible", "responsible"}
# States in which the point is off the table.
DECIDED = ("agreed", "adapted", "not_applicable")


def without_nul(vals):
    """Return values without the characters that no database text can hold."""
    return {
        name: value.replace("\0", "") if isinstance(value, str) else value
        for name, value in vals.items()
    }


class ProjectChecklistItem(models.Model):
    _name = "project.checklist.item"
    _description = "Point of a Checklist"
    _inherit = [
        "project.lock.mixin",
        "project.internal.thread",
        "mail.activity.mixin",
    ]
    _order = "checklist_id, sequence, id"

    checklist_id = fields.Many2one(
        "project.checklist", required=True, index=True, ondelete="cascade"
    )
    project_id = fields.Many2one(
        related="checklist_id.project_id",
        store=True,
        precompute=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="project_id.company_id")
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
    is_settled = fields.Boolean(
        string="Settled",
        compute="_compute_is_settled",
        store=True,
        help="The point was decided, and what has to be in writing is: the answer to a "
        "question, or why a mandatory point does not apply.",
    )
    progress = fields.Float(
        compute="_compute_is_settled",
        store=True,
        aggregator="avg",
        help="100 when the point is settled, so that sections show their progress.",
    )
    is_mandatory = fields.Boolean(string="Mandatory", tracking=True)
    is_blocking_if_refused = fields.Boolean(string="Blocking if Refused", tracking=True)
    needs_answer = fields.Boolean(
        tracking=True,
        help="The point is a question: it is settled once its answer is written down.",
    )
    is_client_visible = fields.Boolean(string="Visible to the Client")
    code = fields.Char(groups="base.group_user")
    answer = fields.Html(help="What was said or agreed. The client may see it.")
    internal_note = fields.Html(
        groups="base.group_user", help="Never shown to the client."
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

    @api.depends("state", "answer", "needs_answer", "is_mandatory")
    def _compute_is_settled(self):
        for item in self:
            in_writing = item.needs_answer or (
                item.is_mandatory and item.state == "not_applicable"
            )
            item.is_settled = item.state in DECIDED and (
                not in_writing or item._has_answer()
            )
            item.progress = 100 if item.is_settled else 0

    def _has_answer(self):
        """Return whether the answer has any word in it."""
        self.ensure_one()
        # Pictures and links have no words of their own
        answer = html2plaintext(self.answer or "", include_references=False)
        return says_something(answer)

    @api.constrains("name", "section")
    def _check_not_blank(self):
        for item in self:
            if not (item.name or "").strip() or not (item.section or "").strip():
                raise ValidationError(
                    self.env._("A point of a checklist needs a text and a section.")
                )

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [without_nul(vals) for vals in vals_list]
        given = {
            name.removeprefix("default_")
            for name, value in self.env.context.items()
            if name.startswith("default_") and value
        }.union(*({name for name, value in v.items() if value} for v in vals_list))
        items = super().create(vals_list)
        items._check_can_set_rules(given)
        items._check_can_settle(items)
        items.filtered(lambda item: item.state == "blocked")._tell_salesperson()
        return items

    def write(self, vals):
        vals = without_nul(vals)
        self._check_stays(vals)
        if ACKNOWLEDGED_FIELDS & vals.keys():
            self._check_not_acknowledged(vals)
        if vals.keys() - ANSWER_FIELDS:
            self._check_can_set_rules(vals.keys())
        before = {item.id: item.state for item in self}
        answers = {item.id: item.answer for item in self if item.needs_answer}
        result = super().write(vals)
        if "answer" in vals:
            self._check_can_settle(
                self.filtered(
                    lambda item: item.needs_answer and item.answer != answers[item.id]
                )
            )
        if "state" in vals:
            changed = self.filtered(lambda item: item.state != before[item.id])
            self._check_can_settle(changed)
            changed.filtered(lambda item: item.state == "blocked")._tell_salesperson()
            # sudo: who settles a point need not reach the salesperson's activities
            changed.filtered(
                lambda item: before[item.id] == "blocked"
            ).sudo().activity_feedback(
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
        for item in self:
            if not (item.is_mandatory or item.is_blocking_if_refused or item.code):
                continue
            item._check_can_set_rules(RULE_FIELDS)
            # sudo: the trace of what a manager has dropped
            item.sudo().checklist_id.message_post(
                body=self.env._("The mandatory point “%s” was deleted.", item.name)
            )

    def _check_stays(self, vals):
        """Keep points in their checklist.

        :param dict vals: what would be written
        :raises UserError: a point would move
        """
        for item in self if "checklist_id" in vals else ():
            if item.checklist_id.id != vals["checklist_id"]:
                raise UserError(
                    self.env._(
                        "“%(point)s” stays in its checklist (%(checklist)s).",
                        point=item.name,
                        checklist=item.checklist_id.name,
                    )
                )

    def _check_can_set_rules(self, fields_):
        """Let only those who run the project change its points, not answer them only.

        What decides about the gate is the project managers' to change.

        :param fields_: names of the fields that change
        :raises AccessError: the user may answer the points and nothing else
        """
        if is_manager(self.env):
            return
        managed = RULE_FIELDS & set(fields_) or (
            MANDATORY_RULE_FIELDS & set(fields_) and any(self.mapped("is_mandatory"))
        )
        if managed or not self._get_projects().has_access("write"):
            raise AccessError(
                self.env._(
                    "You may answer the points of this checklist. Which points it has "
                    "is decided by the people who run the project, and which of them "
                    "are mandatory by project managers."
                )
            )

    def _get_projects(self):
        """Return the projects of points, to ask what the user may do with them."""
        project_ids = self.sudo().project_id.ids  # sudo: only whose points they are
        return self.env["project.project"].browse(project_ids)

    def _check_can_settle(self, changed):
        """Let mandatory points be settled by those who are responsible for them.

        The salesperson hands over and the consultant challenges: neither does the
        other's part. Anybody who may answer blocks a point or takes it up again.

        :param changed: points whose state has changed
        :raises AccessError: the user does not settle one of them
        """
        if is_manager(self.env):
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
        led = self._get_projects()._filtered_access("write")
        responsibles = dict(
            self._fields["responsible"]._description_selection(self.env)
        )
        for item_sudo in changed.sudo():  # sudo: whose point it is may be known
            if not item_sudo.is_mandatory or item_sudo.state not in DECIDED:
                continue
            salesperson = item_sudo.project_id.salesperson_id
            if item_sudo.responsible == "salesperson" and salesperson:
                may_settle = salesperson == self.env.user
            else:
                may_settle = item_sudo.project_id.id in led.ids
            if not may_settle:
                raise AccessError(
                    self.env._(
                        "“%(point)s” is settled by who is responsible for it "
                        "(%(responsible)s) or by a project manager. You can write down "
                        "what you know, or mark it as blocked.",
                        point=item_sudo.name,
                        responsible=responsibles[item_sudo.responsible],
                    )
                )

    def _check_not_acknowledged(self, vals=None):
        """Keep what the client has acknowledged.

        :param dict vals: what would be written; None when the points would go
        :raises UserError: a point is acknowledged and would change
        """
        for item in self.filtered("acknowledged_on"):
            if vals is None or any(
                item[field] != vals[field]
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

        :raises AccessError: the user is not the SPOC, or the points are not for clients
        :raises UserError: a point is still to be discussed
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
        # sudo: the SPOC writes no points but this, checked above
        unlocked(self.sudo().filtered(lambda item: not item.acknowledged_on)).write(
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
        unlocked(self.sudo()).write(
            {"acknowledged_by": False, "acknowledged_on": False}
        )
        return True

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
