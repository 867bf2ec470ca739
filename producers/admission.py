"""Refuses observations that no record can carry, so that an invalid one never harms the others of its report.

Intake judges whether a value makes sense; here only sizes and the ranges of Avro's numbers count. Local text
(description, context) is cut, not refused: it is not an indicator. A tearline is cleaned, too: it may leave.
"""

from typing import Final

import msgspec

from producers.readers.reading import Rejected, Seen, rejected
from schemas import tearline
from schemas.normalise import MAX_RAW_LENGTH
from schemas.observation import Observation
from schemas.tearline import TEARLINE
from schemas.vocabulary import RejectReason

MAX_DESCRIPTION_BYTES: Final = 4096
MAX_FACT_BYTES: Final = 1024  # a tearline's, too
MAX_LABELS_LENGTH: Final = 64 << 10
_ELLIPSIS: Final = "…"
_LONG: Final = range(-(1 << 63), 1 << 63)
_INT: Final = range(-(1 << 31), 1 << 31)


def admitted(reading: Seen) -> Seen | Rejected:
    """The same, with its local text cut to its limit; or a refusal."""
    seen = reading.observation
    problem = _problem(seen)
    if problem is not None:
        reason, detail = problem
        return rejected(reading.place, reason, detail, seen.value.encode())
    description = _cut(seen.description, MAX_DESCRIPTION_BYTES)
    cleaned = ((name, tearline.cleaned(fact) if name == TEARLINE else fact) for name, fact in seen.context)
    context = tuple((name, _cut(fact, MAX_FACT_BYTES)) for name, fact in cleaned if fact or name != TEARLINE)
    if description is seen.description and context == seen.context:
        return reading
    cut = msgspec.structs.replace(seen, description=description, context=context)
    return msgspec.structs.replace(reading, observation=cut)


def typed(given: Observation) -> Observation:
    """What a program has made, if each field has its type and can be written.

    Raises ValueError if not. To compare such a field with a range may take for ever: ``1.5 in range(1 << 63)``.
    """
    try:
        found = msgspec.json.decode(msgspec.json.encode(given), type=Observation)
    except (msgspec.MsgspecError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"an observation that cannot be published: {error}") from error
    if found.count < 1 or min(found.first_seen_ms, found.last_seen_ms, found.valid_until_ms) < 0:
        raise ValueError("an observation that cannot be published: a count is 1 or more, and a time is not before 1970")
    return found


def _problem(seen: Observation) -> tuple[RejectReason, str] | None:
    if len(seen.value) > MAX_RAW_LENGTH:
        return RejectReason.VALUE_TOO_LONG, f"the value has {len(seen.value)} characters; {MAX_RAW_LENGTH} is the most"
    if sum(map(len, seen.labels)) > MAX_LABELS_LENGTH:
        return RejectReason.TOO_MANY_LABELS, f"the labels have more than {MAX_LABELS_LENGTH} characters"
    if not all(moment in _LONG for moment in (seen.first_seen_ms, seen.last_seen_ms, seen.valid_until_ms)):
        return RejectReason.TIME_OUT_OF_RANGE, "a time is beyond any calendar"
    if seen.count not in _LONG:
        return RejectReason.COUNT_OUT_OF_RANGE, f"a count of {len(str(seen.count))} digits"
    if seen.confidence not in _INT:
        return RejectReason.CONFIDENCE_OUT_OF_RANGE, "confidence goes from 0 to 100"
    return None


def _cut(text: str, limit: int) -> str:
    """At most ``limit`` bytes in UTF-8, which has at most four for a character."""
    if 4 * len(text) <= limit or len(text.encode()) <= limit:
        return text
    return text.encode()[: limit - len(_ELLIPSIS.encode())].decode(errors="ignore") + _ELLIPSIS
