from . import lifecycle
from . import kickoff
