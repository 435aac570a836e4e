from . import project_checklist_template
