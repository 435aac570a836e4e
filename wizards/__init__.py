from . import lifecycle_stage_override
