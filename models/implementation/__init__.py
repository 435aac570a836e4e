from . import project_phase_part  # the base of others
from . import account_analytic_line
from . import calendar_attendee
from . import calendar_event
from . import project_application
from . import project_checklist
from . import project_data_import
from . import project_development_request
from . import project_flow
from . import project_flow_cycle
from . import project_flow_template
from . import project_kickoff_agreement
from . import project_milestone
from . import project_phase
from . import project_project
from . import project_risk
from . import project_scope_line
from . import project_task
