import psycopg2

from odoo import api, models
from odoo.tools import float_compare, plaintext2html

from ..lifecycle.project_lock import unlocked
from .project_project_feasibility import (
    FINDING_KEYS,
    FINDING_TOLERANCES,
    FLEETING_KEYS,
)
from .project_risk import UNANSWERED_STATES


class ProjectRisk(models.Model):
    """Risks that the addon raises by itself, and whom it tells about risks."""

    _inherit = "project.risk"

    @api.model
    def _raise_risks(self, vals_list):
        """Raise risks once per project and key, in one batch.

        What is there already stays as it is, above all what was answered.

        :param vals_list: list of dicts with at least ``project_id``, ``key``, ``name``,
            ``origin``, ``type`` and ``severity``
        :return: the risks (sudo), new and known, in the order of ``vals_list``
        """
        # sudo: whoever does what makes a risk need not see risks
        Risk = self.sudo()
        keys = [(vals["project_id"], vals["key"]) for vals in vals_list]
        known = Risk._get_by_key({key[0] for key in keys}, {key[1] for key in keys})
        new = {
            key: vals
            for key, vals in zip(keys, vals_list, strict=True)
            if key not in known
        }
        created = unlocked(Risk).create(list(new.values())).with_env(Risk.env)
        known |= dict(zip(new, created, strict=True))
        return Risk.union(*(known[key] for key in keys))

    @api.model
    def _get_by_key(self, project_ids, keys):
        """Return the risks with these keys, by project id and key."""
        risks = self.search_fetch(
            [("project_id", "in", list(project_ids)), ("key", "in", list(keys))],
            [
                "answer",
                "causes",
                "description",
                "gravity",
                "key",
                "name",
                "owner_id",
                "project_id",
                "published_name",
                "published_text",
                "severity",
                "state",
                "type",
            ],
        )
        return {(risk.project_id.id, risk.key): risk for risk in risks}

    @api.model
    def _update_findings(self, looked_at, checked, found):
        """Bring the automatic findings of projects up to date, in one batch.

        New causes raise a risk. A finding nobody answered yet follows the figures. One
        that was answered stays so while its causes are those that were answered for and
        the figures do not get worse; a cause that went away and came back is a new one.
        When all causes are gone the finding is resolved by itself, also an accepted
        one, and nothing is left of its answer but the text.

        :param looked_at: projects
        :param checked: those of them on which something new may be found
        :param found: dict from (project id, key) to the values of the risk, among them
            ``gravity``, which is above zero, and ``causes``, which are not empty
        """
        Risk = self.sudo()  # findings are the system's, whoever changes their inputs
        known = Risk._get_by_key(looked_at.ids, FINDING_KEYS)
        gone, changed, reopened = Risk, Risk, Risk
        answers = {}
        for (project_id, key), risk in known.items():
            vals = found.get((project_id, key))
            if not vals:
                if risk.state != "resolved" or risk.gravity or risk.causes:
                    gone += risk
                continue
            is_answered = risk._is_answered()
            if risk.state == "resolved" and not risk.gravity:
                is_answered = False  # by the system, the last time
            if is_answered and not risk._is_new(vals):
                # Causes that are no longer there are no longer answered for
                vals = vals | {"gravity": risk.gravity, "owner_id": risk.owner_id.id}
            elif risk.state not in UNANSWERED_STATES:
                if project_id not in checked._ids:
                    continue
                vals = vals | {"state": "open", "answer": False}
                if risk.answer:
                    answers[risk.id] = risk.answer
                reopened += risk
            values = risk._get_changed(vals)
            if values:
                risk._write_found(values)
                changed += risk
        # A scope that was not filled in yet is not worth remembering
        fleeting = gone.filtered(
            lambda risk: risk.key in FLEETING_KEYS and not risk.answered_on
        )
        gone -= fleeting
        unlocked(fleeting).unlink()
        gone._write_found({"causes": False, "gravity": 0})
        closed = gone.filtered(lambda risk: risk.state != "resolved")
        closed._write_found({"state": "resolved"})
        reopened._stamp_answers()
        new_vals = [
            vals
            for (project_id, key), vals in found.items()
            if (project_id, key) not in known and project_id in checked._ids
        ]
        (changed + closed)._assign()
        (reopened + closed)._log_found_state(answers)
        Risk._create_found(new_vals)

    def _is_new(self, vals):
        """Return whether a finding is about more than what was answered for."""
        self.ensure_one()
        if {*vals["causes"]} - {*(self.causes or [])}:
            return True
        borne = self.gravity + FINDING_TOLERANCES.get(self.key, 0)
        return float_compare(vals["gravity"], borne, precision_digits=2) > 0

    def _get_changed(self, vals):
        """Return what changes about a finding.

        It keeps its owner while its kind stays the same: who it was given to answers.
        """
        self.ensure_one()
        is_owned = self.owner_id.active and self.type == vals["type"]
        return {
            name: value
            for name, value in vals.items()
            if name not in ("key", "origin", "project_id")
            and not (name == "owner_id" and is_owned)
            and (self[name].id if name == "owner_id" else self[name]) != value
        }

    @api.model
    def _create_found(self, vals_list):
        """Raise new findings; what somebody else raises right now comes later."""
        if not vals_list:
            return
        try:
            with self.env.cr.savepoint():
                unlocked(self).create(vals_list)
        except psycopg2.errors.UniqueViolation:
            projects = self.env["project.project"].browse(
                vals["project_id"] for vals in vals_list
            )
            projects._mark_findings_stale()

    def _log_found_state(self, answers):
        """Write into the history of findings why the system changed their state.

        :param answers: dict from the id of a risk to the answer that did not do
        """
        bodies = {}
        for risk in self:
            env = risk.project_id._with_lang_of(risk.owner_id).env
            bodies[risk.id] = (
                env._("The cause is gone: resolved by the system.")
                if risk.state == "resolved"
                else env._(
                    "Opened again by the system: the cause is back, or worse than when "
                    "it was answered."
                )
            )
            if risk.id in answers:
                bodies[risk.id] += "\n" + env._("The answer was: %s", answers[risk.id])
        if bodies:
            root = self.env.ref("base.partner_root")
            self._message_log_batch(bodies, author_id=root.id)

    def _assign(self):
        """Give each unanswered risk one activity of its owner, and close the others."""
        if not self:
            return
        activity_type = self.env.ref("project_lifecycle.mail_activity_type_risk")
        Activity = self.env["mail.activity"].sudo()  # those of others, too
        activities = Activity.search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("activity_type_id", "=", activity_type.id),
            ]
        )
        by_risk = activities.grouped("res_id")
        model_id = self.env["ir.model"]._get_id(self._name)
        deadline = activity_type._get_date_deadline()
        values, obsolete = [], Activity
        for risk in self.sudo():  # sudo: as above
            planned = by_risk.get(risk.id, Activity)
            if risk.state not in UNANSWERED_STATES:
                obsolete += planned  # the chatter tells the change of the state
                continue
            kept = planned.filtered(lambda a, risk=risk: a.user_id == risk.owner_id)[:1]
            obsolete += planned - kept
            told = {
                "summary": risk.name,
                "note": plaintext2html(risk.description or ""),
            }
            if kept:
                kept.write(told)
            elif risk.owner_id:
                values.append(
                    told
                    | {
                        "activity_type_id": activity_type.id,
                        "automated": True,
                        "date_deadline": deadline,
                        "res_id": risk.id,
                        "res_model_id": model_id,
                        "user_id": risk.owner_id.id,
                    }
                )
        obsolete.unlink()
        # One mail per activity would be a query per risk, and a flood when many
        # projects change at once: the owners see them among their activities.
        Activity.with_context(mail_activity_quick_update=True).create(values)

    def _tell_managers(self):
        """Give the project director, or else the project managers, an activity each.

        Once per risk: it is for what they must know, whoever owns the risk.
        """
        if not self:
            return
        activity_type = self.env.ref(
            "project_lifecycle.mail_activity_type_risk_manager"
        )
        # sudo: those of others, too, and whoever made the risk
        Activity = self.env["mail.activity"].sudo()
        told = Activity.with_context(active_test=False).search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("activity_type_id", "=", activity_type.id),
            ]
        )
        told_ids = set(told.mapped("res_id"))
        model_id = self.env["ir.model"]._get_id(self._name)
        Activity.create(
            [
                {
                    "activity_type_id": activity_type.id,
                    "automated": True,
                    "date_deadline": activity_type._get_date_deadline(),
                    "res_id": risk.id,
                    "res_model_id": model_id,
                    "summary": risk.name,
                    "note": plaintext2html(risk.description or ""),
                    "user_id": manager.id,
                }
                for risk in self.sudo()  # sudo: as above
                if risk.id not in told_ids
                for manager in (
                    risk.project_id.company_id or self.env.company
                )._get_project_managers()
            ]
        )
