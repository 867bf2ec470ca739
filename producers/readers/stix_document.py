"""The indicators of a STIX document by their ids and versions, and the statements of the document around them."""

from typing import Any, Final

import msgspec

from producers.markings.marked import Marked, joined
from producers.markings.properties import of_properties
from producers.markings.understanding import of_file_names
from producers.readers.document import plain, repeated_keys
from producers.readers.not_carried import kind_named
from producers.readers.stix_containers import TRANSLATION, Containers
from producers.readers.stix_indicator import Indicator, is_revoked, marked, modified_of
from producers.readers.stix_markings import Definitions
from producers.readers.stix_observed import OBSERVED
from producers.readers.stix_pattern import Taken, Unusable, taken_of
from producers.readers.stix_related import INDICATED, RELATIONSHIP, SIGHTING, Related
from schemas.observation import SourcePlace
from schemas.vocabulary import IndicatorType

REVOKED: Final = "revoked"
BENIGN: Final = "benign"
DEFINITION: Final = "marking-definition"
INDICATOR: Final = "indicator"
_NO_CONTAINERS: Final = frozenset({INDICATOR, DEFINITION, RELATIONSHIP, SIGHTING})
BUNDLE: Final = "bundle"
_MOST_NESTED: Final = 4
_ABSENT: Final = msgspec.Raw()
OF_A_BUNDLE: Final = frozenset({"type", "id", "spec_version", "objects"})


class _Envelope(msgspec.Struct):
    """A bundle, or the envelope of TAXII, which has no type."""

    type: Any = ""
    objects: msgspec.Raw = _ABSENT


def opened(parsed: msgspec.Raw, depth: int = _MOST_NESTED) -> tuple[list[msgspec.Raw], list[msgspec.Raw]]:
    """The objects of a document, and the bundles that they are in: it may be a list of bundles, or one in another.

    Raises msgspec.ValidationError if the objects of a bundle are no list.
    """
    if depth and bytes(memoryview(parsed)[:1]) == b"[":
        parts = [opened(each, depth - 1) for each in msgspec.json.decode(parsed, type=list[msgspec.Raw])]
        return [each for objects, _ in parts for each in objects], [each for _, bundles in parts for each in bundles]
    try:
        envelope = msgspec.json.decode(parsed, type=_Envelope)
    except msgspec.ValidationError:
        return [parsed], []
    content = bytes(envelope.objects)
    if not depth or envelope.type not in ("", BUNDLE) or not content or content == b"null":
        return [parsed], []
    if not content.startswith(b"["):
        raise msgspec.ValidationError("the objects of a bundle are no list")
    objects, bundles = opened(envelope.objects, depth - 1)
    return objects, [parsed, *bundles]


class Kind(msgspec.Struct):
    """The properties of every object of STIX that decide how it is read."""

    type: Any = ""
    id: Any = ""
    modified: Any = None
    created: Any = None
    revoked: Any = None
    object_refs: Any = None

    def __post_init__(self) -> None:
        """Names of another JSON type are none."""
        self.type = self.type if isinstance(self.type, str) else ""
        self.id = self.id if isinstance(self.id, str) else ""


class Version(msgspec.Struct, frozen=True):
    """One ``indicator`` of the document; ``problem`` is the reason if it cannot be read."""

    place: SourcePlace
    raw: msgspec.Raw
    modified_ms: int
    indicator: Indicator | None
    problem: str = ""
    revoked: bool = False


