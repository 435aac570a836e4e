from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..lifecycle.project_lock import unlocked


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    checklist_id = fields.Many2one(
        "project.checklist",
        compute="_compute_checklist_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        ondelete="set null",
        domain="[('project_id', '=', project_id)]",
        groups="base.group_user",
        help="The checklist that is worked off in this meeting. Several meetings may "
        "share one.",
    )
    agenda_sent_on = fields.Datetime(
        readonly=True, copy=False, groups="base.group_user"
    )

    @api.depends("project_id.checklist_ids", "lifecycle_meeting")
    def _compute_checklist_id(self):
        checklists = {
            (checklist.project_id, checklist.kind): checklist
            for checklist in self.project_id.checklist_ids
        }
        kinds = self._get_checklist_kinds()
        for event in self:
            kind = kinds.get(event.lifecycle_meeting)
            event.checklist_id = (
                event.checklist_id.project_id == event.project_id
                and event.checklist_id
                or checklists.get((event.project_id, kind), False)
            )

    @api.constrains("checklist_id", "project_id")
    def _check_checklist(self):
        for event in self.sudo():  # sudo: private meetings too
            checklist = event.checklist_id
            if checklist and checklist.project_id != event.project_id:
                raise ValidationError(
                    self.env._(
                        "The checklist of a meeting has to belong to the project that "
                        "the meeting is about."
                    )
                )

    def write(self, vals):
        if "checklist_id" in vals:
            self._check_lifecycle_rights()
        return super().write(vals)

    @api.model
    def _get_checklist_kinds(self):
        """Return the kind of checklist that each kind of meeting works off."""
        return {"internal_kickoff": "internal_kickoff", "kickoff": "kickoff"}

    def _get_agenda(self):
        """Return what the client will talk about, for the agenda that is sent before.

        :return: list of (section, names of its points), points for the client only
        """
        self.ensure_one()
        items = self.sudo().checklist_id.item_ids.filtered("is_client_visible")
        return [
            (section, points.mapped("name"))
            for section, points in items.grouped("section").items()
        ]

    def action_send_agenda(self):
        """Open the mail with the agenda of the kick-off, in the client's language.

        :raises UserError: nobody to send it to, or nothing to send
        """
        self.ensure_one()
        if not self.project_id.spoc_id.email:
            raise UserError(
                self.env._(
                    "Choose the SPOC of the project and enter an e-mail address, so "
                    "that the agenda can be sent."
                )
            )
        if not self._get_agenda():
            raise UserError(
                self.env._(
                    "The checklist of this meeting has no points for the client. Open "
                    "the checklists of the project first."
                )
            )
        template = self.env.ref("project_lifecycle.mail_template_kickoff_agenda")
        return {
            "type": "ir.actions.act_window",
            "res_model": "mail.compose.message",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_template_id": template.id,
                "default_composition_mode": "comment",
                "force_email": True,
                "mark_agenda_sent": True,
            },
        }

    def message_post(self, **kwargs):
        message = super().message_post(**kwargs)
        if (
            self.env.context.get("mark_agenda_sent")
            and self.project_id.spoc_id in message.partner_ids
        ):
            # sudo: the sender may write on the meeting, not on each of its fields
            unlocked(self.sudo()).agenda_sent_on = fields.Datetime.now()
        return message
