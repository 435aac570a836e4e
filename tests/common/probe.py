import re

from psycopg2 import Error as DatabaseError
from psycopg2.errors import NotNullViolation

from odoo.exceptions import RedirectWarning, UserError
from odoo.sql_db import Cursor

REFUSALS = (UserError, RedirectWarning)
READS = re.compile(r"\s*(select|savepoint|release|rollback)\b", re.IGNORECASE)


class ProbeMixin:
    """Try what may be refused, thousands of times: nothing of it stays.

    Most of it is refused before anything was written. What was read until then stays
    in the cache, for the next try.
    """

    def setUp(self):
        super().setUp()
        self.faults = []
        self.refusals = {}
        self.has_written = False
        execute = Cursor.execute

        def note_writing(cursor, query, *args, **kwargs):
            if not READS.match(str(getattr(query, "code", query))):
                self.has_written = True
            return execute(cursor, query, *args, **kwargs)

        self.patch(Cursor, "execute", note_writing)

    def _try(self, function, *what):
        """Return what a function returns, after its changes were rolled back.

        Refusals are kept in ``refusals``, tracebacks in ``faults``.

        :return: None when it was refused
        """
        self.has_written = False
        savepoint = self.cr.savepoint(flush=False)
        try:
            return function()
        except REFUSALS as error:
            self.refusals[what] = error
        except DatabaseError as error:
            self.has_written = True
            # What Odoo words itself for the user is a refusal as well
            if not isinstance(error, NotNullViolation) and (
                error.diag.constraint_name not in self._get_constraints()
            ):
                self.faults.append((*what, repr(error)))
        except Exception as error:  # noqa: BLE001 that is what is looked for
            self.faults.append((*what, repr(error)))
        finally:
            self._undo(savepoint)
        return None

    def _undo(self, savepoint):
        transaction = self.env.transaction
        if (
            self.has_written
            or any(transaction.field_dirty.values())
            or any(transaction.tocompute.values())
        ):
            self.cr.clear()
        savepoint.close(rollback=True)

    def _get_constraints(self):
        """Return the names of the constraints that have a message for users."""
        return {
            constraint
            for name in self.registry
            for constraint in self.env[name]._table_objects
        }
