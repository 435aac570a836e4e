import logging

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_duration

from ..lifecycle.project_lock import unlocked
from .project_consultancy_pack import HOUR_DIGITS

_logger = logging.getLogger(__name__)


class ProjectConsultancyPack(models.Model):
    """Consultant, salesperson and SPOC are told before the hours run out."""

    _inherit = "project.consultancy.pack"

    alerted_usage = fields.Integer(
        readonly=True,
        copy=False,
        help="The highest threshold, in percent, that people were told about.",
    )

    def _get_reached_threshold(self):
        """Return the highest threshold, in percent, that the usage has reached."""
        self.ensure_one()
        usage = round(self.usage, HOUR_DIGITS)
        thresholds = self.company_id._get_pack_alert_thresholds()
        return max((limit for limit in thresholds if limit <= usage), default=0)

    def _get_due_threshold(self):
        """Return the threshold, in percent, that people must be told about, or 0."""
        self.ensure_one()
        if self.cancelled or not self.project_id:
            return 0
        reached = self._get_reached_threshold()
        return reached if reached > self.alerted_usage else 0

    def _is_alert_due(self):
        """Return whether the cron has something to tell, or to forget, about a pack."""
        self.ensure_one()
        return bool(self._get_due_threshold()) or self.alerted_usage > self.usage

    def _reset_alerts(self):
        """Let alerts start anew where hours were added, or taken back."""
        for pack in self:
            if pack.alerted_usage > round(pack.usage, HOUR_DIGITS):
                # sudo: whoever changes the order need not be able to change packs
                unlocked(pack.sudo()).alerted_usage = pack._get_reached_threshold()

    @api.model
    def _cron_alert(self):
        """Tell people about packs that reach a threshold, and about time without pack.

        Each pack is committed on its own, with its mails still in the queue: a run that
        dies half way is continued by the next one and nobody is told twice.
        """
        self._heal_time()
        self.search([("alerted_usage", ">", 0)])._reset_alerts()
        packs = self._search_to_alert()
        projects = self.env["project.project"]._search_to_alert_uncovered()
        Cron = self.env["ir.cron"]
        Cron._commit_progress(remaining=len(packs) + len(projects))
        for record in [*packs, *projects]:
            # Somebody else is at it: the next run sees what is left
            if record.try_lock_for_update(allow_referencing=True):
                try:
                    with self.env.cr.savepoint():
                        record._alert()
                except Exception:
                    # A broken template must not keep the others from being told
                    _logger.exception("No alert about %s", record)
            if not Cron._commit_progress(1):
                break

    @api.model
    def _cron_keep_in_step(self):
        """Do what those who log time leave, so as to wait for nobody."""
        self._heal_time()
        self.env["sale.order.line"]._store_delivered()

    @api.model
    def _heal_time(self):
        """Find packs for time that was logged the moment its pack came or went."""
        Line = self.env["account.analytic.line"]
        stray = Line.search([("pack_id.cancelled", "=", True)])
        if stray:
            unlocked(stray).write({"pack_id": False})
        groups = Line._read_group(
            [("is_deducted", "=", True), ("pack_id", "=", False)], ["project_id"]
        )
        projects = self.env["project.project"].union(*(group[0] for group in groups))
        (projects | stray.project_id)._cover_time()

    @api.model
    def _search_to_alert(self):
        """Return the packs that people must be told about."""
        domain = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("usage", ">=", threshold - 10**-HOUR_DIGITS)
            & Domain("alerted_usage", "<", threshold)
            for company in self.env["res.company"].sudo().search([])
            for threshold in company._get_pack_alert_thresholds()
        )
        return self.search(
            domain & Domain("cancelled", "=", False) & Domain("project_id", "!=", False)
        ).filtered(lambda pack: pack._get_due_threshold())

    def _alert(self):
        """Tell consultant, salesperson and SPOC how much of the pack is used."""
        self.ensure_one()
        threshold = self._get_due_threshold()
        if not threshold:
            return
        unlocked(self).alerted_usage = threshold
        project = self.project_id
        for user in project.user_id | project.salesperson_id:
            pack = self.with_context(lang=user.lang)
            pack.activity_schedule(
                "project_lifecycle.mail_activity_type_pack",
                user_id=user.id,
                summary=pack.env._("%s %% of the pack are used", threshold),
                note=pack.env._(
                    "%(project)s: %(used)s of %(bought)s h are used, %(left)s h are "
                    "left.",
                    project=project.name,
                    used=format_duration(self.consumed_hours),
                    bought=format_duration(self.purchased_hours),
                    left=format_duration(self.remaining_hours),
                ),
            )
        if project.spoc_id.email:
            self.env.ref("project_lifecycle.mail_template_pack_alert").send_mail(
                self.id
            )
