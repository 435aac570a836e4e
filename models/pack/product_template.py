from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ProductTemplate(models.Model):
    _inherit = "product.template"

    is_consultancy_pack = fields.Boolean(
        string="Consultancy Pack",
        help="Confirming an order with this product gives the client project a pack of "
        "prepaid hours, from which all time of the project is deducted.",
    )

    @api.model
    def _get_pack_defaults(self):
        """Return what makes a product a pack of prepaid hours, unless told otherwise."""
        return {
            "type": "service",
            "service_policy": "ordered_prepaid",
            "uom_id": self.env.ref("uom.product_uom_hour").id,
        }

    @api.onchange("is_consultancy_pack")
    def _onchange_is_consultancy_pack(self):
        if self.is_consultancy_pack:
            values = self._get_pack_defaults()
            if self._is_unit_of_time(self.uom_id):
                del values["uom_id"]
            self.update(values)

    @api.constrains("is_consultancy_pack", "type", "invoice_policy", "service_type")
    def _check_consultancy_pack_policy(self):
        for template in self.filtered("is_consultancy_pack"):
            if template.type != "service" or (
                template.service_policy != "ordered_prepaid"
            ):
                raise ValidationError(
                    self.env._(
                        "%s is a consultancy pack: it must be a service with the "
                        "invoicing policy “Prepaid/Fixed Price”, tracked by "
                        "timesheets.",
                        template.name,
                    )
                )

    @api.constrains("is_consultancy_pack", "uom_id")
    def _check_consultancy_pack_uom(self):
        for template in self.filtered("is_consultancy_pack"):
            self._check_unit_of_time(template.uom_id, template.name)

    @api.model_create_multi
    def create(self, vals_list):
        return super().create(
            [
                (self._get_pack_defaults() | vals)
                if vals.get("is_consultancy_pack")
                else vals
                for vals in vals_list
            ]
        )

    @api.model
    def _is_unit_of_time(self, uom):
        """Return whether quantities in ``uom`` can be told in hours."""
        hour = self.env.ref("uom.product_uom_hour", raise_if_not_found=False)
        return bool(uom and hour) and uom._has_common_reference(hour)

    @api.model
    def _check_unit_of_time(self, uom, name):
        """Refuse to sell a consultancy pack in anything but time.

        :param uom: unit of measure
        :param str name: of what is sold in it
        :raise ValidationError: the unit cannot be told in hours
        """
        if not self._is_unit_of_time(uom):
            raise ValidationError(
                self.env._(
                    "%(product)s is a consultancy pack and cannot be sold in "
                    "%(uom)s. Choose hours or days as its unit of measure.",
                    product=name,
                    uom=uom.name or self.env._("no unit of measure"),
                )
            )
