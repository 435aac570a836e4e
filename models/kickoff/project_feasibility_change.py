import logging

from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)


class ProjectFeasibilityChange(models.Model):
    """What has changed since the feasibility of projects was looked at.

    Each change is a row of its own that is only inserted and never waits for the lock
    of anybody who changes a project or its risks. Which projects it concerns is found
    out by the scheduled action.
    """

    _name = "project.feasibility.change"
    _description = "Change That Concerns the Feasibility"
    _log_access = False

    # Not references: what changed may be deleted, and must not be locked
    res_model = fields.Char(required=True, export_string_translation=False)
    res_id = fields.Integer(required=True, export_string_translation=False)

    @api.model
    def _note(self, *changed):
        """Note changes, and have the findings of the projects looked at soon after.

        Called while people change leaves, calendars, the catalogue: whatever goes wrong
        here is logged, and never keeps them from it. The daily look at all projects
        finds what was missed.

        :param changed: recordsets that the feasibility of projects depends on
        """
        rows = [
            (records._name, res_id) for records in changed for res_id in records.ids
        ]
        if not rows:
            return
        try:
            with self.env.cr.savepoint(flush=False):
                self._insert(rows)
                cron = self.env.ref(
                    "project_lifecycle.ir_cron_stale_findings", raise_if_not_found=False
                )
                if cron:  # not while the module is being installed
                    cron._trigger()
        except Exception:
            _logger.exception("Changes that concern the feasibility were not noted")

    @api.model
    def _insert(self, rows):
        """Insert rows of model and id, without side effects."""
        self.env.cr.execute(
            SQL(
                "INSERT INTO project_feasibility_change (res_model, res_id) VALUES %s",
                SQL(", ").join(SQL("(%s, %s)", *row) for row in rows),
            )
        )

    def _get_ids(self):
        """Return what changed: dict from the name of a model to a set of ids."""
        changed = {}
        for change in self:
            changed.setdefault(change.res_model, set()).add(change.res_id)
        return changed
