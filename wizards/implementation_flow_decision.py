from odoo import fields, models
from odoo.exceptions import UserError

from ..models.implementation.project_flow_cycle import RESULTS


class ProjectFlowDecisionWizard(models.TransientModel):
    _name = "project.flow.decision.wizard"
    _description = "Record the Answer to a Business Flow"
    _inherit = ["project.values.mixin"]

    cycle_id = fields.Many2one(
        "project.flow.cycle", required=True, readonly=True, ondelete="cascade"
    )
    flow_id = fields.Many2one(related="cycle_id.flow_id", related_sudo=False)
    project_id = fields.Many2one(related="cycle_id.project_id", related_sudo=False)
    spoc_id = fields.Many2one(related="cycle_id.flow_id.spoc_id", related_sudo=False)
    number = fields.Integer(related="cycle_id.number", related_sudo=False)
    requirements = fields.Html(
        related="cycle_id.flow_id.requirements", related_sudo=False
    )
    result = fields.Selection(RESULTS, required=True)
    statement = fields.Text(
        string="Words of the SPOC", help="With which words the SPOC validated the flow."
    )
    feedback = fields.Text(help="What must become different, and why.")
    evidence = fields.Text(
        help="Where the SPOC said so: an e-mail, the minutes of a meeting, a link."
    )
    phase_id = fields.Many2one(
        "project.phase",
        string="Start Over in Phase",
        domain="[('project_id', '=', project_id), "
        "('state', 'not in', ('live', 'complete'))]",
        help="The later phase in which the flow starts over. Empty: it is archived "
        "until somebody takes it up again.",
    )
    attachment_ids = fields.Many2many(
        "ir.attachment",
        string="Files",
        help="The e-mail or another file: it is kept in the chatter of the flow.",
    )

    def action_confirm(self):
        """Record the answer with its words and evidence.

        :raises UserError: with what is missing, or when the cycle is outdated
        """
        self.ensure_one()
        cycle = self.cycle_id
        if cycle != cycle.flow_id.current_cycle_id:
            cycle._check_current()
        if self.result == "refined":
            cycle.flow_id._refine(self.feedback)
        elif self.result == "set_aside":
            cycle.flow_id._set_aside(self.feedback, self.phase_id)
        else:
            cycle._decide(
                self.result,
                feedback=self.feedback,
                statement=self.statement,
                evidence=self.evidence,
            )
        if self.attachment_ids:
            foreign = self.attachment_ids.filtered(
                lambda file: file.create_uid != self.env.user
            )
            if foreign:
                raise UserError(
                    self.env._("Attach files of your own: upload them here again.")
                )
            cycle.flow_id.message_post(
                body=self.env._("Evidence of cycle %s", self.number),
                attachment_ids=self.attachment_ids.ids,
                subtype_xmlid="mail.mt_note",
            )
        return {"type": "ir.actions.act_window_close"}
