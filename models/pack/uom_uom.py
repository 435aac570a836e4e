from odoo import api, models
from odoo.exceptions import UserError


class UomUom(models.Model):
    """Units that hours are counted in stay what they are."""

    _inherit = "uom.uom"

    def write(self, vals):
        names = vals.keys() & {"relative_factor", "relative_uom_id"}
        self.filtered(
            lambda uom: any(
                uom._fields[name].convert_to_write(uom[name], uom) != vals[name]
                for name in names
            )
        )._check_not_deducted()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_deducted(self):
        self._check_not_deducted()

    def _check_not_deducted(self):
        """Keep the hours of packs and of what was deducted from them.

        :raises UserError: packs were sold, or their time logged, in one of the units
        """
        if not self:
            return
        uoms = self.with_context(active_test=False).search(
            [("id", "child_of", self.ids)]
        )
        # sudo: whoever looks after units need not see time or packs
        line = self.env["account.analytic.line"].sudo()
        line = line.search(
            [("product_uom_id", "in", uoms.ids), ("pack_id", "!=", False)], limit=1
        )
        pack = line.pack_id or line.pack_id.search(
            [("sale_line_id.product_uom_id", "in", uoms.ids)], limit=1
        )
        if pack:
            raise UserError(
                self.env._(
                    "The hours of consultancy packs are counted in %s, which stays as "
                    "it is. Create another unit of measure instead.",
                    ", ".join(self.mapped("name")),
                )
            )
