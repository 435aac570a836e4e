import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

    pack_alert_thresholds = fields.Char(
        default="75, 90, 100",
        groups="base.group_user",
        help="Percentages of a consultancy pack, separated by commas. When the hours "
        "used reach one of them, consultant, salesperson and SPOC are told, once each.",
    )
    pack_overrun_policy = fields.Selection(
        [("warn", "Warn"), ("block", "Block")],
        default="warn",
        groups="base.group_user",
        help="What happens to time that a consultancy pack has no hours left for. "
        "Warn: it is logged and the pack goes below zero. Block: it cannot be logged "
        "until the pack is renewed.",
    )
    kickoff_share_target = fields.Float(
        string="Kick-off Share",
        default=10,
        groups="base.group_user",
        help="Share of the hours bought that the kick-off should take, in percent.",
    )
    kickoff_share_tolerance = fields.Float(
        string="Kick-off Share Tolerance",
        default=5,
        groups="base.group_user",
        help="Percentage points by which the kick-off may miss its share.",
    )

    _kickoff_share = models.Constraint(
        "CHECK (kickoff_share_target BETWEEN 0 AND 100"
        " AND kickoff_share_tolerance BETWEEN 0 AND 100)",
        "The share of the kick-off and its tolerance must be between 0 and 100 "
        "percent.",
    )

    @api.constrains("pack_alert_thresholds")
    def _check_pack_alert_thresholds(self):
        for company in self:
            thresholds = re.split(
                r"\s*[,;]\s*", (company.pack_alert_thresholds or "").strip()
            )
            if not all(
                threshold.isdecimal() and 0 < int(threshold) <= 1000
                for threshold in thresholds
            ):
                raise ValidationError(
                    self.env._(
                        "“%s” is not a list of percentages. Write whole numbers "
                        "separated by commas, such as 75, 90, 100.",
                        company.pack_alert_thresholds or "",
                    )
                )

    @api.constrains("internal_project_id")
    def _check_internal_project(self):
        self.internal_project_id.sudo()._check_not_internal()

    def _get_pack_alert_thresholds(self):
        """Return the percentages at which packs of the company alert, ascending."""
        return sorted(
            {
                int(number)
                # sudo: alerts are the same whoever logs the time that triggers them
                for number in re.findall(
                    r"\d+", self.sudo().pack_alert_thresholds or ""
                )
            }
        )
