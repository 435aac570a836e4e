from . import calendar_event
from . import project_checklist
from . import project_checklist_item
from . import project_checklist_template
from . import project_project_checklist
from . import project_stage_transition
