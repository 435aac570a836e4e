from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tools import format_date, format_list

from ..lifecycle.project_lock import unlocked

# What says that data was there when its phase went live.
EVIDENCE_FIELDS = {
    "flow_id",
    "phase_id",
    "needed_to_start",
    "cleaned_on",
    "imported_on",
}


class ProjectDataImport(models.Model):
    """A set of data that the client brings. Only needed data is imported."""

    _name = "project.data.import"
    _description = "Data Import"
    _inherit = ["project.phase.part.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "project_id, needed_to_start desc, date_planned, id"

    name = fields.Char(
        string="Dataset",
        required=True,
        tracking=True,
        help="What is imported, as in: customers with their addresses.",
    )
    flow_id = fields.Many2one(
        "project.flow",
        string="Business Flow",
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        domain="[('project_id', '=?', project_id)]",
    )
    phase_id = fields.Many2one(
        compute="_compute_phase_id", store=True, readonly=False, precompute=True
    )
    needed_to_start = fields.Boolean(
        string="Needed to Start",
        tracking=True,
        help="The client cannot start to work without it. Data that is not needed to "
        "start is imported after the go-live.",
    )
    date_planned = fields.Date(string="Planned Import", copy=False, tracking=True)
    cleaned_on = fields.Date(
        string="Cleaned by the Client On",
        copy=False,
        tracking=True,
        help="Day on which the client handed the cleaned data over.",
    )
    imported_on = fields.Date(copy=False, tracking=True)
    row_count = fields.Integer(string="Rows", copy=False, tracking=True)
    state = fields.Selection(
        [
            ("to_clean", "To Clean"),
            ("cleaned", "Cleaned"),
            ("imported", "Imported"),
        ],
        compute="_compute_state",
        store=True,
        index=True,
        tracking=True,
        group_expand=True,
    )
    cleaning_task_id = fields.Many2one(
        "project.task",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The task with which the client cleans the data. Closing it says that the "
        "data is clean.",
    )
    description = fields.Html(string="Source and Format")

    _row_count_positive = models.Constraint(
        "CHECK (row_count >= 0)", "The number of rows cannot be negative."
    )

    @api.depends("flow_id")
    def _compute_project_id(self):
        result = super()._compute_project_id()
        for data in self:
            data.project_id = data.project_id or data.flow_id.project_id
        return result

    @api.depends("flow_id.phase_id")
    def _compute_phase_id(self):
        for data in self:
            data.phase_id = data.flow_id.phase_id or data.phase_id

    @api.depends("cleaned_on", "imported_on")
    def _compute_state(self):
        for data in self:
            if data.imported_on:
                data.state = "imported"
            else:
                data.state = "cleaned" if data.cleaned_on else "to_clean"

    @api.constrains("project_id", "flow_id", "cleaning_task_id")
    def _check_flow(self):
        self._check_same_project("flow_id", "cleaning_task_id")

    @api.constrains("needed_to_start", "imported_on", "phase_id")
    def _check_not_too_late(self):
        """What is needed to start cannot wait in a phase that has started to work."""
        for data in self:
            if (
                data.needed_to_start
                and not data.imported_on
                and data.phase_id.state in ("live", "complete")
            ):
                raise ValidationError(
                    self.env._(
                        "%(phase)s is live already: the data %(data)s cannot be needed "
                        "to start with it. Choose the next phase, or say that it is "
                        "not needed to start.",
                        phase=data.phase_id.name,
                        data=data.name,
                    )
                )

    @api.constrains("needed_to_start", "date_planned", "imported_on", "phase_id")
    def _check_planned_after_go_live(self):
        """Only data that is needed to start may be planned before the go-live.

        See methodology.md, section 3: only what is needed to start working.
        """
        for data in self:
            date = data.imported_on or data.date_planned
            if data.needed_to_start or not date:
                continue
            phase = data.phase_id
            go_live = phase.date_go_live_real or phase.date_go_live
            if not go_live:
                raise ValidationError(
                    self.env._(
                        "%(data)s is not needed to start: plan it after a go-live. "
                        "First choose a phase whose go-live is planned.",
                        data=data.name,
                    )
                )
            if date < go_live:
                raise ValidationError(
                    self.env._(
                        "%(data)s is not needed to start: it cannot be planned before "
                        "the go-live of %(phase)s on %(date)s. Choose a later day, or "
                        "say that it is needed to start.",
                        data=data.name,
                        phase=phase.name,
                        date=format_date(self.env, go_live),
                    )
                )

    @api.constrains("cleaned_on", "imported_on", "row_count", "needed_to_start")
    def _check_progress(self):
        # A day ahead: the client may be in a time zone where it is tomorrow already.
        today = fields.Date.add(fields.Date.today(), days=1)
        for data in self:
            if max(data.cleaned_on or today, data.imported_on or today) > today:
                raise ValidationError(
                    self.env._(
                        "%(data)s cannot have been cleaned or imported in the future. "
                        "Use the planned day for that.",
                        data=data.name,
                    )
                )
            if not data.imported_on:
                continue
            if not data.cleaned_on or data.cleaned_on > data.imported_on:
                raise ValidationError(
                    self.env._(
                        "%(data)s is imported after the client has cleaned it: enter "
                        "the day on which the cleaned data was handed over.",
                        data=data.name,
                    )
                )
            if not data.row_count:
                raise ValidationError(
                    self.env._(
                        "Say how many rows of %(data)s were imported.", data=data.name
                    )
                )
            if (
                not data.needed_to_start
                and data.phase_id
                and data.phase_id.state not in ("live", "complete")
            ):
                raise ValidationError(
                    self.env._(
                        "%(data)s is not needed to start: it is imported after "
                        "%(phase)s is live.",
                        data=data.name,
                        phase=data.phase_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        imports = super().create(vals_list)
        imports.filtered(
            lambda data: data.needed_to_start and not data.cleaned_on
        )._ask_cleaning()
        return imports

    def write(self, vals):
        self._check_values(vals)
        self._check_evidence(vals)
        result = super().write(vals)
        if vals.get("needed_to_start"):
            self.filtered(lambda data: not data.cleaned_on)._ask_cleaning()
        if vals.get("cleaned_on"):
            # sudo: the client's task goes with the data
            tasks = self.cleaning_task_id.sudo()
            tasks.filtered(lambda task: not task.is_closed).state = "1_done"
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_imported(self):
        if imported := self.filtered("imported_on"):
            raise UserError(
                self.env._(
                    "%s: what was imported into the client's database stays on record. "
                    "If it was never imported, empty the day of the import first.",
                    format_list(self.env, imported.mapped("name")),
                )
            )

    def _check_evidence(self, vals):
        """Check that nobody changes the data that a phase went live with.

        :raises UserError: that names the data and the phase
        """
        for data in self:
            state = data.phase_id.state
            if not data.imported_on or not (
                state == "complete" or (state == "live" and data.needed_to_start)
            ):
                continue
            for name in EVIDENCE_FIELDS & vals.keys():
                field = self._fields[name]
                if field.convert_to_cache(vals[name], data) != field.convert_to_cache(
                    data[name], data
                ):
                    raise UserError(
                        self.env._(
                            "%(phase)s went live with the data %(data)s: when and for "
                            "what it was imported stays on record. Create another data "
                            "import for what is imported now.",
                            phase=data.phase_id.name,
                            data=data.name,
                        )
                    )

    def _ask_cleaning(self):
        """Give the client the task to clean data that is needed to start.

        The client cleans its data while the consultant analyses: methodology.md,
        section 3. The SPOC follows the task and so finds it in the portal.
        """
        missing = self.filtered(lambda data: not data.cleaning_task_id)
        # sudo: the task goes with the data, which the user may plan
        tasks = (
            self.env["project.task"]
            .sudo()
            .create([data._prepare_cleaning_task_values() for data in missing])
        )
        for data, task in zip(missing, tasks, strict=True):
            unlocked(data).cleaning_task_id = task
            project = (
                data.project_id.sudo()
            )  # sudo: the client's contacts may be hidden
            if project.spoc_id and not project.is_template:
                task.message_subscribe(partner_ids=project.spoc_id.ids)

    def _prepare_cleaning_task_values(self):
        """Return the task for the client to clean this data."""
        self.ensure_one()
        work_type = self.env.ref(
            "project_lifecycle.work_type_data_import", raise_if_not_found=False
        )
        return {
            "name": self.env._("Clean the data: %s", self.name),
            "project_id": self.project_id.id,
            "phase_id": self.phase_id.id,
            "flow_id": self.flow_id.id,
            "is_client_task": True,
            "date_deadline": self.date_planned,
            "work_type_id": work_type and work_type.id,
            "user_ids": [Command.clear()],  # the client's, nobody's of the firm
        }

    def action_cleaned(self):
        """Note that the client has handed the cleaned data over today."""
        return self.filtered(lambda data: not data.cleaned_on).write(
            {"cleaned_on": fields.Date.context_today(self)}
        )
