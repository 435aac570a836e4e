import math

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_date

# What decides how much of which pack a line takes.
PACK_FIELDS = {
    "date",
    "employee_id",
    "is_so_line_edited",
    "pack_id",
    "pack_write_off",
    "product_uom_id",
    "project_id",
    "so_line",
    "task_id",
    "unit_amount",
    "work_type_id",
    "write_off_reason",
}


class AccountAnalyticLine(models.Model):
    _inherit = "account.analytic.line"

    is_lifecycle = fields.Boolean(
        related="project_id.is_lifecycle", export_string_translation=False
    )
    pack_id = fields.Many2one(
        "project.consultancy.pack",
        string="Consultancy Pack",
        compute="_compute_pack_id",
        store=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The pack of prepaid hours that this time is deducted from: the oldest "
        "one with hours left.",
    )
    pack_remaining_hours = fields.Float(related="pack_id.remaining_hours")
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

    # What a pack still has to take, whatever the history of the project
    _uncovered_idx = models.Index(
        "(project_id) WHERE pack_id IS NULL AND project_id IS NOT NULL"
    )

    # ------------------------------------------------------------------
    # Which time is deducted, and from which pack
    # ------------------------------------------------------------------
    def _filter_deducted(self):
        """Return the lines that belong on a pack: the time of client projects.

        Time off, the company's internal project and templates are exempt.
        """
        projects = self.project_id.filtered(
            lambda project: project.is_lifecycle and not project.is_template
        )
        if not projects:
            return self.browse()
        project_ids = set((projects - self.company_id.internal_project_id)._ids)
        # These fields come with time off, which need not be installed
        time_off = {"holiday_id", "global_leave_id"} & self._fields.keys()
        return self.filtered(
            lambda line: (
                line.project_id.id in project_ids
                and not any(line[field] for field in time_off)
            )
        )

    @api.depends("project_id.is_lifecycle", "project_id.is_template")
    def _compute_pack_id(self):
        deducted = self._filter_deducted()
        (self - deducted).pack_id = False
        # A line keeps its pack, also when a new one is bought
        kept = deducted.filtered(
            lambda line: line.pack_id and line.pack_id.project_id == line.project_id
        )
        loose = deducted - kept
        packs = loose._choose_packs()
        for pack, lines in loose.grouped(packs.get).items():
            lines.pack_id = pack

    def _choose_packs(self):
        """Return the pack that each line is to be deducted from.

        The oldest pack that is valid on the date of the line and has hours left; when
        none has, the newest, which goes below zero. A line is never split.

        :return: dict from each line to a pack, empty where the project has none
        """
        Pack = self.env["project.consultancy.pack"]
        available = Pack._get_available(self.project_id._origin)
        left = {
            pack: pack.remaining_hours for packs in available.values() for pack in packs
        }
        result = {}
        for line in self.sorted("date"):
            packs = available.get(line.project_id._origin, Pack)
            valid = packs.filtered(lambda pack, line=line: pack._is_valid_on(line.date))
            pack = next((pack for pack in valid if left[pack] > 0), None)
            pack = pack or (valid or packs)[-1:]
            if pack and not line.pack_write_off:
                left[pack] -= Pack._to_hours(line.unit_amount, line.product_uom_id)
            result[line] = pack
        return result

    @api.depends("project_id", "task_id")
    def _compute_work_type_id(self):
        # A new line in a form follows its task until it is saved
        open_lines = self._filter_deducted().filtered(
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

    @api.depends("pack_id.sale_line_id", "pack_write_off")
    def _compute_so_line(self):
        # Time of client projects follows its pack, whatever task, sale line or rate
        deducted = self._filter_deducted()
        super(AccountAnalyticLine, self - deducted)._compute_so_line()
        for sale_line, lines in deducted._group_by_so_line().items():
            lines.so_line = sale_line

    def _group_by_so_line(self):
        """Group the lines by the sales order item that their pack was sold with.

        :return: dict from sales order item, which may be empty, to lines
        """
        nothing = self.env["sale.order.line"]
        return self.grouped(
            lambda line: nothing if line.pack_write_off else line.pack_id.sale_line_id
        )

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------
    @api.constrains("pack_id", "project_id")
    def _check_pack(self):
        # sudo: whoever logs time need not see packs
        lines = self.sudo()._filter_deducted()
        without_pack = lines.filtered(lambda line: not line.pack_id)
        available = (
            self.env["project.consultancy.pack"]._get_available(without_pack.project_id)
            if without_pack
            else {}
        )
        for line in lines:
            pack = line.pack_id
            if pack and (pack.project_id != line.project_id or pack.cancelled):
                line._raise_wrong_pack(pack)
            if line.project_id in available:
                raise ValidationError(
                    self.env._(
                        "All time of %s is deducted from its consultancy pack. A "
                        "manager can write time off, with a reason.",
                        line.project_id.name,
                    )
                )

    def _raise_wrong_pack(self, pack):
        raise ValidationError(
            self.env._(
                "The pack %(pack)s is not for %(project)s. Time is deducted from a "
                "pack of its own project.",
                pack=pack.name,
                project=self.project_id.name,
            )
        )

    @api.constrains("unit_amount", "project_id", "product_uom_id")
    def _check_hours(self):
        for line in self.sudo()._filter_deducted():  # sudo: see _check_pack
            if line.unit_amount < 0:
                raise ValidationError(
                    self.env._(
                        "%(hours)s hours cannot be logged on %(project)s. Time is "
                        "zero or more: correct or delete the line that is wrong.",
                        hours=line.unit_amount,
                        project=line.project_id.name,
                    )
                )
            self.env["project.consultancy.pack"]._to_hours(1, line.product_uom_id)

    @api.constrains("work_type_id", "project_id")
    def _check_work_type(self):
        for line in self.sudo()._filter_deducted():  # sudo: see _check_pack
            if not line.work_type_id:
                raise ValidationError(
                    self.env._(
                        "Time of %s needs a work type.", line.project_id.name
                    )
                )

    @api.constrains("pack_write_off", "write_off_reason")
    def _check_write_off_reason(self):
        for line in self:
            if line.pack_write_off and not (line.write_off_reason or "").strip():
                raise ValidationError(
                    self.env._(
                        "Say why this time is written off: the client sees it as not "
                        "deducted."
                    )
                )

    # ------------------------------------------------------------------
    # Create, write, delete
    # ------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        # An empty pack or work type is a question, not an answer
        vals_list = [
            {
                key: value
                for key, value in vals.items()
                if value or key not in ("pack_id", "work_type_id")
            }
            for vals in vals_list
        ]
        for vals in vals_list:
            self._check_is_number(vals)
        lines = super().create(vals_list)
        deducted = lines.sudo()._filter_deducted()  # sudo: see _check_pack
        if deducted:
            deducted.filtered("pack_write_off").sudo(self.env.su)._check_can_write_off()
            if any("pack_id" in vals for vals in vals_list):
                deducted.sudo(self.env.su)._check_can_choose_pack()
                for line, vals in zip(lines.sudo(), vals_list, strict=False):
                    pack = line.pack_id.browse(vals.get("pack_id"))
                    if pack and pack != line.pack_id:
                        line._raise_wrong_pack(pack)
            deducted._restore_so_line()
            # All that the lines tell goes into the UPDATE before the sum of their hours
            deducted._recompute_recordset()
            deducted._check_overrun({}, deducted)
            deducted._trigger_alerts()
        return lines

    def write(self, vals):
        if not PACK_FIELDS & vals.keys():
            return super().write(vals)
        lines_sudo = self.sudo()  # sudo: see _check_pack
        self._check_is_number(vals)
        former = lines_sudo._filter_deducted()
        written_off = former.filtered("pack_write_off")
        written_off.sudo(self.env.su)._check_can_write_off()
        remaining = {pack: pack.remaining_hours for pack in former.pack_id}
        packs = {line: line.pack_id for line in former}
        result = super().write(vals)
        deducted = lines_sudo._filter_deducted()
        if deducted or former:
            (deducted - written_off).filtered("pack_write_off").sudo(
                self.env.su
            )._check_can_write_off()
            moved = deducted.filtered(lambda line: line.pack_id != packs.get(line))
            if "pack_id" in vals:
                moved.sudo(self.env.su)._check_can_choose_pack()
            deducted._restore_so_line()
            deducted._check_overrun(remaining, deducted if "date" in vals else moved)
            deducted._trigger_alerts()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_written_off(self):
        self.filtered("pack_write_off")._check_can_write_off()

    def _check_is_number(self, vals):
        """Refuse what is no number of hours before it gets into a sum.

        :raise ValidationError: the hours are infinite or "not a number"
        """
        if not math.isfinite(vals.get("unit_amount") or 0):
            raise ValidationError(self.env._("Write the time spent as a number."))

    def _check_can_write_off(self):
        """Let only managers decide about time that is not deducted.

        :raise AccessError: the lines are written off and the user is no manager
        """
        if self and not (
            self.env.su or self.env.user.has_group("project.group_project_manager")
        ):
            raise AccessError(
                self.env._(
                    "Only project managers write time off, and change time that is "
                    "written off."
                )
            )

    def _check_can_choose_pack(self):
        """Let only managers move time between the packs of a project.

        :raise AccessError: the user is no manager
        """
        if self and not (
            self.env.su or self.env.user.has_group("project.group_project_manager")
        ):
            raise AccessError(
                self.env._(
                    "Which pack time is deducted from is not chosen by hand: it is "
                    "the oldest one with hours left."
                )
            )

    def _restore_so_line(self):
        """Make the sales order item follow the pack again, whatever was written."""
        for sale_line, lines in self._group_by_so_line().items():
            wrong = lines.filtered(
                lambda line, sale_line=sale_line: line.so_line != sale_line
            )
            if wrong:
                super(AccountAnalyticLine, wrong).write({"so_line": sale_line.id})

    def _check_overrun(self, former, moved):
        """Refuse time that the packs have no hours for, where the company wants it so.

        :param dict former: hours that packs had left before the change
        :param moved: the lines whose pack or date is new
        :raise ValidationError: nothing may be logged until the pack is renewed
        """
        for line in self.filtered(
            lambda line: (
                line.company_id.pack_overrun_policy == "block"
                and line.pack_id
                and not line.pack_write_off
            )
        ):
            pack = line.pack_id
            before = former.get(pack, pack.remaining_hours + line.unit_amount)
            if pack.remaining_hours < min(before, 0):
                raise ValidationError(
                    self.env._(
                        "%(pack)s of %(project)s has no hours left for this time: it "
                        "would be overrun by %(hours)s hours. Ask the salesperson to "
                        "renew the pack.",
                        pack=pack.name,
                        project=line.project_id.name,
                        hours=round(-pack.remaining_hours, 2),
                    )
                )
            if line in moved and not pack._is_valid_on(line.date):
                raise ValidationError(
                    self.env._(
                        "%(pack)s of %(project)s is not valid on %(date)s. Ask the "
                        "salesperson to renew the pack.",
                        pack=pack.name,
                        project=line.project_id.name,
                        date=format_date(self.env, line.date),
                    )
                )

    def _trigger_alerts(self):
        """Have people told soon, where the time gives reason to."""
        if any(pack._get_due_threshold() for pack in self.pack_id) or any(
            not line.pack_id and not line.project_id.is_uncovered_alerted
            for line in self
        ):
            self.env.ref("project_lifecycle.ir_cron_pack_alert")._trigger()

    # ------------------------------------------------------------------
    # Forms
    # ------------------------------------------------------------------
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
                hours=round(hours + others, 2),
                date=format_date(self.env, self.date),
            )
            return {"warning": {"title": self.env._("Long day"), "message": message}}
        pack = self.pack_id.sudo()  # sudo: see _check_pack
        own = self._origin.pack_id.sudo() == pack and self._origin.unit_amount or 0.0
        left = pack.remaining_hours + own - hours
        if pack and not self.pack_write_off and left < 0:
            message = self.env._(
                "The consultancy pack has no hours left for this: it is overrun by "
                "%s hours. Ask the salesperson to renew it.",
                round(-left, 2),
            )
            return {
                "warning": {"title": self.env._("Pack overrun"), "message": message}
            }
        return None
