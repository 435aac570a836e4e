from . import lifecycle
from . import implementation
