from odoo import models


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def _action_done(self, feedback=False, attachment_ids=None):
        messages, activities = super()._action_done(feedback, attachment_ids)
        # sudo: whoever completes an activity may say that its feedback is internal
        client_messages = messages.sudo()._filter_client_documents()
        # An internal comment: notifications can be read from outside by their ids
        client_messages.message_type = "comment"
        return messages, activities
