from odoo import api, models
from odoo.fields import Domain

# What belongs to client projects, and how that is told.
CLIENT_DOMAINS = {
    "project.project": Domain("is_lifecycle", "=", True),
    "project.task": Domain("project_id.is_lifecycle", "=", True),
    "project.update": Domain("project_id.is_lifecycle", "=", True),
    "project.milestone": Domain("project_id.is_lifecycle", "=", True),
    "calendar.event": Domain("project_id", "!=", False),
}


class MailMessage(models.Model):
    _inherit = "mail.message"

    def _get_forbidden_access(self, operation):
        """Keep what is internal about client projects from people outside.

        Stock Odoo hides internal comments from them. Internal notifications, such as
        the feedback on an activity, they read by their id.
        """
        forbidden = super()._get_forbidden_access(operation)
        if operation != "read" or self.env.user._is_internal():
            return forbidden
        internal_sudo = (self - forbidden).sudo()._filter_client_documents()
        return forbidden | internal_sudo.filtered(
            lambda message: (
                message.is_internal
                or not message.subtype_id
                or message.subtype_id.internal
            )
            and message.author_id != self.env.user.partner_id
        ).sudo(False)

    @api.model
    def _is_client_model(self, model):
        """Return whether all documents of a model belong to client projects."""
        return (
            model in self.env
            and self.env[model]._original_module == "project_lifecycle"
        )

    def _filter_client_documents(self):
        """Return the messages (sudo) on what belongs to client projects."""
        found = self.browse()
        for model, messages in self.grouped("model").items():
            if model in CLIENT_DOMAINS:
                documents = (
                    self.env[model]
                    .sudo()
                    .with_context(active_test=False)
                    .search(
                        Domain("id", "in", messages.mapped("res_id"))
                        & CLIENT_DOMAINS[model]
                    )
                )
                ids = set(documents.ids)
                found |= messages.filtered(lambda m, ids=ids: m.res_id in ids)
            elif model and self._is_client_model(model):
                found |= messages
        return found
