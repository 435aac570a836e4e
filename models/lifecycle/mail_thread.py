from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from .mail_message import CLIENT_DOMAINS


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def _search(self, domain, *args, bypass_access=False, **kwargs):
        """Let nobody outside search by the messages on what belongs to client projects.

        Stock Odoo looks through all messages there, also those that the user may not
        read: one search after the other would tell them.
        """
        if (
            not (self.env.su or bypass_access or self.env.user._is_internal())
            and (
                self._name in CLIENT_DOMAINS
                or self.env["mail.message"]._is_client_model(self._name)
            )
            and any(
                field.comodel_name == "mail.message"
                for condition in Domain(domain).iter_conditions()
                if (field := self._fields.get(condition.field_expr.partition(".")[0]))
            )
        ):
            raise AccessError(self.env._("Messages cannot be searched from outside."))
        return super()._search(domain, *args, bypass_access=bypass_access, **kwargs)
