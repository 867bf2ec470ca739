"""Records for tests: valid by default, changed by name. Made-up values are RFC 5737, 3849 and 2606 ones only.

One file for each family of ``schemas.records``; all builders are importable from here.
"""

from tests.builders.authority import *
from tests.builders.changed import *
from tests.builders.decision import *
from tests.builders.indicator import *
from tests.builders.observed import *
from tests.builders.operation import *
from tests.builders.picture import *
from tests.builders.released import *
