from . import lifecycle
from . import pack
