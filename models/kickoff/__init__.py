from . import project_kickoff_agreement
from . import project_project_agreement
