from contextlib import contextmanager


class RefusalMixin:
    """One way to check that something is refused."""

    @contextmanager
    def assertRefused(self, exception, message):
        """Check that a change is refused with that message, and undo what it did.

        As for a user, whose transaction is rolled back.
        """
        with self.assertRaisesRegex(exception, message), self.cr.savepoint():
            yield


class QueriesMixin:
    """One way to count queries, and to check that many records cost what few do."""

    def _count_queries(self, function):
        """Return the queries of a function on a cold cache of records.

        All that it causes is counted: what is flushed and what is tracked as well.
        """
        self.cr.flush()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        function()
        self.cr.flush()
        return self.cr.sql_log_count - before

    def assertConstantQueries(self, function, records, few=2, more=0):
        """Check that a function costs no more queries for many records than for few.

        :param function: is called with some of the records; the first one warms up the
            caches of the registry
        :param records: 1 + ``few`` + many; no record is used twice
        :param more: the queries that many may cost on top
        """
        samples = records[:1], records[1 : 1 + few], records[1 + few :]
        self.assertGreater(len(samples[2]), few, "There are too few records to compare")
        costs = [
            self._count_queries(lambda sample=sample: function(sample))
            for sample in samples
        ]
        self.assertLessEqual(costs[2], costs[1] + more)
