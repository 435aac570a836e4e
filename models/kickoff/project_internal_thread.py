from odoo import api, models


class ProjectInternalThread(models.AbstractModel):
    """A chatter that stays in the house: no client follows it or gets mails of it."""

    _name = "project.internal.thread"
    _description = "Internal Chatter"
    _inherit = ["mail.thread"]

    @api.model
    def _filter_inside(self, partner_ids):
        """Return the ids of those partners who are colleagues."""
        # sudo: whether they are colleagues may be known
        partners = self.env["res.partner"].sudo().browse(partner_ids or [])
        return partners.filtered(lambda partner: not partner.partner_share).ids

    @api.model
    def _mail_get_partner_fields(self, introspect_fields=False):
        return []  # the client is not proposed as a recipient

    def message_subscribe(self, partner_ids=None, subtype_ids=None):
        return super().message_subscribe(self._filter_inside(partner_ids), subtype_ids)

    def message_post(self, **kwargs):
        if kwargs.get("partner_ids"):
            kwargs["partner_ids"] = self._filter_inside(kwargs["partner_ids"])
        if kwargs.get("mail_activity_type_id"):  # the feedback of an activity
            kwargs["subtype_xmlid"] = "mail.mt_note"
        return super().message_post(**kwargs)

    def _notify_get_recipients(self, message, msg_vals=False, **kwargs):
        # Whoever came to follow it in another way
        recipients = super()._notify_get_recipients(message, msg_vals, **kwargs)
        return [recipient for recipient in recipients if not recipient["share"]]
