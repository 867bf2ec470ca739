"""One observation of a sensor as its reader returns it, before it becomes a row of a report."""

import msgspec

from schemas.markings import SourceMarking
from schemas.vocabulary import IndicatorType, Withdrawal


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One value seen by a sensor, as the sensor wrote it.

    Times are milliseconds since the epoch, UTC; 0 is "not stated". ``count`` is the number of sightings between
    the two times. ``confidence`` is 0 to 100 (STIX 2.1, section 3.2), -1 "not stated".

    ``description`` and ``context`` are local: they name victims and methods, stay in the nation, and no
    released schema has a field for them. One entry of ``context`` is for the partners: ``schemas.tearline.TEARLINE``,
    the text that the source has written for release.

    With ``withdrawal`` the source does not report the value but ends its earlier assertion: nothing is counted.
    """

    kind: IndicatorType
    value: str
    first_seen_ms: int = 0
    last_seen_ms: int = 0
    count: int = 1
    confidence: int = -1
    valid_until_ms: int = 0
    marking: SourceMarking = SourceMarking()
    labels: tuple[str, ...] = ()
    description: str = ""
    context: tuple[tuple[str, str], ...] = ()
    withdrawal: Withdrawal | None = None


class SourcePlace(msgspec.Struct, frozen=True, gc=False):
    """A position in a sensor's output: file name as given, line (or record) counted from 1."""

    file: str
    line: int
