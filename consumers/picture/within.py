"""Which markings an indicator ever had, as bits of one number: an index finds what a reader may see, or once might.

What a reader once might see has to leave its tools when its marking gets stricter, or when it is recalled. What it
never might see must not even be named: a value can be guessed from its id.
"""

from typing import Final

from consumers.picture.entry import Entry
from consumers.subscription.changes import Use
from schemas.markings import Pap, Tlp

_TLPS: Final = {tlp.label: tlp for tlp in Tlp}


def bit_of(entry: Entry | None) -> int:
    """The bit of an entry's marking; 0 without content. What is not known is RED."""
    return 0 if entry is None else _bit(_TLPS.get(entry.tlp, Tlp.RED), entry.pap_code)


def mask_of(ceiling: Tlp, use: Use) -> int:
    """The bits of all markings that are not stricter than a ceiling and allow a use."""
    return sum(_bit(tlp, pap) for tlp in Tlp if tlp <= ceiling for pap in Pap if use.allowed_by(pap))


def _bit(tlp: Tlp, pap: Pap) -> int:
    return 1 << (tlp * len(Pap) + pap)
