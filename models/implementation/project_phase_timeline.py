from odoo import api, fields, models
from odoo.tools import format_date


class ProjectPhase(models.Model):
    _inherit = "project.phase"

    def _get_timeline(self):
        """Return the picture of phases on one time scale, to draw it anywhere.

        Positions are percentages of the width of the picture.

        :return: dict with ``phases`` (each with its ``bars``, one planned and one real,
            and ``go_live``), ``ticks`` (first days of months), ``today`` (None when it
            lies outside), ``undated`` (phases without dates); False without any date
        """
        today = fields.Date.context_today(self)
        rows, undated, days = [], [], []
        for phase in self.sorted():
            planned = phase._get_span(phase.date_start, phase.date_go_live)
            # A phase that has started and is not live goes on until today.
            real = phase.date_start_real and phase._get_span(
                phase.date_start_real,
                phase.date_go_live_real or max(today, phase.date_start_real),
            )
            if not planned and not real:
                undated.append({"id": phase.id, "name": phase.name})
                continue
            rows.append((phase, planned, real))
            days += [day for span in (planned, real) if span for day in span]
        if not rows:
            return False
        first, last = min(days), max(days)
        # Some room at both ends, and no less than two weeks for a single day
        margin = max((last - first).days // 20, 7)
        first = fields.Date.subtract(first, days=margin)
        last = fields.Date.add(last, days=margin)
        width = (last - first).days

        def position(day):
            return round(100 * (day - first).days / width, 2)

        def bar(span):
            if not span:
                return False
            return {
                "left": position(span[0]),
                "width": round(position(span[1]) - position(span[0]), 2),
                "label": self.env._(
                    "%(start)s to %(end)s",
                    start=format_date(self.env, span[0]),
                    end=format_date(self.env, span[1]),
                ),
            }

        states = dict(self._fields["state"]._description_selection(self.env))
        waves = dict(self._fields["wave"]._description_selection(self.env))
        return {
            "phases": [
                {
                    "id": phase.id,
                    "name": phase.name,
                    "wave": phase.wave,
                    "wave_label": waves[phase.wave],
                    "state": phase.state,
                    "state_label": states[phase.state],
                    "is_late": phase.is_late,
                    "planned": bar(planned),
                    "real": bar(real),
                    "go_live": bool(phase.date_go_live or phase.date_go_live_real)
                    and {
                        "left": position(phase.date_go_live_real or phase.date_go_live),
                        "is_real": bool(phase.date_go_live_real),
                        "label": format_date(
                            self.env, phase.date_go_live_real or phase.date_go_live
                        ),
                    },
                }
                for phase, planned, real in rows
            ],
            "ticks": self._get_timeline_ticks(first, last, position),
            "today": position(today) if first <= today <= last else None,
            "undated": undated,
        }

    @api.model
    def _get_span(self, start, end):
        """Return first and last day of what is known of a span, or False."""
        return (start or end, end or start) if start or end else False

    @api.model
    def _get_timeline_ticks(self, first, last, position):
        """Return the first days of months, as many as can be read."""
        months = (last.year - first.year) * 12 + last.month - first.month
        step = max(1, -(-months // 8))  # eight labels at most
        ticks = []
        day = fields.Date.add(fields.Date.start_of(first, "month"), months=1)
        while day <= last:
            ticks.append(
                {
                    "left": position(day),
                    "label": format_date(self.env, day, date_format="MMM y"),
                }
            )
            day = fields.Date.add(day, months=step)
        return ticks
