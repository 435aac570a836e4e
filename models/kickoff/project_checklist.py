from collections import defaultdict

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tools import SQL

from ..lifecycle.project_lock import unlocked
from ..lifecycle.words import says_something
from .project_checklist_item import without_nul


class ProjectChecklist(models.Model):
    _name = "project.checklist"
    _description = "Checklist"
    _inherit = [
        "project.part.mixin",
        "project.internal.thread",
        "mail.activity.mixin",
    ]
    _order = "project_id, id"
    _rec_name = "name"

    name = fields.Char(required=True, readonly=True)
    project_id = fields.Many2one(readonly=True)
    kind = fields.Selection("_selection_kind", required=True, readonly=True)
    user_id = fields.Many2one(related="project_id.user_id", string="Consultant")
    salesperson_id = fields.Many2one(related="project_id.salesperson_id")
    item_ids = fields.One2many(
        "project.checklist.item", "checklist_id", string="Points"
    )
    event_ids = fields.One2many(
        "calendar.event",
        "checklist_id",
        string="Meetings",
        readonly=True,
        help="The meetings that work off this checklist.",
    )
    state = fields.Selection(
        [
            ("in_progress", "In Progress"),
            ("blocked", "Blocked"),
            ("settled", "Settled"),
        ],
        compute="_compute_state",
        store=True,
        index=True,
        help="Settled: every mandatory point was discussed, questions were answered in "
        "writing and nothing is blocked. The hand-over needs the SPOC's profile too.",
    )
    progress = fields.Float(
        compute="_compute_state",
        store=True,
        aggregator="avg",
        help="Share of the points that are settled, in percent.",
    )
    missing = fields.Text(
        compute="_compute_missing",
        help="What the checklist needs before it is settled.",
    )
    kickoff_hours = fields.Float(related="project_id.kickoff_hours")
    kickoff_share = fields.Float(related="project_id.kickoff_share")
    is_kickoff_share_off = fields.Boolean(related="project_id.is_kickoff_share_off")
    spoc_id = fields.Many2one(
        "res.partner",
        string="SPOC",
        compute="_compute_spoc_profile",
        inverse="_inverse_spoc_id",
        compute_sudo=True,
    )
    spoc_it_affinity = fields.Selection(
        selection=lambda self: self.env["project.project"]
        ._fields["spoc_it_affinity"]
        ._description_selection(self.env),
        string="Ease with Computers",
        compute="_compute_spoc_profile",
        inverse="_inverse_spoc_it_affinity",
        compute_sudo=True,
    )
    spoc_communication = fields.Text(
        string="Way of Communicating",
        compute="_compute_spoc_profile",
        inverse="_inverse_spoc_communication",
        compute_sudo=True,
    )

    _project_kind_uniq = models.UniqueIndex(
        "(project_id, kind)", "The project has this checklist already."
    )

    @api.model
    def _selection_kind(self):
        field = self.env["project.checklist.template"]._fields["kind"]
        return field._description_selection(self.env)

    @api.depends(
        "kind",
        "item_ids.state",
        "item_ids.is_settled",
        "item_ids.is_mandatory",
        "project_id.spoc_it_affinity",
        "project_id.spoc_communication",
    )
    def _compute_state(self):
        for checklist in self:
            items = checklist.item_ids
            settled = items.filtered("is_settled")
            if any(item.state == "blocked" for item in items):
                checklist.state = "blocked"
            elif (
                not settled
                or any(item.is_mandatory for item in items - settled)
                or not checklist._is_profile_complete()
            ):
                checklist.state = "in_progress"
            else:
                checklist.state = "settled"
            checklist.progress = 100 * len(settled) / len(items) if items else 0

    @api.depends("state")
    def _compute_missing(self):
        for checklist in self:
            missing = []
            if blocked := checklist.item_ids.filtered(lambda i: i.state == "blocked"):
                missing.append(self.env._("Blocked points: %s", len(blocked)))
            mandatory = checklist.item_ids.filtered(
                lambda i: i.is_mandatory and not i.is_settled and i.state != "blocked"
            )
            unanswered = mandatory.filtered(lambda i: i.state != "to_discuss")
            if mandatory - unanswered:
                missing.append(
                    self.env._(
                        "Mandatory points to discuss: %s", len(mandatory - unanswered)
                    )
                )
            if unanswered:
                missing.append(
                    self.env._(
                        "Points that need a written answer: %s",
                        ", ".join(unanswered.mapped("name")),
                    )
                )
            if not checklist._is_profile_complete():
                missing.append(
                    self.env._(
                        "The SPOC's profile: ease with computers and way of "
                        "communicating"
                    )
                )
            checklist.missing = checklist.state != "settled" and "\n".join(missing)

    def _is_profile_complete(self):
        """Return whether the SPOC's profile is known, where the hand-over tells it."""
        self.ensure_one()
        return self.kind != "internal_kickoff" or bool(
            self.spoc_it_affinity and says_something(self.spoc_communication)
        )

    @api.depends(
        "project_id.spoc_id",
        "project_id.spoc_it_affinity",
        "project_id.spoc_communication",
    )
    def _compute_spoc_profile(self):
        for checklist in self:
            checklist.spoc_id = checklist.project_id.spoc_id
            checklist.spoc_it_affinity = checklist.project_id.spoc_it_affinity
            checklist.spoc_communication = checklist.project_id.spoc_communication

    def _inverse_spoc_id(self):
        self._write_project("spoc_id")

    def _inverse_spoc_it_affinity(self):
        self._write_project("spoc_it_affinity")

    def _inverse_spoc_communication(self):
        self._write_project("spoc_communication")

    def _write_project(self, field):
        """Write what the hand-over tells about the SPOC onto the project.

        The salesperson may not change projects, but answers the hand-over.

        :raises AccessError: the user may not change the checklist, or the internal
            kick-off is over for a salesperson
        """
        self.check_access("write")
        for checklist in self:
            project = checklist.project_id
            if project.sudo()[field] == checklist[field]:
                continue
            if not project.has_access("write") and (
                checklist.kind != "internal_kickoff"
                or project.sudo().lifecycle_stage != "internal_kickoff"
            ):
                raise AccessError(
                    self.env._(
                        "The hand-over of %s is over. Tell the consultant what has "
                        "changed.",
                        project.sudo().name,
                    )
                )
            # sudo: checked above
            project.sudo().write(without_nul({field: checklist[field]}))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_worked_off(self):
        for item in self.sudo().item_ids:  # sudo: all points count
            if item.state != "to_discuss" or item.acknowledged_on:
                raise UserError(
                    self.env._(
                        "The checklist %s was worked on and stays with its project.",
                        item.checklist_id.name,
                    )
                )

    @api.model
    def _create_for(self, projects_by_kind):
        """Make the checklists that projects do not have yet, from the templates.

        The texts are in the client's language where the client sees them, else in that
        of the consultant. Later changes of a template do not touch the checklist.

        :param dict projects_by_kind: projects (sudo) by kind of checklist
        :return: the checklists made
        :raises ConcurrencyError: somebody else is making them; Odoo tries again
        """
        projects = self.env["project.project"].union(*projects_by_kind.values())
        existing = defaultdict(self.browse)
        for checklist in self.search(
            [
                ("project_id", "in", projects.ids),
                ("kind", "in", list(projects_by_kind)),
            ]
        ):
            existing[checklist.project_id.id, checklist.kind] |= checklist
        templates = self.env["project.checklist.template"]._get_templates(
            projects_by_kind, projects.company_id
        )
        vals_list = []
        sources = []
        for kind, kind_projects in projects_by_kind.items():
            for project in kind_projects:
                template = templates.get((kind, project.company_id))
                key = project._get_checklist_key(kind)
                if not template or existing[project.id, kind].filtered_domain(
                    [(name, "=", value) for name, value in key.items()]
                ):
                    continue
                lang = project._get_checklist_lang(kind)
                sources.append((template, lang))
                vals_list.append(
                    {
                        "name": template.with_context(lang=lang).name,
                        "project_id": project.id,
                        "kind": kind,
                        **key,
                    }
                )
        try:
            checklists = (
                unlocked(self)
                .with_context(mail_create_nolog=True, mail_create_nosubscribe=True)
                .create(vals_list)
            )
        except psycopg2.errors.UniqueViolation as error:
            raise ConcurrencyError(
                self.env._("Somebody else is opening the same checklist. Try again.")
            ) from error
        checklists = checklists.with_env(self.env)
        checklists._insert_items(sources)
        return checklists

    def _insert_items(self, sources):
        """Put the points of their templates into new checklists, in one query.

        By SQL: the ORM inserts a hundred rows at a time, and a hundred projects that
        enter the kick-off together have thousands of points.

        :param sources: list of (template, language), one for each checklist
        """
        if not self:
            return
        self.flush_recordset()
        self.env["project.checklist.template.item"].flush_model()
        self.env.cr.execute(
            SQL(
                """
            INSERT INTO project_checklist_item (
                checklist_id, project_id, sequence, section, name, explanation,
                responsible, is_mandatory, is_blocking_if_refused, needs_answer,
                is_client_visible, code, state, is_settled, progress,
                create_uid, create_date, write_uid, write_date
            )
            SELECT checklist.id, checklist.project_id, item.sequence,
                   COALESCE(item.section->>source.lang, item.section->>'en_US'),
                   COALESCE(item.name->>source.lang, item.name->>'en_US'),
                   COALESCE(item.explanation->>source.lang, item.explanation->>'en_US'),
                   item.responsible, item.is_mandatory, item.is_blocking_if_refused,
                   item.needs_answer, item.is_client_visible, item.code,
                   'to_discuss', FALSE, 0, %(uid)s, %(now)s, %(uid)s, %(now)s
              FROM UNNEST(
                       %(checklists)s::int[], %(templates)s::int[], %(langs)s::varchar[]
                   ) AS source(checklist_id, template_id, lang)
              JOIN project_checklist checklist ON checklist.id = source.checklist_id
              JOIN project_checklist_template_item item
                ON item.template_id = source.template_id
          ORDER BY checklist.id, item.sequence, item.id
                """,
                checklists=self.ids,
                templates=[template.id for template, _lang in sources],
                langs=[lang for _template, lang in sources],
                uid=self.env.uid,
                now=fields.Datetime.now(),
            )
        )
        self.invalidate_recordset(["item_ids"])

    def action_view_items(self):
        """Open the points of the checklist as a list by section, to work them off."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "project_lifecycle.project_checklist_item_action"
        ) | {
            "name": self.name,
            "domain": [("checklist_id", "=", self.id)],
            "context": {
                "default_checklist_id": self.id,
                "search_default_groupby_section": 1,
            },
        }
