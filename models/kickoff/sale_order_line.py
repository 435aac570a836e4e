from odoo import api, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._update_scope()
        return lines

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"product_id", "project_id"}:
            self._update_scope()
        if vals.keys() & {"product_id", "product_uom_id", "product_uom_qty"}:
            # sudo: the salesperson of an order need not see its packs and projects
            self.sudo()._get_checked_projects()._update_findings()
        return result

    def _get_checked_projects(self):
        """Return the projects whose findings depend on these lines (sudo)."""
        projects = self.pack_ids.project_id
        for line in self.filtered("product_id.application_id"):
            projects |= line._get_pack_project()
        return projects

    def _update_scope(self):
        """Put the applications that confirmed order lines sell into the scope.

        An application that is in the scope of the project already stays as it is.
        """
        # sudo: salespersons sell applications, but need not see or change projects
        lines = self.sudo().filtered(
            lambda line: line.state == "sale" and line.product_id.application_id
        )
        if not lines:
            return
        sold, projects = {}, self.env["project.project"]
        for line in lines:
            if project := line._get_pack_project():
                projects |= project
                key = (project.id, line.product_id.application_id.id)
                sold.setdefault(key, line)
        known = self.env["project.scope.line"].sudo()  # sudo: as above
        known = known.search_fetch(
            [("project_id", "in", [project_id for project_id, _id in sold])],
            ["application_id", "project_id"],
        )
        for line in known:
            sold.pop((line.project_id.id, line.application_id.id), None)
        known.create(
            [
                {"project_id": project_id, "application_id": application_id}
                for project_id, application_id in sold
            ]
        )
        projects._update_findings()
