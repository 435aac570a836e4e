from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_list


class ProjectFlowCycle(models.Model):
    _inherit = "project.flow.cycle"

    def _decide(self, result, **answer):
        """Validate only what was tried: see :meth:`~.ProjectFlowCycle._decide`.

        :raises UserError: with the scenarios that nobody passed in this cycle
        """
        if result == "validated":
            # sudo: which scenarios a flow has may be known to whoever answers for it
            if missing := self.sudo().flow_id._get_open_scenarios():
                raise UserError(
                    self.env._(
                        "These scenarios are not passed in this cycle yet: %s. Try "
                        "them again, or send the flow back with feedback.",
                        format_list(self.env, missing.mapped("name")),
                    )
                )
        return super()._decide(result, **answer)
