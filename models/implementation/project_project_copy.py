from odoo import models

from ..lifecycle.project_lock import unlocked


class PhaseCopies:
    """Which phases and flows of a project became which in a copy of it.

    It travels in the context to the tasks, which RPC clients cannot fill with it.
    """

    def __init__(self, source, project):
        self.source = source
        self.project = project
        self.phase_id = {False: False}
        self.flow_id = {False: False}
        # Tasks of what is not copied, or that the copies get anew
        self.left_out = set()

    @classmethod
    def of(cls, env):
        """Return what the context carries of it, or None."""
        copies = env.context.get("implementation_copies")
        return copies if isinstance(copies, cls) else None

    def fill_task(self, task, vals, default):
        """Put the copy of a task into the copies of its phase and flow."""
        if task.project_id != self.source:
            return
        if vals.get("project_id") == self.source.id:
            vals["project_id"] = self.project.id  # sub-tasks keep the one of old
        for name in ("phase_id", "flow_id"):
            if name in vals and not default.get(name):
                vals[name] = getattr(self, name).get(task[name].id, False)
        if "child_ids" in vals and "child_ids" not in default:
            vals["child_ids"] = [
                command
                for child, command in zip(
                    task.child_ids, vals["child_ids"], strict=True
                )
                if child.id not in self.left_out
            ]


class ProjectProject(models.Model):
    _inherit = "project.project"

    def copy(self, default=None):
        if len(self) > 1 and self.filtered("is_lifecycle"):
            # Stock Odoo would give each copy the milestones of all of them.
            copies = [project.copy(default) for project in self]
            return self.browse().concat(*copies)
        if self.is_lifecycle and "milestone_mapping" not in self.env.context:
            self = self.with_context(milestone_mapping={})
        copies = super().copy(default)
        if self.is_lifecycle and "tasks" in (default or {}):
            self._copy_phases(copies)  # stock Odoo copies no tasks then
        return copies

    def map_tasks(self, new_project_id):
        if not self.is_lifecycle:
            return super().map_tasks(new_project_id)
        copies = self._copy_phases(self.browse(new_project_id))
        return super(
            ProjectProject, self.with_context(implementation_copies=copies)
        ).map_tasks(new_project_id)

    def _copy_phases(self, project):
        """Plan the phases of this project anew in a copy of it.

        Phases, flows and data imports are planned again, and nothing of what happened
        in them. Development requests are the client's own and stay.

        :param project: the copy, which has copies of the milestones already
        :return: :class:`PhaseCopies`, for the tasks
        """
        self.ensure_one()
        copies = PhaseCopies(self, project)
        milestones = self.env.context.get("milestone_mapping") or {}
        self._plan_copies(
            self.phase_ids,
            copies.phase_id,
            lambda phase: {
                "project_id": project.id,
                "milestone_id": milestones.get(phase.milestone_id.id),
            },
        )
        # In one query: long texts are not read together with others
        self.flow_ids.fetch(["as_is", "to_be", "requirements", "delicate_points"])
        self._plan_copies(
            self.flow_ids,
            copies.flow_id,
            lambda flow: {
                "project_id": project.id,
                "phase_id": copies.phase_id.get(flow.phase_id.id),
                "user_id": project.user_id.id,
                "template_id": flow.template_id.id,
            },
        )
        self._plan_copies(
            self.import_ids,
            {},
            lambda data: {
                "project_id": project.id,
                "phase_id": copies.phase_id.get(data.phase_id.id),
                "flow_id": copies.flow_id.get(data.flow_id.id),
            },
        )
        self._copy_phases_of_scope(project, copies)
        # sudo: only to know which tasks they have
        copies.left_out.update(self.sudo().import_ids.cleaning_task_id.ids)
        copies.left_out.update(self.sudo().development_ids.task_id.ids)
        return copies

    def _plan_copies(self, parts, mapping, get_values):
        """Create the copies of parts of this project, all at once.

        :param parts: the records to copy
        :param dict mapping: filled with the ids of the copies by those of the parts
        :param get_values: function that returns what is different in a copy
        """
        vals_list = parts.with_context(copy_project=True).copy_data()
        copied = unlocked(parts.browse()).create(
            [
                vals | get_values(part)
                for part, vals in zip(parts, vals_list, strict=True)
            ]
        )
        mapping.update(zip(parts.ids, copied.ids, strict=True))

    def _copy_phases_of_scope(self, project, copies):
        """Say which phases bring what is in the scope of a copy."""
        waiting = project.scope_line_ids.sorted("id")
        by_phase = {}
        for line in self.scope_line_ids.sorted("id"):
            copied = waiting.filtered(
                lambda new, line=line: new.application_id == line.application_id
            )[:1]
            waiting -= copied
            if copied and line.phase_id:
                phase_id = copies.phase_id.get(line.phase_id.id)
                by_phase[phase_id] = by_phase.get(phase_id, copied) | copied
        for phase_id, lines in by_phase.items():
            lines.phase_id = phase_id
