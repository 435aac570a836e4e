import math
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..lifecycle.project_lock import is_manager, is_unlocked, unlocked

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
# Links to time off come from the app of this name, which need not be installed. Time
# off is logged on the internal project and never on that of a client.
TIME_OFF_FIELDS = ("holiday_id", "global_leave_id")
# More than anybody works: a slip, or meant to break the sums
MAX_HOURS = 1e5


class AccountAnalyticLine(models.Model):
    _inherit = "account.analytic.line"

    @api.constrains("pack_id", "project_id")
    def _check_pack(self):
        lines = self.sudo()  # sudo: whoever logs time need not see packs
        on_pack = lines._filter_on_pack()
        for line in lines.filtered("pack_id"):
            pack = line.pack_id
            if (
                line not in on_pack
                or pack.project_id != line.project_id
                or pack.cancelled
            ):
                line._raise_wrong_pack(pack)

    def _raise_wrong_pack(self, pack):
        raise ValidationError(
            self.env._(
                "The pack %(pack)s is not for %(project)s. Time is deducted from a "
                "pack of its own project.",
                pack=pack.name,
                project=self.project_id.name or self.env._("time without a project"),
            )
        )

    @api.constrains("unit_amount", "project_id", "product_uom_id")
    def _check_hours(self):
        for line in self.sudo()._filter_on_pack():  # sudo: see _check_pack
            if not 0 <= line.unit_amount <= MAX_HOURS:
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
        for line in self.sudo()._filter_on_pack():  # sudo: see _check_pack
            if not line.work_type_id:
                raise ValidationError(
                    self.env._("Time of %s needs a work type.", line.project_id.name)
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
            self._check_values(vals)
        is_chosen = "default_pack_id" in self.env.context or any(
            "pack_id" in vals for vals in vals_list
        )
        if is_chosen:
            self._check_can_choose_pack()
        self._read_hours_left(vals_list)
        lines = super().create(vals_list)
        lines_sudo = lines.sudo()  # sudo: see _check_pack
        on_pack_sudo = lines_sudo._filter_on_pack()
        lines._check_can_write_off(
            lines_sudo.filtered(
                lambda line: line.pack_write_off or line.write_off_reason
            )
        )
        if is_chosen:
            on_pack_sudo._check_chosen_packs()
        if on_pack_sudo:
            on_pack_sudo._note_write_off()
            on_pack_sudo._drop_time_off()
        lines_sudo._restore_so_line(on_pack_sudo)
        # All that the lines tell goes into the UPDATE before the sum of their hours
        on_pack_sudo._recompute_recordset()
        on_pack_sudo._trigger_alerts()
        return lines

    def write(self, vals):
        if not (PACK_FIELDS | set(TIME_OFF_FIELDS)) & vals.keys():
            return super().write(vals)
        self._check_values(vals)
        lines_sudo = self.sudo()  # sudo: see _check_pack
        former = lines_sudo._filter_on_pack()
        written_off = lines_sudo.filtered("pack_write_off")
        self._check_can_write_off(written_off)
        if "write_off_reason" in vals:
            reason = vals["write_off_reason"] or False
            self._check_can_write_off(
                lines_sudo.filtered(lambda line: line.write_off_reason != reason)
            )
        packs = {line: line.pack_id for line in lines_sudo}
        if "pack_id" in vals and any(
            pack.id != (vals["pack_id"] or False) for pack in packs.values()
        ):
            self._check_can_choose_pack()
        blocking = former.pack_id.browse()
        if not is_unlocked(self.env):  # our own code moves what is logged already
            blocking = former.pack_id
            if isinstance(vals.get("pack_id"), int):
                blocking |= blocking.browse(vals["pack_id"]).exists()
            blocking = blocking._lock_if_blocking(lines_sudo)
        unseen = blocking._get_unseen_hours()
        before = {pack: pack.remaining_hours - unseen[pack] for pack in blocking}
        result = super().write(vals)
        on_pack = lines_sudo._filter_on_pack()
        if not (on_pack or former):
            lines_sudo._restore_so_line(on_pack)
            return result
        still = lines_sudo.filtered("pack_write_off")
        self._check_can_write_off(still - written_off)
        ((still - written_off) | (written_off - still))._note_write_off()
        moved = on_pack.filtered(lambda line: line.pack_id != packs[line])
        on_pack._drop_time_off()
        if not is_unlocked(self.env):
            on_pack._heal(is_emptied="pack_id" in vals)
        lines_sudo._restore_so_line(on_pack)
        for pack in blocking:
            pack._check_not_overrun(before[pack], pack.remaining_hours - unseen[pack])
        for line in (on_pack if "date" in vals else moved).filtered("is_deducted"):
            if line.pack_id in blocking:
                line.pack_id._check_valid_on(line.date)
        (former | on_pack)._trigger_alerts()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_written_off(self):
        self._check_can_write_off(self.filtered("pack_write_off"))

    @api.model
    def _read_hours_left(self, vals_list):
        """Read what the packs have left before there are lines to write for it."""
        # sudo: see _check_pack
        tasks = self.env["project.task"].sudo()
        task_ids, project_ids = (
            {vals[name] for vals in vals_list if isinstance(vals.get(name), int)}
            for name in ("task_id", "project_id")
        )
        tasks = tasks.browse(task_ids)
        projects = tasks.project_id | tasks.project_id.browse(project_ids)
        if projects := projects.filtered("is_lifecycle"):
            for packs in (
                tasks.env["project.consultancy.pack"]._get_available(projects).values()
            ):
                packs.mapped("remaining_hours")

    def _check_values(self, vals):
        """Refuse values that no sum and no database can hold.

        :raises ValidationError: the hours are not a number, or a text is broken
        """
        if vals.get("unit_amount"):
            try:
                amount = float(vals["unit_amount"])
            except (TypeError, ValueError, OverflowError):
                amount = math.nan
            if not abs(amount) <= 1e9:
                raise ValidationError(
                    self.env._("Write the time spent as a number of hours.")
                )
        if "\0" in str(vals.get("write_off_reason") or ""):
            raise ValidationError(
                self.env._("The reason contains a character that cannot be stored.")
            )

    @api.model
    def _check_can_write_off(self, lines):
        """Let only managers decide about time that is not deducted.

        :param lines: the lines that are written off
        :raises AccessError: there are any and the user is not a manager
        """
        if lines and not is_manager(self.env):
            raise AccessError(
                self.env._(
                    "Only project managers write time off, and change time that is "
                    "written off."
                )
            )

    @api.model
    def _check_can_choose_pack(self):
        """Let only managers move time between the packs of a project.

        :raises AccessError: the user is not a manager
        """
        if not is_manager(self.env):
            raise AccessError(
                self.env._(
                    "Which pack time is deducted from is not chosen by hand: it is "
                    "the oldest one with hours left."
                )
            )

    def _check_chosen_packs(self):
        """Apply the policy about overruns to new lines whose pack was chosen by hand.

        :raises ValidationError: the policy refuses time that no hours are left for
        """
        deducted = self.filtered("is_deducted")
        blocking = deducted.pack_id._lock_if_blocking(self)
        unseen = blocking._get_unseen_hours()
        for pack, lines in deducted.grouped("pack_id").items():
            if pack in blocking:
                hours = sum(
                    pack._to_hours(line.unit_amount, line.product_uom_id)
                    for line in lines
                )
                left = pack.remaining_hours - unseen[pack]
                pack._check_not_overrun(left + hours, left)
                for line in lines:
                    pack._check_valid_on(line.date)

    def _note_write_off(self):
        """Note who wrote time off and when, or that nobody does any longer."""
        written_off = self.filtered("pack_write_off")
        if written_off:
            unlocked(written_off).write(
                {
                    "write_off_user_id": self.env.uid,
                    "write_off_date": fields.Datetime.now(),
                }
            )
        taken_back = (self - written_off).filtered("write_off_user_id")
        if taken_back:
            unlocked(taken_back).write(
                {
                    "write_off_user_id": False,
                    "write_off_date": False,
                    "write_off_reason": False,
                }
            )

    def _drop_time_off(self):
        """Empty links to time off: time on a client project is none."""
        for name in TIME_OFF_FIELDS:
            if name in self._fields and (lines := self.filtered(name)):
                lines[name] = False

    def _heal(self, is_emptied):
        """Give lines a pack that have none although there is one by now.

        :param bool is_emptied: somebody took the pack away just now
        :raises ValidationError: time of client projects is deducted
        """
        without = self.filtered(lambda line: not line.pack_id)
        if not without:
            return
        packs = self.env["project.consultancy.pack"]._get_available(without.project_id)
        for line in without:
            if is_emptied and line.project_id in packs:
                raise ValidationError(
                    self.env._(
                        "All time of %s is deducted from its consultancy pack. A "
                        "manager can write time off, with a reason.",
                        line.project_id.name,
                    )
                )
        if packs:
            without.project_id._cover_time()

    def _restore_so_line(self, on_pack):
        """Make the sales order item follow the pack again, whatever was written.

        :param on_pack: those of the lines that belong on a pack
        """
        wrong = defaultdict(self.browse)
        for sale_line, lines in on_pack._group_by_so_line().items():
            wrong[sale_line] |= lines.filtered(
                lambda line, sale_line=sale_line: line.so_line != sale_line
            )
        nothing = self.env["sale.order.line"]
        wrong[nothing] |= (self - on_pack)._filter_on_foreign_pack()
        for sale_line, lines in wrong.items():
            if lines:
                lines.write({"so_line": sale_line.id})

    def _trigger_alerts(self):
        """Have people told soon, where the time gives reason to."""
        if any(
            pack._is_alert_due()
            for pack in self.pack_id
            if not pack.cancelled and pack.project_id
        ) or any(
            line.is_deducted
            and not line.pack_id
            and not line.project_id.is_uncovered_alerted
            for line in self
        ):
            self.env.ref("project_lifecycle.ir_cron_pack_alert")._trigger()
