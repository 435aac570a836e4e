from . import lifecycle
from . import implementation
from . import pack
