from . import lifecycle
from . import pack
from . import kickoff
from . import implementation
