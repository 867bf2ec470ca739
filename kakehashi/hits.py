"""Follows the logs of tools, and reports their hits on what a partner shares, as the picture has it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from consumers.outputs.suricata_rules import signatures
from consumers.picture.entry import Ended, Entry
from consumers.picture.shared import Shared
from consumers.subscription.changes import State
from exchange.clock import now_ms
from producers.hits import suricata, zeek
from producers.hits.hit import Asking, Exchanged, Unknown
from producers.readers.reader import Reader
from producers.sighting import Theirs, sighting_of
from schemas.observation import Observation
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType


class InPicture:
    """What a partner shares, as readers of hits ask for it."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def indicator(self, kind: IndicatorType, value: str) -> Theirs | Unknown:
        """The partner's indicator of this type and canonical value."""
        return _as_theirs(self._shared.indicator(kind, value))

    def network(self, address: str) -> Theirs | Unknown:
        """The smallest of the partner's networks that holds this address."""
        return _as_theirs(self._shared.network(address))


def reader_of(
    name: str, path: Path, nation: str, partner: str, tlp: str, clock_ms: Callable[[], int] = now_ms
) -> Reader:
    """The reader of the hits in a log of this format, for sightings that are marked ``tlp`` or more strictly."""

    @contextmanager
    def exchanged() -> Iterator[Exchanged]:
        shared = Shared(path, nation, partner, clock_ms)
        try:
            yield InPicture(shared)
        finally:
            shared.close()

    def report(seen: Theirs, at_ms: int) -> Observation:
        return sighting_of(seen, partner, tlp=tlp, count=1, first_seen_ms=at_ms, last_seen_ms=at_ms)

    return FORMATS[name](Asking(partner, exchanged, report))


def _suricata(asking: Asking) -> Reader:
    known = {sid: suricata.Signature(*compared) for sid, compared in signatures().items()}
    return suricata.reader_of(known, asking)


FORMATS: Final[Mapping[str, Callable[[Asking], Reader]]] = {
    suricata.FORMAT: _suricata,
    zeek.INTEL: lambda asking: zeek.reader_of(zeek.INTEL, asking),
    zeek.NOTICE: lambda asking: zeek.reader_of(zeek.NOTICE, asking),
}


def _as_theirs(found: Entry | Ended | None) -> Theirs | Unknown:
    if found is None:
        return Unknown.NOT_EXCHANGED
    if not isinstance(found, Entry) or found.state is not State.LIVE:
        return Unknown.ENDED
    return Theirs(TYPE_BY_LABEL[found.type], found.value, found.tlp, found.pap, found.caveats)
