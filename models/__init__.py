from . import lifecycle
from . import pack

# isort: split
from . import kickoff  # builds on the rooms above
