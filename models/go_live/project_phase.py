from odoo import models


class ProjectPhase(models.Model):
    _inherit = "project.phase"

    def action_set_ready(self):
        """Say that the phase is ready for its go-live.

        :raises UserError: with flows that are not validated and trained, data that is
            needed to start and not imported, and developments that are not done
        """
        return self._set_ready()

    def action_go_live(self):
        """Note that the client starts to use the phase today.

        :raises UserError: for a phase that is not ready
        """
        return self._set_live()

    def action_complete(self, statement=None, evidence=None):
        """Record that the client agrees that the go-live is complete.

        :param str statement: the words of the SPOC, plain text; without them the user
            is asked for them
        :param str evidence: where the SPOC said so
        :return: the dialog that asks for the words, or True
        :raises UserError: for a phase that is not live, or a project without SPOC
        """
        if statement is None:
            self.ensure_one()
            return self.env["ir.actions.act_window"]._for_xml_id(
                "project_lifecycle.go_live_phase_complete_action"
            ) | {"context": {"default_phase_id": self.id}}
        return self._complete(statement, evidence)
