from odoo.fields import Command

from .common import LifecycleCommon


class PackCommon(LifecycleCommon):
    """A client project with a pack of 10 hours, and people who log time."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        users = cls.consultant | cls.colleague | cls.manager
        cls.employees = cls.env["hr.employee"].create(
            [{"name": user.name, "user_id": user.id} for user in users]
        )
        cls.product = cls.env.ref(
            "project_lifecycle.product_template_consultancy_pack"
        ).product_variant_id
        cls.project = cls._create_project(spoc_id=cls.spoc.id, allow_billable=True)
        cls.pack = cls._sell_pack(10).order_line.pack_ids
        cls.task = cls.env["project.task"].create(
            {"name": "Sales flow", "project_id": cls.project.id}
        )
        cls.training = cls.env.ref("project_lifecycle.work_type_training")

    @classmethod
    def _sell_pack(cls, quantity, project=None, confirm=True, **line_values):
        """Sell a consultancy pack for the project, which is the common one by default.

        :return: the order
        """
        project = cls.project if project is None else project
        order = cls.env["sale.order"].create(
            {
                "partner_id": project.partner_id.id or cls.client.id,
                "project_id": project.id,
                "user_id": cls.salesperson.id,
                "order_line": [
                    Command.create(
                        {"product_id": cls.product.id, "product_uom_qty": quantity}
                        | line_values
                    )
                ],
            }
        )
        if confirm:
            order.action_confirm()
        return order

    @classmethod
    def _log(cls, hours, user=None, **values):
        """Log time of the consultant on the project, in the way of a program."""
        if "task_id" not in values:
            values.setdefault("project_id", cls.project.id)
        return (
            cls.env["account.analytic.line"]
            .with_user(user or cls.consultant)
            .create({"name": "Work", "unit_amount": hours} | values)
        )

    def _sum_hours(self, lines):
        """Return the hours of lines in whatever units, one by one."""
        Pack = self.env["project.consultancy.pack"]
        return sum(
            Pack._to_hours(line.unit_amount, line.product_uom_id) for line in lines
        )

    def assertBalance(self, *packs):
        """Check that every pack agrees with its lines and with its order."""
        self.env.flush_all()
        self.env.invalidate_all()
        for pack in packs or self.pack:
            deducted = pack.line_ids.filtered(lambda line: not line.pack_write_off)
            self.assertEqual(pack.line_ids.filtered("is_deducted"), deducted)
            used = self._sum_hours(deducted)
            self.assertAlmostEqual(pack.consumed_hours, used, places=5)
            self.assertAlmostEqual(
                pack.purchased_hours,
                pack.consumed_hours + pack.remaining_hours,
                places=5,
            )
            self.assertLessEqual(pack.line_ids.project_id, pack.project_id)
            sale_line = pack.sale_line_id
            if sale_line and not pack.cancelled:
                self.assertEqual(deducted.so_line, sale_line & deducted.so_line)
                self.assertEqual(sale_line.timesheet_ids, deducted)
                self.assertAlmostEqual(
                    sale_line.remaining_hours, pack.remaining_hours, places=5
                )
                delivered = pack._to_hours(
                    sale_line.qty_delivered, sale_line.product_uom_id
                )
                self.assertAlmostEqual(delivered, pack.consumed_hours, places=4)
            self.assertFalse((pack.line_ids - deducted).so_line)
