from . import test_kickoff_scope
from . import test_kickoff_agreement
from . import test_implementation
from . import test_lifecycle
from . import test_pack
from . import test_pack_exactness
from . import test_kickoff_checklist
