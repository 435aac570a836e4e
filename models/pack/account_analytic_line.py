from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date, format_duration
from odoo.tools.sql import column_exists, create_column


class AccountAnalyticLine(models.Model):
    _name = "account.analytic.line"
    _inherit = ["account.analytic.line", "project.lock.mixin"]

    is_lifecycle = fields.Boolean(
        related="project_id.is_lifecycle", export_string_translation=False
    )
    pack_id = fields.Many2one(
        "project.consultancy.pack",
        string="Consultancy Pack",
        compute="_compute_pack_id",
        store=True,
        readonly=False,  # managers move time between the packs of a project
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The pack of prepaid hours that this time is deducted from: the oldest "
        "one with hours left.",
    )
    pack_remaining_hours = fields.Float(related="pack_id.remaining_hours")
    is_deducted = fields.Boolean(
        string="Deducted",
        compute="_compute_is_deducted",
        store=True,
        help="This time takes hours from the consultancy packs of its project, now or "
        "as soon as there is a pack.",
    )
    is_invoiced_before = fields.Boolean(
        string="Invoiced Before",
        copy=False,
        readonly=True,
        help="The client paid this time by an invoice before the project became a "
        "client project, so it is not deducted again.",
    )
    work_type_id = fields.Many2one(
        "project.work.type",
        compute="_compute_work_type_id",
        store=True,
        readonly=False,
        ondelete="restrict",
        index="btree_not_null",
    )
    pack_write_off = fields.Boolean(
        string="Written Off",
        copy=False,
        help="The client sees this time, but it is not deducted from the pack.",
    )
    write_off_reason = fields.Char(copy=False)
    write_off_user_id = fields.Many2one(
        "res.users", string="Written Off By", readonly=True, copy=False
    )
    write_off_date = fields.Datetime(string="Written Off On", readonly=True, copy=False)

    # The hours of a pack are summed when they are shown, from the index alone
    _deducted_idx = models.Index(
        "(pack_id) INCLUDE (unit_amount, product_uom_id) WHERE is_deducted"
    )
    # What a pack still has to take, whatever the history of the project
    _uncovered_idx = models.Index(
        "(project_id) INCLUDE (unit_amount, product_uom_id)"
        " WHERE is_deducted AND pack_id IS NULL"
    )
    _written_off_idx = models.Index("(pack_id) WHERE pack_write_off")

    def _auto_init(self):
        # No client projects yet at the installation: nothing to compute for old time
        for name, column_type in (
            ("pack_id", "int4"),
            ("is_deducted", "bool"),
            ("work_type_id", "int4"),
        ):
            if not column_exists(self.env.cr, self._table, name):
                create_column(self.env.cr, self._table, name, column_type)
        return super()._auto_init()

    # Which time is deducted, and from which pack

    def _filter_on_pack(self):
        """Return the lines that belong on a pack: the time of client projects.

        Exempt are the company's internal project, where time off is logged, project
        templates and what was invoiced before a project became a client project. Time
        that is written off stays on its pack, see ``is_deducted``.
        """
        projects = self.project_id.filtered(
            lambda project: project.is_lifecycle and not project.is_template
        )
        if not projects:
            return self.browse()
        project_ids = set((projects - self.company_id.internal_project_id)._ids)
        return self.filtered(
            lambda line: (
                line.project_id.id in project_ids and not line.is_invoiced_before
            )
        )

    @api.depends(
        "project_id.is_lifecycle",
        "project_id.is_template",
        "is_invoiced_before",
        "pack_write_off",
    )
    def _compute_is_deducted(self):
        on_pack = self._filter_on_pack()
        (self - on_pack).is_deducted = False
        for line in on_pack:
            line.is_deducted = not line.pack_write_off

    @api.depends(
        "date",
        "project_id.is_lifecycle",
        "project_id.is_template",
        "is_invoiced_before",
    )
    def _compute_pack_id(self):
        on_pack = self._filter_on_pack()
        former = self.sudo().pack_id  # sudo: whoever logs time need not see packs
        (self - on_pack).pack_id = False
        # A line keeps its pack while that is valid, also when a new one is bought
        kept = on_pack.filtered(
            lambda line: (
                line.pack_id.project_id == line.project_id
                and line.pack_id
                and not line.pack_id.cancelled
                and line.pack_id._is_valid_on(line.date)
            )
        )
        loose = on_pack - kept
        chosen = loose._choose_packs()
        for pack, lines in loose.grouped(chosen.get).items():
            lines.pack_id = pack
        # What was read to choose among them was true before
        if loose:
            former.union(*chosen.values()).modified(["purchased_hours"])

    def _choose_packs(self, check_overrun=True):
        """Return the pack that each line is to be deducted from.

        The oldest pack that is valid on the date of the line and has hours left; when
        none has, the newest, which goes below zero. A line is never split.

        :param bool check_overrun: apply the company's policy about overruns
        :return: dict from each line to a pack, empty where the project has none
        :raises ValidationError: the policy refuses time that no hours are left for
        """
        Pack = self.env["project.consultancy.pack"]
        available = Pack._get_available(self.project_id._origin)
        packs = Pack.union(*available.values())
        blocking = Pack
        if check_overrun and any(self._ids):  # not while a form is filled in
            blocking = packs._lock_if_blocking(self)
        unseen = blocking._get_unseen_hours()
        before = {pack: pack.remaining_hours - unseen.get(pack, 0) for pack in packs}
        left = dict(before)
        result = {}
        for line in self.sorted("date"):
            packs = available.get(line.project_id._origin, Pack)
            valid = packs.filtered(lambda pack, line=line: pack._is_valid_on(line.date))
            pack = next((pack for pack in valid if left[pack] > 0), None)
            pack = pack or (valid or packs)[-1:]
            if pack and not line.pack_write_off:
                left[pack] -= Pack._to_hours(line.unit_amount, line.product_uom_id)
            result[line] = pack
            if pack in blocking and not line.pack_write_off:
                pack._check_not_overrun(before[pack], left[pack])
                pack._check_valid_on(line.date)
        return result

    @api.depends("project_id", "task_id")
    def _compute_work_type_id(self):
        # A new line in a form follows its task until it is saved
        open_lines = self._filter_on_pack().filtered(
            lambda line: not line.work_type_id or not line._origin
        )
        Stage = self.env["project.project.stage"]
        for (task, stage), lines in open_lines.grouped(
            lambda line: (line.task_id, line.project_id.stage_id)
        ).items():
            lines.work_type_id = (
                task.work_type_id.id
                or Stage._get_work_type_id(stage.id)
                or self.env.ref("project_lifecycle.work_type_project_management").id
            )

    @api.depends("pack_id.sale_line_id", "is_deducted")
    def _compute_so_line(self):
        # Time of client projects follows its pack, whatever task, sale line or rate
        on_pack = self._filter_on_pack()
        for sale_line, lines in on_pack._group_by_so_line().items():
            lines.so_line = sale_line
        others = self - on_pack
        result = super(AccountAnalyticLine, others)._compute_so_line()
        others._filter_on_foreign_pack().so_line = False
        return result

    def _group_by_so_line(self):
        """Group the lines by the sales order item that their pack was sold with.

        :return: dict from sales order item, which may be empty, to lines
        """
        nothing = self.env["sale.order.line"]
        return self.grouped(
            lambda line: line.pack_id.sale_line_id if line.is_deducted else nothing
        )

    def _filter_on_foreign_pack(self):
        """Return the lines, not of a pack, that take hours which a pack was sold with.

        Order and pack would tell different hours.
        """
        return self.filtered(
            lambda line: (
                line.so_line.product_id.is_consultancy_pack
                # sudo: whoever logs time need not see packs
                and line.so_line.sudo().pack_ids
            )
        )

    def _get_hours_not_deducted(self):
        """Return the hours that the client sees, but that no pack is charged with."""
        lines = self.filtered(lambda line: line.is_lifecycle and not line.is_deducted)
        return sum(lines.mapped("unit_amount"))

    # Forms

    @api.onchange("unit_amount", "date", "employee_id", "project_id")
    def _onchange_hours(self):
        """Warn about more than a day's hours, and about hours that nobody bought."""
        if not self.is_lifecycle or not self.unit_amount:
            return None
        Pack = self.env["project.consultancy.pack"]
        hours = Pack._to_hours(self.unit_amount, self.product_uom_id)
        # sudo: the sum of a day counts, also of projects that the user does not see
        [[others]] = self.sudo()._read_group(
            Domain("employee_id", "=", self.employee_id.id)
            & Domain("date", "=", self.date)
            & Domain("project_id", "!=", False)
            & Domain("id", "!=", self._origin.id),
            aggregates=["unit_amount:sum"],
        )
        if hours + others > 24:
            message = self.env._(
                "%(employee)s would have %(hours)s hours on %(date)s.",
                employee=self.employee_id.name or self.env.user.name,
                hours=format_duration(hours + others),
                date=format_date(self.env, self.date),
            )
            return {"warning": {"title": self.env._("Long day"), "message": message}}
        pack = self.pack_id.sudo()  # sudo: whoever logs time need not see packs
        own = 0.0
        if self._origin.pack_id.sudo() == pack and self._origin.is_deducted:
            own = Pack._to_hours(self._origin.unit_amount, self._origin.product_uom_id)
        left = pack.remaining_hours + own - hours
        if pack and not self.pack_write_off and left < 0:
            message = self.env._(
                "The consultancy pack has no hours left for this: it is overrun by "
                "%s hours. Ask the salesperson to renew it.",
                format_duration(-left),
            )
            return {
                "warning": {"title": self.env._("Pack overrun"), "message": message}
            }
        return None
