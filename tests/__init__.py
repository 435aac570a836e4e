from . import test_implementation
from . import test_lifecycle
from . import test_pack
from . import test_pack_exactness
