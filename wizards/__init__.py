from . import kickoff_conclude
from . import lifecycle_stage_override
