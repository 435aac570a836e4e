from . import calendar_event
from . import project_checklist_template
from . import project_phase
from . import project_project
