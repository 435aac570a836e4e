from . import lifecycle
from . import pack
from . import kickoff
from . import implementation
from . import go_live
from . import progress_report
from . import support
