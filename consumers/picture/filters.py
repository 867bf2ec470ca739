"""The part of a picture that a person or tool wants to see. ``query.py`` asks the database for it."""

from collections.abc import Iterable
from typing import Final

import msgspec

from consumers.picture.address import LABELS, network_of, related
from consumers.picture.entry import Entry
from consumers.picture.words import contains
from consumers.subscription.changes import State
from schemas.markings import Tlp

_STRICTNESS: Final = {tlp.label: tlp for tlp in Tlp}
LIVE: Final = frozenset({State.LIVE})
EVERY_STATE: Final = frozenset(State)


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """All of these have to hold; an empty field asks for nothing.

    ``value`` is canonical, ``prefix`` begins one. ``cidr`` is an address or network: it finds the networks that hold it
    and all that lies in it. A label may end in ``*``, and differs from others by more than case. A technique includes
    its sub-techniques. ``ceiling`` is the strictest TLP label that is wanted. Times are milliseconds since 1970 UTC;
    ``since_ms`` is about when this version was received, ``seen_since_ms`` about the last sighting, and
    ``seen_until_ms`` about the first.
    """

    origins: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    states: frozenset[State] = LIVE
    value: str = ""
    prefix: str = ""
    cidr: str = ""
    labels: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    confidence: int | None = None
    ceiling: str = ""
    since_ms: int = 0
    seen_since_ms: int = 0
    seen_until_ms: int = 0
    text: str = ""

    def matches(self, entry: Entry) -> bool:
        """Whether it lets an entry through."""
        return (
            entry.state in self.states
            and (not self.origins or entry.origin in self.origins)
            and (not self.types or entry.type in self.types)
            and (not self.value or entry.value == self.value)
            and entry.value.startswith(self.prefix)
            and (self.confidence is None or (entry.confidence is not None and entry.confidence >= self.confidence))
            and entry.received_ms >= self.since_ms
            and entry.last_seen_ms >= self.seen_since_ms
            and (not self.seen_until_ms or entry.first_seen_ms <= self.seen_until_ms)
            and (not self.ceiling or entry.tlp in allowed_under(self.ceiling))
            and all(has_label(entry.labels, label) for label in self.labels)
            and all(has_technique(entry.techniques, each) for each in self.techniques)
            and (not self.cidr or _is_related(entry, self.cidr))
            and (not self.text or contains(searched(entry), self.text))
        )


def allowed_under(ceiling: str) -> frozenset[str]:
    """The TLP labels that are not stricter than this one. Unmarked, ``""``, is stricter than TLP:AMBER+STRICT."""
    most = _STRICTNESS[ceiling]
    return frozenset(label for label, tlp in _STRICTNESS.items() if tlp <= most)


def has_label(labels: Iterable[str], asked: str) -> bool:
    """Whether one of them is this one, or begins like it if it ends in ``*``."""
    wanted = asked.casefold()
    if wanted.endswith("*"):
        return any(label.casefold().startswith(wanted[:-1]) for label in labels)
    return any(label.casefold() == wanted for label in labels)


def has_technique(techniques: Iterable[str], asked: str) -> bool:
    """Whether one of them is this technique or a sub-technique of it."""
    wanted = asked.upper()
    return any(each == wanted or each.startswith(f"{wanted}.") for each in techniques)


def searched(entry: Entry) -> tuple[str, ...]:
    """The texts of an entry in which words are looked for."""
    return (entry.value, *entry.labels, entry.tearline, *entry.descriptions)


def _is_related(entry: Entry, cidr: str) -> bool:
    network = network_of(cidr)
    return network is not None and entry.type in LABELS and related(entry.value, network)
