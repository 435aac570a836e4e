from . import test_kickoff_agreement
from . import test_kickoff_scope
from . import test_lifecycle
from . import test_pack
from . import test_pack_exactness
