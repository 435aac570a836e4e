from . import lifecycle
from . import pack
from . import implementation
