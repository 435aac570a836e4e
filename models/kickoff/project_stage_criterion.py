from odoo import models


class ProjectStageCriterion(models.Model):
    _inherit = "project.stage.criterion"

    def _reads_risks(self):
        """Return whether the condition depends on the risks of the project."""
        self.ensure_one()
        try:
            domain = self._get_domain()
        except Exception:  # the gate says that it is broken
            return False
        return any(
            "risk" in str(condition.field_expr) or "risk" in str(condition.value)
            for condition in domain.iter_conditions()
        )
