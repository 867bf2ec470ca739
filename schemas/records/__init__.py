"""The records of the contract as Python sees them: the fields are documented in ``schemas/avro/*.avsc``.

Plain dictionaries, because the codec reads and writes those; a test holds them to the Avro schemas. One file for
each family; all of them are importable from here.
"""

from schemas.records.authority import *
from schemas.records.decision import *
from schemas.records.indicator import *
from schemas.records.observed import *
from schemas.records.operation import *
from schemas.records.released import *
