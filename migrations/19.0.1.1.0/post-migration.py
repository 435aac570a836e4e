from pathlib import Path

from lxml import etree

from odoo import SUPERUSER_ID, api
from odoo.tools.convert import convert_file

from odoo.addons.project_lifecycle.models.lifecycle.project_lock import unlocked

ADDON = "project_lifecycle"
FOLDER = Path(__file__).resolve().parents[2]
# The conditions of the criteria as they were shipped before. One that a manager has
# changed stays as it is.
FORMER_DOMAINS = {
    "criterion_go_live_flows": '[("phase_ids", "not any", [("state", "in", ("in_progress", "ready", "live")), ("flow_ids", "any", [("step", "!=", "done")])])]',  # noqa: E501
    "criterion_go_live_imports": '[("phase_ids", "not any", [("state", "in", ("in_progress", "ready", "live")), ("import_ids", "any", [("needed_to_start", "=", True), ("state", "!=", "imported")])])]',  # noqa: E501
    "criterion_implementation_agreement": '[("kickoff_agreement_ids", "any", [("state", "=", "accepted")])]',  # noqa: E501
    "criterion_implementation_scope": '[("scope_line_ids", "not any", [("reason", "in", [False, ""])])]',  # noqa: E501
    "criterion_kickoff_consultant": '[("user_id", "!=", False)]',  # noqa: E501
    "criterion_kickoff_internal_meeting": '[("meeting_ids", "any", [("lifecycle_meeting", "=", "internal_kickoff"), ("held", "=", True)])]',  # noqa: E501
    "criterion_implementation_kickoff_meeting": '[("meeting_ids", "any", [("lifecycle_meeting", "=", "kickoff"), ("held", "=", True)])]',  # noqa: E501
}


def migrate(cr, version):
    """Bring what is not updated by itself in line with this release.

    Record rules and the conditions of gates are data that an update leaves alone; the
    versions of agreements get the heading that is frozen from now on.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    env.ref(f"{ADDON}.view_calendar_event_form_checklist").active = True
    _load_rules(env)
    _update_criteria(env)
    _mark_questions(env)
    _freeze_headings(env)


def _load_rules(env):
    """Load the record rules anew: they are what keeps people apart."""
    for path in sorted(FOLDER.glob("security/*_security.xml")):
        convert_file(env, ADDON, f"security/{path.name}", {}, mode="init")


def _read_records(pattern, model):
    """Return the shipped records of a model, by external id."""
    return {
        record.get("id"): record
        for path in sorted(FOLDER.glob(f"data/{pattern}"))
        for record in etree.parse(path).iterfind(f".//record[@model='{model}']")
    }


def _update_criteria(env):
    """Give the criteria that still have their former condition the present one."""
    records = _read_records("*.xml", "project.stage.criterion")
    for name, former in FORMER_DOMAINS.items():
        criterion = env.ref(f"{ADDON}.{name}", raise_if_not_found=False)
        if criterion and criterion.domain == former:
            criterion.domain = records[name].find("field[@name='domain']").text


def _mark_questions(env):
    """Say which points of the shipped checklists are questions to answer in writing."""
    for name, record in _read_records(
        "*checklist_data.xml", "project.checklist.template.item"
    ).items():
        item = env.ref(f"{ADDON}.{name}", raise_if_not_found=False)
        flag = record.find("field[@name='needs_answer']")
        if item and flag is not None:
            item.needs_answer = flag.get("eval") == "True"


def _freeze_headings(env):
    """Freeze the heading of agreements that were made before it was kept."""
    agreements = env["project.kickoff.agreement"].search([("heading", "=", False)])
    for agreement in agreements:
        project = agreement.project_id
        company = project.company_id or env.company
        spoc = agreement.sent_partner_id or project.spoc_id
        translated = agreement.with_context(lang=agreement.lang)
        unlocked(agreement).write(
            {
                "project_name": project.name,
                "client_name": project.partner_id.commercial_partner_id.name,
                "spoc_name": spoc.name,
                "firm_name": company.name,
                "firm_logo": company.logo,
            }
        )
        unlocked(agreement).heading = (
            env["ir.qweb"]
            .with_context(lang=agreement.lang)
            ._render(
                f"{ADDON}.kickoff_agreement_heading",
                translated._get_content_values() | {"company": company},
            )
        )
