from io import BytesIO

from odoo import models

from ..lifecycle.project_lock import is_unlocked
from .project_kickoff_agreement_pdf import REPORT


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _render_qweb_pdf(self, report_ref, res_ids=None, data=None):
        """Give the PDFs of kick-off agreements that were kept, whoever prints them."""
        if (
            res_ids
            and not is_unlocked(self.env)  # that is how they are made
            and self._get_report(report_ref).report_name == REPORT
        ):
            ids = [res_ids] if isinstance(res_ids, int) else res_ids
            agreements = self.env["project.kickoff.agreement"].browse(ids)
            agreements.check_access("read")
            # sudo: who may read the agreement may read its PDF
            pdfs = [agreement._get_pdf().raw for agreement in agreements.sudo()]
            if len(pdfs) == 1:
                return pdfs[0], "pdf"
            with self._merge_pdfs([BytesIO(pdf) for pdf in pdfs]) as merged:
                return merged.getvalue(), "pdf"
        return super()._render_qweb_pdf(report_ref, res_ids=res_ids, data=data)
