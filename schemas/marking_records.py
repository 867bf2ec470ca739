"""Markings as the contract writes them, and back."""

from schemas.markings import Caveat, Marking, Pap, Tlp
from schemas.records import MarkingRecord


def marking_record(marking: Marking) -> MarkingRecord:
    """A marking as the contract writes it."""
    return {
        "tlp": int(marking.tlp),
        "pap": int(marking.pap),
        "releasable_to": None if marking.releasable_to is None else list(marking.releasable_to),
        "caveats": [str(caveat) for caveat in marking.caveats],
    }


def marking_of(record: MarkingRecord) -> Marking:
    """The marking that the contract wrote. Raises ValueError for a code that is in no vocabulary."""
    nations = record["releasable_to"]
    return Marking(
        Tlp(record["tlp"]),
        Pap(record["pap"]),
        None if nations is None else tuple(nations),
        tuple(Caveat(caveat) for caveat in record["caveats"]),
    )
