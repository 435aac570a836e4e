from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.sql import column_exists, create_column


class AccountAnalyticLine(models.Model):
    _inherit = "account.analytic.line"

    phase_id = fields.Many2one(
        "project.phase",
        compute="_compute_phase_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        ondelete="set null",
        domain="[('project_id', '=', project_id)]",
    )
    flow_id = fields.Many2one(
        "project.flow",
        string="Business Flow",
        compute="_compute_flow_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        ondelete="set null",
        domain="[('project_id', '=', project_id), ('phase_id', '=?', phase_id)]",
    )

    def _auto_init(self):
        # No phases yet at the installation: nothing to compute for all the old time
        for name in ("phase_id", "flow_id"):
            if not column_exists(self.env.cr, self._table, name):
                create_column(self.env.cr, self._table, name, "int4")
        return super()._auto_init()

    @api.depends("project_id", "task_id.flow_id")
    def _compute_flow_id(self):
        for line in self:
            flow = line.task_id.flow_id or line.flow_id
            line.flow_id = flow.project_id == line.project_id and flow

    @api.depends("project_id", "flow_id", "task_id.phase_id")
    def _compute_phase_id(self):
        """Propose the phase of the task, of the flow, or of the project right now.

        Time of a phase that is complete stays there, whatever happens to its task, and
        time from before the start of the current phase was not spent on it.
        """
        current = self.project_id._get_current_phases()
        for line in self:
            former = line.phase_id
            if former.project_id != line.project_id:
                former = former.browse()
            if former.state == "complete":
                continue
            phase = line.task_id.phase_id or line.flow_id.phase_id or former
            if not phase and (phase := current.get(line.project_id, phase)):
                if line.date and line.date < phase.date_start_real:
                    phase = phase.browse()
            line.phase_id = phase

    def write(self, vals):
        parts = {"phase_id", "flow_id"} & vals.keys()
        if parts:
            for line in self.sudo():  # phases are hidden from those who only log time
                phase = line.phase_id
                if (
                    phase.state == "complete"
                    and vals.get("project_id", line.project_id.id) == line.project_id.id
                    and any((vals[name] or False) != line[name].id for name in parts)
                ):
                    raise UserError(
                        self.env._(
                            "%(phase)s is complete: the time that it took stays there. "
                            "Log new time on the phase that is in progress.",
                            phase=phase.name,
                        )
                    )
        return super().write(vals)

    @api.model
    def _read_hours(self, name, ids, *groupby):
        """Return the hours of parts of projects, in one query.

        :param str name: field to the part, and ``ids`` those of the parts
        :param groupby: more fields to group by
        :return: dict from tuples of part and more values to hours
        """
        to_hours = self.env["project.consultancy.pack"]._to_hours
        hours = defaultdict(float)
        for *group, uom, amount in self._read_group(
            [(name, "in", ids)],
            [name, *groupby, "product_uom_id"],
            ["unit_amount:sum"],
        ):
            hours[tuple(group)] += to_hours(amount, uom)
        return dict(hours)

    # Not on project_id: a change of the project computes both anew.
    @api.constrains("phase_id")
    def _check_phase(self):
        self._check_part("phase_id")

    @api.constrains("flow_id")
    def _check_flow(self):
        self._check_part("flow_id")

    def _check_part(self, name):
        """Check that the phase or the flow of time is one of its project.

        :param str name: the field to check
        """
        for line in self.sudo():  # phases are hidden from those who only log time
            part = line[name]
            if part and part.project_id != line.project_id:
                raise ValidationError(
                    self.env._(
                        "%(part)s belongs to another project than this time. Choose a "
                        "phase and a flow of %(project)s.",
                        part=part.name,
                        project=line.project_id.name or self.env._("its project"),
                    )
                )
