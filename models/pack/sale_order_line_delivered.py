from odoo import api, fields, models
from odoo.tools import SQL


class SaleOrderLine(models.Model):
    """What was delivered of sold packs is what was deducted from them.

    Stock Odoo writes it on the order line whenever time is logged, so people who work
    for one client wait for each other. Here the figures come from the pack when they
    are read; the columns, which SQL reports of stock Odoo read, follow by a cron.
    """

    _inherit = "sale.order.line"

    # Read when asked for, not with whatever else is read of an order line
    qty_delivered = fields.Float(prefetch=False)
    remaining_hours = fields.Float(prefetch=False)

    def _filter_with_pack(self):
        """Return the lines that were sold as a consultancy pack and have it."""
        lines = self.filtered(lambda line: line.product_id.is_consultancy_pack)
        # sudo: whoever logs time need not see packs
        return lines.filtered(lambda line: line.id and line.sudo().pack_ids)

    @api.depends("pack_ids.purchased_hours")
    def _compute_remaining_hours(self):
        packs = self._filter_with_pack()
        packs.invalidate_recordset(["remaining_hours"], flush=False)
        return super(SaleOrderLine, self - packs)._compute_remaining_hours()

    def _compute_qty_delivered(self):
        packs = self._filter_with_pack()
        packs.invalidate_recordset(["qty_delivered"], flush=False)
        return super(SaleOrderLine, self - packs)._compute_qty_delivered()

    def _field_to_sql(self, alias, field_expr, query=None):
        column = super()._field_to_sql(alias, field_expr, query)
        if field_expr not in ("qty_delivered", "remaining_hours"):
            return column
        Pack = self.env["project.consultancy.pack"].sudo()  # sudo: of one's own order
        if field_expr == "remaining_hours":
            figure = Pack._field_to_sql("pack", "remaining_hours")
        else:
            figure = SQL(
                "ROUND((%s / %s)::numeric, 6)::float8",
                Pack._field_to_sql("pack", "consumed_hours"),
                Pack._get_ratio_sql(SQL.identifier("sold_uom")),
            )
        return SQL(
            """COALESCE((
                SELECT %(figure)s
                  FROM project_consultancy_pack pack
             LEFT JOIN uom_uom sold_uom ON sold_uom.id = %(uom)s
                 WHERE pack.sale_line_id = %(line)s
            ), %(column)s)""",
            figure=figure,
            uom=super()._field_to_sql(alias, "product_uom_id", query),
            line=SQL.identifier(alias, "id"),
            column=column,
            to_flush=[Pack._fields["sale_line_id"]],
        )

    @api.model
    def _store_delivered(self):
        """Bring the columns up to date that SQL reports of stock Odoo read."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT figure.id, figure.delivered, figure.remaining
                  FROM (
                       SELECT line.id,
                              line.qty_delivered AS stored,
                              line.remaining_hours AS stored_left,
                              %(delivered)s AS delivered,
                              %(remaining)s AS remaining
                         FROM project_consultancy_pack pack
                         JOIN sale_order_line line ON line.id = pack.sale_line_id
                       ) figure
                 WHERE ABS(COALESCE(figure.stored, 0) - figure.delivered) >= 0.005
                    OR ABS(COALESCE(figure.stored_left, 0) - figure.remaining) > 1e-6
                """,
                delivered=self._field_to_sql("line", "qty_delivered"),
                remaining=self._field_to_sql("line", "remaining_hours"),
            )
        )
        lines = self.browse([line_id for line_id, *_figures in rows])
        lines = lines.try_lock_for_update(allow_referencing=True)
        locked_ids = set(lines.ids)
        for line_id, delivered, remaining in rows:
            if line_id in locked_ids:
                self.env.cr.execute(
                    SQL(
                        """
                        UPDATE sale_order_line
                           SET qty_delivered = %s, remaining_hours = %s
                         WHERE id = %s
                        """,
                        delivered,
                        remaining,
                        line_id,
                    )
                )
        lines.invalidate_recordset(["qty_delivered", "remaining_hours"], flush=False)
        lines.modified(["qty_delivered", "remaining_hours"])
