"""What objects of a STIX document state about sharing for those that their ``object_refs`` list, directly or not."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from producers.markings.marked import Marked, joined, of_caveat, unrecognised
from producers.markings.properties import of_properties
from producers.markings.understanding import of_comment, of_prose, of_tag
from producers.readers.stix_markings import Definitions
from schemas.markings import Caveat

_OF_CONTAINER: Final = frozenset(
    {
        *("type", "id", "spec_version", "created", "modified", "created_by_ref", "revoked", "lang", "confidence"),
        *("object_refs", "object_marking_refs", "granular_markings", "labels", "published", "report_types", "context"),
        *("name", "description", "content", "abstract", "explanation", "external_references"),
    }
)
TRANSLATION: Final = "language-content"
# References that list nothing as a report does.
_OTHER_REFS: Final = frozenset({"object_marking_refs", "created_by_ref"})
_AGAINST: Final = frozenset({"disagree", "strongly-disagree"})
_TEXTS: Final = ("name", "description", "content", "abstract", "explanation")


def revoked_by_others(relationships: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The ids of objects that a relationship ``revoked-by`` takes back."""
    return frozenset(
        str(each.get("source_ref")) for each in relationships if each.get("relationship_type") == "revoked-by"
    )


class Containers:
    """The reports, groupings, notes, opinions and translations of a document."""

    def __init__(
        self,
        containers: Iterable[tuple[Mapping[str, Any], str]],
        doubtful: Iterable[msgspec.Raw],
        definitions: Definitions,
    ) -> None:
        """``containers`` are objects with their ids, ``doubtful`` objects that contradict themselves."""
        self._lists = dict[str, list[tuple[int, str, Marked]]]()
        self._known = dict[tuple[int, ...], Marked]()  # by the numbers of the containers: ids may repeat
        for number, (container, name) in enumerate(containers):
            found = said_by(container, definitions)
            for listed in dict.fromkeys(_references_of(container)):
                self._lists.setdefault(listed, []).append((number, name, found))
        for number, raw in enumerate(doubtful):
            found = unrecognised("an object with the same key twice", "an object with the same key twice names it")
            for listed in dict.fromkeys(_texts_in(raw)):
                self._lists.setdefault(listed, []).append((-1 - number, "", found))

    def of(self, name: str) -> Marked:
        """What the objects that list an object state about sharing, and those that list them."""
        lists = tuple(number for number, _, _ in self._lists.get(name, ()))
        if lists not in self._known:
            self._known[lists] = self._around(name)
        return self._known[lists]

    def _around(self, name: str) -> Marked:
        found, waiting, known = list[Marked](), [name], {name}
        while waiting:
            for _, container, says in self._lists.get(waiting.pop(), ()):
                found.append(says)
                if container not in known:
                    known.add(container)
                    waiting.append(container)
        return joined(found)


def said_by(container: Mapping[str, Any], definitions: Definitions) -> Marked:
    """What an object states about sharing for others: those that its ``object_refs`` list, or that it is related to."""
    kind, findings = container.get("type"), list[Marked]()
    for place, reference in enumerate(_listed(container, "object_marking_refs")):
        findings.append(definitions.of(str(reference), f"{kind} object_marking_refs[{place}]"))
    for place, granular in enumerate(_listed(container, "granular_markings")):
        reference = granular.get("marking_ref") if isinstance(granular, Mapping) else granular
        if reference is not None:
            findings.append(definitions.of(str(reference), f"{kind} granular_markings[{place}]"))
    findings += [of_tag(str(label), f"{kind} label") for label in _listed(container, "labels")]
    findings += [of_prose(str(container.get(name) or ""), f"{kind} {name}") for name in _TEXTS]
    findings.append(of_properties(container, _OF_CONTAINER, str(kind)))
    if kind == "opinion" and str(container.get("opinion")) in _AGAINST:
        findings.append(of_caveat(Caveat.BENIGN, f"opinion {container['opinion']!r}"))
    if kind == "note":
        findings.append(of_comment(str(container.get("content") or ""), "note content"))
    return msgspec.structs.replace(joined(findings), labels=(), withdrawn="", confidence=None)


def _references_of(container: Mapping[str, Any]) -> Iterator[str]:
    """The ids that an object lists: in ``object_refs``, ``object_ref`` (STIX 2.1, section 7.1), or in its own way."""
    for name in container:
        if name.endswith(("_refs", "_ref")) and name not in _OTHER_REFS:
            yield from (each for each in _listed(container, name) if isinstance(each, str))


def _texts_in(raw: msgspec.Raw) -> list[str]:
    """All texts in a JSON object, also behind keys that are there again: among them are the ids that it names."""
    texts = list[str]()

    def members(pairs: list[tuple[str, Any]]) -> None:
        for _, value in pairs:
            texts.extend(each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))

    json.loads(bytes(raw), object_pairs_hook=members)
    return texts


def _listed(container: Mapping[str, Any], name: str) -> list[Any]:
    """The items of a property that is a list; a single one stands for a list of it."""
    found = container.get(name)
    return found if isinstance(found, list) else [] if found is None else [found]
