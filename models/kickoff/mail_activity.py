from odoo import models
from odoo.exceptions import UserError
from odoo.tools import html2plaintext

from ..lifecycle.words import says_something
from .project_risk import UNANSWERED_STATES


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def _action_done(self, feedback=False, attachment_ids=None):
        # Who is asked about a risk answers by the feedback of the activity
        risk_type = self.env.ref(
            "project_lifecycle.mail_activity_type_risk", raise_if_not_found=False
        )
        asked = self.filtered(
            lambda activity: risk_type
            and activity.activity_type_id == risk_type
            and activity.res_model == "project.risk"
        )
        # sudo: who is asked need not read risks; that he or she may answer is checked
        risks = self.env["project.risk"].sudo().browse(asked.mapped("res_id")).exists()
        risks = risks.filtered(lambda risk: risk.state in UNANSWERED_STATES)
        # Pictures and links have no words of their own
        answer = html2plaintext(feedback or "", include_references=False).strip()
        if risks and not says_something(answer):
            raise UserError(
                self.env._(
                    "Write how “%s” is answered in the feedback: the risk is accepted "
                    "with it. Or open the risk and resolve it there.",
                    risks[0].name,
                )
            )
        result = super()._action_done(feedback, attachment_ids)
        if risks:
            risks.sudo(self.env.su)._answer(answer)
        return result
