from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, float_compare, format_date

from .project_consultancy_pack import HOUR_DIGITS

# Names the locks of packs among PostgreSQL's advisory locks
LOCK_CLASS = 1_347_502_923


class ProjectConsultancyPack(models.Model):
    """Which pack time is deducted from, and what happens when no hours are left."""

    _inherit = "project.consultancy.pack"

    @api.model
    def _get_available(self, projects):
        """Return the packs of each project, in the order in which they are used.

        :return: dict from project (sudo) to packs, the oldest first
        """
        # sudo: whoever logs time need not see packs
        packs = self.sudo().search_fetch(
            [("project_id", "in", projects.ids), ("cancelled", "=", False)],
            [
                "alerted_usage",
                "cancelled",
                "company_id",
                "create_date",
                "date_end",
                "date_start",
                "project_id",
                "purchased_hours",
                "sale_line_id",
            ],
            order="id",
        )
        return packs.sorted(
            lambda pack: (pack.date_start or pack.create_date.date(), pack.id)
        ).grouped("project_id")

    def _is_valid_on(self, date):
        """Return whether time of ``date`` lies in the validity of the pack."""
        return not date or (
            (not self.date_start or self.date_start <= date)
            and (not self.date_end or date <= self.date_end)
        )

    def _lock_if_blocking(self, lines):
        """Return the packs whose company refuses overruns, locked until the commit.

        Only one transaction at a time adds hours to such a pack; other packs, and all
        that is not time, wait for nobody.

        :param lines: the lines whose hours are about to change
        """
        blocking = self.filtered(
            lambda pack: pack.company_id.pack_overrun_policy == "block"
        )
        for pack_id in sorted(blocking.ids):
            self.env.cr.execute(
                SQL("SELECT pg_advisory_xact_lock(%s, %s)", LOCK_CLASS, pack_id)
            )
        if blocking:
            self._get_touched_ids().update(lines._origin.ids)
        return blocking

    @api.model
    def _get_touched_ids(self):
        """Return the ids of the lines that this transaction changes on locked packs."""
        return self.env.cr.precommit.data.setdefault("pack_touched_ids", set())

    def _get_unseen_hours(self):
        """Return hours of locked packs that others committed while this one waited.

        A transaction sees the data as they were when it began; a connection of its own
        sees the latest. Nobody can add to them while the lock is held.

        :return: dict from pack to hours
        """
        if not self:
            return {}
        query = self._as_query(ordered=False)
        hours = self._get_hours_sql(
            SQL(
                "line.is_deducted AND line.pack_id = %s AND line.id <> ALL(%s)",
                SQL.identifier(self._table, "id"),
                sorted(self._get_touched_ids()),
            )
        )
        select = query.select(SQL.identifier(self._table, "id"), hours)
        known = dict(self.env.execute_query(select))
        with self.env.registry.cursor() as cr:
            cr.execute(select)
            latest = dict(cr.fetchall())
        return {
            pack: max(latest.get(pack.id, 0.0) - known.get(pack.id, 0.0), 0.0)
            for pack in self
        }

    def _check_not_overrun(self, before, left):
        """Refuse hours that a locked pack does not have.

        :param float before: hours that were left
        :param float left: hours that would be left
        :raises ValidationError: the pack would be overrun, or more than before
        """
        if float_compare(left, min(before, 0), precision_digits=HOUR_DIGITS) < 0:
            raise ValidationError(
                self.env._(
                    "%(pack)s of %(project)s has no hours left for this time: it "
                    "would be overrun by %(hours)s hours. Ask the salesperson to "
                    "renew the pack.",
                    pack=self.name,
                    project=self.project_id.name,
                    hours=round(-left, 2),
                )
            )

    def _check_valid_on(self, date):
        """Refuse time outside the validity of a locked pack.

        :raises ValidationError: the pack is not valid on that day
        """
        if not self._is_valid_on(date):
            raise ValidationError(
                self.env._(
                    "%(pack)s of %(project)s is not valid on %(date)s. Ask the "
                    "salesperson to renew the pack.",
                    pack=self.name,
                    project=self.project_id.name,
                    date=format_date(self.env, date),
                )
            )
