import logging

import psycopg2

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import float_compare, formatLang, get_lang

_logger = logging.getLogger(__name__)

FINDING_KEYS = (
    "feasibility_scope",
    "feasibility_hours",
    "feasibility_effort",
    "feasibility_customisation",
    "feasibility_deadline",
    "feasibility_calendar",
    "feasibility_application",
)
# Findings of what is only not done yet: nothing is kept of them afterwards.
FLEETING_KEYS = ("feasibility_scope",)
# An answer about a deadline holds while the earliest date slips by less than a week:
# each day that passes without work puts it off.
FINDING_TOLERANCES = {"feasibility_deadline": 7}
# Stages in which it is still open whether the project can be done.
CHECKED_STAGES = ("internal_kickoff", "kickoff", "implementation", "go_live")
CRON_BATCH = 200


class ProjectProject(models.Model):
    """What speaks against the feasibility of client projects (`methodology.md` 1)."""

    _inherit = "project.project"

    def _is_checked(self):
        """Return whether the feasibility of the project is looked at."""
        self.ensure_one()
        return (
            self.is_lifecycle
            and not self.is_template
            and self.active
            and self.lifecycle_stage in CHECKED_STAGES
        )

    # When it is looked at

    def action_update_findings(self):
        """Look at the feasibility again, as when an input changes.

        :raises AccessError: the user may not change the project
        """
        self.check_access("write")
        self._update_findings()

    def _get_blocking_criteria(self, former):
        # A gate that asks for risks asks what is found now, leaves included
        asking = self._get_criteria(self.sudo().stage_id).filtered(
            lambda criterion: criterion.severity == "blocking"
            and criterion._reads_risks()
        )
        self.filtered(lambda p: p.stage_id in asking.stage_id)._update_findings()
        return super()._get_blocking_criteria(former)

    @api.model
    def _cron_update_findings(self):
        """Look at the feasibility of all running projects.

        Time passes, hours are used, packs expire.
        """
        self._update_findings_in_batches(
            self.search(
                self._get_running_domain()
                | Domain("is_lifecycle", "=", True)
                & Domain("is_template", "=", False)
                & Domain("risk_ids", "any", self._get_open_finding_domain())
            )
        )

    @api.model
    def _cron_update_stale_findings(self):
        """Look at the feasibility where something has changed, see
        :class:`~.ProjectFeasibilityChange`.
        """
        # All of them: each is a row that waits for this job, and goes with it
        Change = self.env["project.feasibility.change"]
        changes = Change.search([])  # pylint: disable=no-search-all
        self._update_findings_in_batches(
            self.search(self._get_stale_domain(changes._get_ids()))
        )
        # Those that came meanwhile wait for the next run
        changes.unlink()

    @api.model
    def _get_running_domain(self):
        """Return the domain of the projects whose feasibility is looked at."""
        return (
            Domain("is_lifecycle", "=", True)
            & Domain("is_template", "=", False)
            & Domain("lifecycle_stage", "in", CHECKED_STAGES)
        )

    @api.model
    def _get_open_finding_domain(self):
        """Return the domain of the findings that may be resolved by themselves."""
        return Domain("key", "in", FINDING_KEYS) & Domain("state", "!=", "resolved")

    @api.model
    def _get_stale_domain(self, changed):
        """Return the domain of the projects that changes concern.

        :param changed: dict from the name of a model to the ids of what changed
        """
        domains = [Domain("id", "in", list(changed.pop("project.project", [])))]
        calendar_ids = list(changed.pop("resource.calendar", []))
        resources = self.env["resource.resource"].search(
            [("calendar_id", "in", calendar_ids)]
        )
        companies = self.env["res.company"].search(
            [("resource_calendar_id", "in", calendar_ids)]
        )
        company_ids = [*changed.pop("res.company", []), *companies.ids]
        user_ids = [*changed.pop("res.users", []), *resources.user_id.ids]
        running = self._get_running_domain()
        if user_ids:
            domains.append(running & Domain("user_id", "in", user_ids))
        if company_ids:
            # Projects of no company may be planned with any company's calendar
            domains.append(running & Domain("company_id", "in", [*company_ids, False]))
        if approach_ids := list(changed.pop("project.approach", [])):
            domains.append(running & Domain("approach_id", "in", approach_ids))
        if application_ids := list(changed.pop("project.application", [])):
            Application = self.env["project.application"]
            domains.append(running & Application._get_project_domain(application_ids))
        return Domain.OR(domains)

    @api.model
    def _update_findings_in_batches(self, projects):
        """Look at the feasibility of projects in a scheduled action.

        A project whose findings fail is logged and does not keep the others waiting.
        """
        Cron = self.env["ir.cron"]
        Cron._commit_progress(remaining=len(projects))
        for start in range(0, len(projects), CRON_BATCH):
            batch = projects[start : start + CRON_BATCH].exists()
            try:
                with self.env.cr.savepoint():
                    batch._update_findings()
            except Exception:
                _logger.info("One by one: findings of %s", batch, exc_info=True)
                self.env.transaction.clear()
                for project in batch:
                    project._try_update_findings()
            if not Cron._commit_progress(len(batch)):
                projects[start + CRON_BATCH :]._mark_findings_stale()
                break

    def _try_update_findings(self):
        """Look at the feasibility of one project, and log what goes wrong.

        Where somebody changes the same risks right now, it is looked at again later.
        """
        try:
            with self.env.cr.savepoint():
                self._update_findings()
        except psycopg2.OperationalError:
            self.env.transaction.clear()
            self._mark_findings_stale()
        except Exception:
            self.env.transaction.clear()
            _logger.exception("The feasibility of %s was not looked at", self)

    # What is found

    def _update_findings(self):
        """Look at the feasibility of projects and bring their findings up to date.

        It costs a constant number of queries, however many projects there are. Safe to
        call whenever something may have changed: see
        :meth:`~.ProjectRisk._update_findings`.

        In support, done projects and the like nothing new is found. What is open there
        stays so until its cause is gone or somebody answers for it.
        """
        # sudo: hours, calendars and leaves are not for everybody who changes a scope,
        # and what is found is the same whoever changes it
        projects = self.sudo().filtered(
            lambda project: project.is_lifecycle
            and not project.is_template
            and project.active
        )
        checked = projects.filtered(lambda project: project._is_checked())
        finished = projects - checked
        if finished:
            finished = (
                self.env["project.risk"]
                .sudo()  # sudo: as above
                .search(
                    Domain("project_id", "in", finished.ids)
                    & self._get_open_finding_domain()
                )
                .project_id
            )
        looked_at = checked | finished
        if not looked_at:
            return
        found = {}
        for project, key, vals in looked_at._get_findings():
            found[project.id, key] = vals | {
                "project_id": project.id,
                "key": key,
                "origin": "feasibility",
            }
        self.env["project.risk"]._update_findings(looked_at, checked, found)

    def _get_findings(self):
        """Return what speaks against the feasibility of each project.

        :return: list of (project, key, values of the risk), with texts in the language
            of who answers for commercial problems, and in the client's for the client
        """
        findings = []
        catalogue = self.env["project.application"].search_fetch(
            [("active", "=", True)],
            ["allows_customisation", "is_main", "name", "standard_hours"],
        )
        main = catalogue.filtered("is_main")
        allowing = catalogue.filtered("allows_customisation")
        sold = self._get_sold_applications()
        hours = self._get_feasible_hours()
        plans = self.filtered("date")._get_plans(hours)
        owners = {}
        for project in self:
            bought, left = hours[project]
            key = (project.company_id, project.salesperson_id, project.user_id)
            if key not in owners:
                owners[key] = {
                    risk_type: project._get_risk_owner(risk_type)
                    for risk_type in ("commercial", "scope", "planning")
                }
            worded = project._with_lang_of(owners[key]["commercial"])
            for found in (
                worded._find_empty_scope(),
                worded._find_too_few_hours(main, bought),
                worded._find_no_effort(),
                worded._find_customisation(sold[project.id], allowing),
                worded._find_missing_applications(sold[project.id]),
                worded._find_no_working_hours(plans.get(project), left),
                worded._find_deadline(plans.get(project), left),
            ):
                if found:
                    kind, vals = found
                    vals["owner_id"] = owners[key][vals["type"]].id
                    vals["causes"] = sorted(vals["causes"])
                    findings.append((project, kind, vals))
        return findings

    def _with_lang_of(self, user):
        """Return the project with texts in the language of a colleague."""
        company = self.company_id or self.env.company
        return self.with_context(
            lang=get_lang(self.env, user.lang or company.partner_id.lang).code
        )

    def _with_lang_of_client(self):
        """Return the project with texts in the language of its client."""
        company = self.company_id or self.env.company
        return self.with_context(
            lang=get_lang(
                self.env,
                self.spoc_id.lang or self.partner_id.lang or company.partner_id.lang,
            ).code
        )

    def _get_sold_applications(self):
        """Return the applications that were sold to each project.

        Those of its confirmed orders, and those of which the salesperson said that
        they were sold in another way.

        :return: dict from project id to applications
        """
        Application = self.env["project.application"]
        sold = dict.fromkeys(self.ids, Application)
        for line in self._get_application_order_lines():
            project = line._get_pack_project()
            if project.id in sold:
                sold[project.id] |= line.product_id.application_id
        for project in self:
            otherwise = project.scope_line_ids.filtered("sold_otherwise")
            sold[project.id] |= otherwise.application_id
        return sold

    def _get_application_order_lines(self):
        """Return the confirmed order lines of the projects that sell an application."""
        return (
            self.env["sale.order.line"]
            .with_context(active_test=False)  # products that are no longer offered
            .search(
                Domain("state", "=", "sale")
                & Domain("product_uom_qty", ">", 0)
                & Domain("product_id.application_id", "!=", False)
                & (
                    Domain("project_id", "in", self.ids)
                    | Domain("order_id.project_id", "in", self.ids)
                    | Domain("order_id.order_line.project_id", "in", self.ids)
                )
            )
        )

    def _get_feasible_hours(self):
        """Return the hours that were bought for each project, and those that are left.

        Of an expired pack only the hours that were used while it was valid count.

        :return: dict from project to hours bought and hours left
        """
        hours = {}
        for project in self:
            today = project._get_today()
            bought = left = 0.0
            for pack in project.pack_ids:
                if pack.cancelled:
                    continue
                if pack.date_end and pack.date_end < today:
                    bought += min(pack.consumed_hours, pack.purchased_hours)
                else:
                    bought += pack.purchased_hours
                    left += pack.remaining_hours
            hours[project] = bought, max(left, 0.0)
        return hours

    def _get_effort_text(self):
        """Return how the effort model comes to the hours of the scope."""
        self.ensure_one()
        company = self.company_id or self.env.company
        applications = self.scope_line_ids.application_id
        return self.env._(
            "Effort model: standard hours of the applications (%(applications)s = "
            "%(standard)s h) × %(factor)s for the approach “%(approach)s”, and "
            "%(share)s %% of the whole for the kick-off: %(total)s h.",
            applications=", ".join(
                f"{application.name} {self._format_hours(application.standard_hours)}"
                for application in applications
            ),
            standard=self._format_hours(sum(applications.mapped("standard_hours"))),
            factor=self._format_hours(self.approach_id.factor or 1),
            approach=self.approach_id.name or self.env._("none chosen"),
            share=self._format_hours(company.kickoff_share_target),
            total=self._format_hours(self.scope_hours),
        )

    @api.model
    def _format_hours(self, hours):
        """Return a figure in the user's language, with decimals where it has some."""
        rounded = round(hours, 2)
        return formatLang(self.env, rounded, digits=0 if rounded == int(rounded) else 2)

    def _get_names(self, applications):
        """Return the names of applications in the language of the project's texts."""
        return ", ".join(applications.with_env(self.env).mapped("name"))

    def _find_empty_scope(self):
        """Find that nobody said which applications the project is about."""
        if self.scope_line_ids:
            return None
        client = self._with_lang_of_client()
        return "feasibility_scope", {
            "name": self.env._("The scope is empty"),
            "type": "scope",
            "severity": "medium",
            "description": self.env._(
                "No application is in the scope, so that neither hours nor dates can "
                "be checked. Enter what was sold, and why the client took it."
            ),
            "published_name": client.env._("The scope is to be agreed on"),
            "published_text": client.env._(
                "The applications of the project have not been noted down yet."
            ),
            "causes": ["scope"],
            "gravity": 1,
        }

    def _find_too_few_hours(self, main, bought):
        """Find that the hours sold are too few for the scope.

        :param main: the main applications of the catalogue
        :param float bought: hours
        """
        needed = self.scope_hours
        missing = round(needed - bought, 2)
        if float_compare(bought, needed, precision_digits=2) >= 0:
            return None
        applications = self.scope_line_ids.application_id
        scope = (
            self.env._("The full scope (all main applications)")
            if main and main <= applications
            else self.env._("The scope (applications: %s)", len(applications))
        )
        text = self.env._(
            "%(scope)s takes %(needed)s hours, and %(bought)s are sold: %(missing)s "
            "hours are missing. Sell more hours, take applications out of the scope or "
            "choose another approach.",
            scope=scope,
            needed=self._format_hours(needed),
            bought=self._format_hours(bought),
            missing=self._format_hours(missing),
        )
        client = self._with_lang_of_client()
        vals = {
            "name": self.env._("Too few hours for the scope"),
            "type": "commercial",
            "severity": "high",
            "description": f"{text}\n{self._get_effort_text()}",
            "published_name": client.env._("Hours and scope do not match yet"),
            "published_text": client.env._(
                "In our experience the scope takes about %(needed)s hours. The packs "
                "have %(bought)s hours.",
                needed=client._format_hours(needed),
                bought=client._format_hours(bought),
            ),
            "causes": [f"application {res_id}" for res_id in applications.ids],
            "gravity": missing,
        }
        if self.pack_ids:  # cancelled ones were sold, too
            vals["causes"].append("sold")
        else:
            # Nothing sold yet: the gate to the implementation asks for the pack
            vals |= {"type": "scope", "severity": "medium"}
        return "feasibility_hours", vals

    def _find_no_effort(self):
        """Find that the effort of applications in the scope is not known."""
        unknown = self.scope_line_ids.application_id.filtered(
            lambda application: not application.standard_hours
        )
        if not unknown:
            return None
        client = self._with_lang_of_client()
        return "feasibility_effort", {
            "name": self.env._("The effort of the scope is not known"),
            "type": "scope",
            "severity": "medium",
            "description": self.env._(
                "No standard hours are known for %(applications)s, so that the hours "
                "of the scope cannot be calculated completely. A project manager "
                "enters them in Configuration / Applications.",
                applications=self._get_names(unknown),
            ),
            "published_name": client.env._("The effort is still to be estimated"),
            "published_text": client.env._(
                "The hours of these applications are not known yet: %s.",
                client._get_names(unknown),
            ),
            "causes": [f"application {res_id}" for res_id in unknown.ids],
            "gravity": len(unknown),
        }

    def _find_customisation(self, sold, allowing):
        """Find that customisations are wanted and no application for them was sold.

        :param sold: the applications that were sold
        :param allowing: those of the catalogue that allow customisations
        """
        lines = self.scope_line_ids.filtered("customisation_wanted")
        if not lines or any(sold.mapped("allows_customisation")):
            return None
        wanted = lines.application_id
        unsold = self.scope_line_ids.application_id.filtered("allows_customisation")
        description = self.env._(
            "Customisations are wanted in %(count)s lines of the scope "
            "(%(applications)s), but no application that allows them (%(allowing)s) "
            "was sold.",
            count=len(lines),
            applications=self._get_names(wanted),
            allowing=self._get_names(allowing) or self.env._("none in the catalogue"),
        )
        if unsold:
            in_scope = self.env._(
                "In the scope, but not in a confirmed order: %s.",
                self._get_names(unsold),
            )
            description = f"{description}\n{in_scope}"
        client = self._with_lang_of_client()
        return "feasibility_customisation", {
            "name": self.env._("Customisations without the application for them"),
            "type": "commercial",
            "severity": "high",
            "description": description,
            "published_name": client.env._("Customisations need another application"),
            "published_text": client.env._(
                "Customisations are wanted in %(applications)s. The application that "
                "they are made with is not part of what was ordered.",
                applications=client._get_names(wanted),
            ),
            "causes": [f"application {res_id}" for res_id in wanted.ids],
            "gravity": len(lines),
        }

    def _get_missing(self):
        """Return the applications that were found missing, and still are."""
        finding = self.risk_ids.filtered(lambda r: r.key == "feasibility_application")
        return self.env["project.application"].browse(
            int(cause.rpartition(" ")[2]) for cause in finding.causes or []
        )

    def _find_missing_applications(self, sold):
        """Find that something in the scope needs applications that were not sold.

        Where no order tells which applications were sold, the scope does; but what was
        found missing is not sold by putting it there.

        :param sold: the applications that were sold
        """
        lines = self.scope_line_ids
        if not sold - lines.filtered("sold_otherwise").application_id:
            sold |= lines.application_id - self._get_missing()
        missing = self.env["project.application"]
        needs, causes = [], []
        for line in self.scope_line_ids:
            application = line.application_id
            needed = (
                application.required_application_ids | line.required_application_ids
            ) - sold
            if needed:
                missing |= needed
                needs.append((application, needed))
                causes += [f"{application.id} needs {res_id}" for res_id in needed.ids]
        if not missing:
            return None
        names = self._get_names(missing)
        unsold = missing & self.scope_line_ids.application_id
        description = self.env._(
            "Applications that are needed and were not sold: %(count)s\n%(needs)s",
            count=len(missing),
            needs="\n".join(
                self.env._(
                    "%(application)s needs %(needed)s.",
                    application=self._get_names(application),
                    needed=self._get_names(needed),
                )
                for application, needed in needs
            ),
        )
        if unsold:
            in_scope = self.env._(
                "In the scope, but not in a confirmed order: %s.",
                self._get_names(unsold),
            )
            description = f"{description}\n{in_scope}"
        client = self._with_lang_of_client()
        return "feasibility_application", {
            "name": self.env._("Missing applications: %s", names),
            "type": "commercial",
            "severity": "high",
            "description": description,
            "published_name": client.env._("Applications that are still missing"),
            "published_text": "\n".join(
                client.env._(
                    "%(application)s works only together with %(needed)s, which is "
                    "not part of what was ordered.",
                    application=client._get_names(application),
                    needed=client._get_names(needed),
                )
                for application, needed in needs
            ),
            "causes": causes,
            "gravity": len(missing),
        }