class Bundled:
    """A document's indicators by their ids, and its statements around them."""

    def __init__(
        self,
        bundles: list[msgspec.Raw],
        listed: list[tuple[msgspec.Raw, Kind]],
        doubtful: list[msgspec.Raw],
        names: tuple[str, ...],
    ) -> None:
        """``doubtful`` are the objects that have the same key twice; they have an empty ``Kind`` in the list."""
        self.definitions = Definitions(plain(raw) for raw, kind in listed if kind.type == DEFINITION)
        self.versions, self._newest = dict[str, list[Version]](), dict[str, list[Version]]()
        self._places, self._said = dict[int, Version](), dict[str, tuple[Marked, str]]()
        self._objects: dict[str, list[dict[str, Any]]] | None = None
        self._still = dict[str, set[tuple[IndicatorType, str]]]()
        for number, (raw, kind) in enumerate(listed, 1):
            if kind.type == INDICATOR:
                version = self._places[number] = _version(raw, kind, SourcePlace(names[0], number))
                self.versions.setdefault(kind.id, []).append(version)
        self.around = of_file_names(names).join(
            joined(of_properties(_around(each), OF_A_BUNDLE, "bundle") for each in bundles)
        )
        containers = [(plain(raw), kind.id) for raw, kind in listed if _is_container(raw, kind)]
        self._containers = Containers(containers, doubtful, self.definitions)
        related = (plain(raw) for raw, kind in listed if kind.type in (RELATIONSHIP, SIGHTING, *INDICATED))
        self.related = Related(related, self.definitions)
        observed = [kind for _, kind in listed if kind.type == OBSERVED]
        self._observed = dict[str, int]()
        for kind in observed:
            self._observed[kind.id] = max(modified_of(kind.modified, kind.created), self._observed.get(kind.id, 0))

    def seen(self, objects: list[msgspec.Raw]) -> dict[str, list[dict[str, Any]]]:
        """The document's objects by their ids, for those that an ``observed-data`` lists; an id may have several."""
        if self._objects is None:
            self._objects = {}
            for each in (plain(raw) for raw in objects if not repeated_keys(raw)):
                if isinstance(each, dict):
                    self._objects.setdefault(str(each.get("id")), []).append(each)
        return self._objects

    def newest_observed_ms(self, name: str) -> int:
        """When the newest version of an ``observed-data`` was made; 0 if that is not stated."""
        return self._observed.get(name, 0)

    def outside(self, name: str) -> Marked:
        """What the document and the objects that list an object state about it."""
        return self.around.join(self._containers.of(name))

    def at(self, place: SourcePlace, name: str) -> tuple[Version, list[Version]]:
        """The indicator in a place, and the newest versions of it: several if they are of the same time."""
        return self._places[place.line], self.newest(name)

    def newest(self, name: str) -> list[Version]:
        """The newest versions of an indicator; none if the document does not have it."""
        if name not in self._newest:
            versions = self.versions.get(name, [])
            last_ms = max((version.modified_ms for version in versions), default=0)
            self._newest[name] = [each for each in versions if each.modified_ms == last_ms]
        return self._newest[name]

    def said(self, name: str) -> tuple[Marked, str]:
        """What the newest versions state about sharing, and by which rule they take the indicator back, if they do."""
        if name not in self._said:
            newest = [each for each in self._newest[name] if each.indicator is not None]
            outer = self.outside(name)
            each_says = (marked(each.indicator, plain(each.raw), self.definitions) for each in newest if each.indicator)
            found = joined((outer, *each_says))
            if name in self.related.replaced:
                found = found.join(Marked(withdrawn="revoked-by"))
            self._said[name] = found, _ended([each.indicator for each in newest if each.indicator], found)
        return self._said[name]

    def still(self, name: str) -> set[tuple[IndicatorType, str]]:
        """The values that the newest versions have."""
        if name not in self._still:
            taken = [taken_in(each.indicator) for each in self._newest[name] if each.indicator is not None]
            claims = (claim for each in taken if isinstance(each, Taken) for claim in each.claims)
            self._still[name] = {(claim.kind, claim.value) for claim in claims}
        return self._still[name]


def _version(raw: msgspec.Raw, kind: Kind, place: SourcePlace) -> Version:
    modified_ms = modified_of(kind.modified, kind.created)
    try:
        return Version(place, raw, modified_ms, msgspec.json.decode(raw, type=Indicator))
    except msgspec.ValidationError as error:
        return Version(place, raw, modified_ms, None, str(error), is_revoked(kind.revoked))


def _is_container(raw: msgspec.Raw, kind: Kind) -> bool:
    """Whether an object lists others: by its ``object_refs``, or by properties of its own that name indicators."""
    if kind.object_refs is not None or kind.type == TRANSLATION:
        return True
    if kind.type in _NO_CONTAINERS:
        return False
    content = bytes(raw)
    return content.startswith(b"{") and b"_ref" in content and b"indicator--" in content


def _around(bundle: msgspec.Raw) -> dict[str, Any]:
    """The properties of a bundle but for its objects."""
    parts = msgspec.json.decode(bundle, type=dict[str, msgspec.Raw])
    return {name: plain(raw) for name, raw in parts.items() if name not in OF_A_BUNDLE}


def _ended(newest: list[Indicator], found: Marked) -> str:
    """By which rule the newest version takes the indicator back; empty if it does not."""
    if found.withdrawn or any(indicator.revoked for indicator in newest):
        return REVOKED
    kinds = (indicator.indicator_types or indicator.labels for indicator in newest)  # STIX 2.0 has them in labels
    return BENIGN if any(each == [BENIGN] for each in kinds) else ""


def taken_in(indicator: Indicator) -> Taken | Unusable:
    if indicator.pattern_type.lower() != "stix":
        detail = f"the pattern is {indicator.pattern_type}, and only STIX patterns are read"
        return Unusable(detail, True, kind_named(indicator.pattern_type))
    return taken_of(indicator.pattern)
