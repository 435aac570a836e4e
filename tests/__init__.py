from . import test_implementation
from . import test_lifecycle
