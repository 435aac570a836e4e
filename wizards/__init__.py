from . import kickoff_conclude
from . import implementation_kickoff
from . import implementation_flow_decision
from . import implementation_phase_dates
from . import implementation_phase_plan
from . import lifecycle_stage_override
from . import implementation_scenario_fail
from . import go_live_phase_complete
