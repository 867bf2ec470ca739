"""Marking definitions of STIX: TLP 2.0 and PAP by their official ids, caveats and recipients as statements.

Source: oasis-open/cti-stix-common-objects, ``extension-definition-specifications/tlp-2.0`` and
``pap-marking-definition-f8d``. Nothing gets looser: content without a known TLP label is marked TLP:RED, because tools
treat unmarked objects as open.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from consumers.picture.entry import Entry
from consumers.stix.identifiers import CREATED_MS, identifier, timestamp
from schemas.markings import Caveat, Pap, Tlp

Object = dict[str, Any]
_TLP_EXTENSION: Final = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_PAP_EXTENSION: Final = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"
_TLP_IDS: Final[Mapping[Tlp, str]] = {
    Tlp.CLEAR: "94868c89-83c2-464b-929b-a1a8aa3c8487",
    Tlp.GREEN: "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Tlp.AMBER: "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Tlp.AMBER_STRICT: "939a9414-2ddd-4d32-a0cd-375ea402b003",
    Tlp.RED: "e828b379-4e03-4974-9ac4-e53a884c97c1",
}
_PAP_IDS: Final[Mapping[Pap, tuple[str, str]]] = {  # with the day on which each was made
    Pap.CLEAR: ("ad15a0cd-55b6-4588-a14c-a66105329b92", "2022-10-01"),
    Pap.GREEN: ("c43594d1-4b11-4c59-93ab-1c9b14d53ce9", "2022-10-09"),
    Pap.AMBER: ("60f8932b-e51e-4458-b265-a2e8be9a80ab", "2022-10-02"),
    Pap.RED: ("740d36e5-7714-4c30-961a-3ae632ceee0e", "2022-10-06"),
}
_TLP_BY_LABEL: Final = {tlp.label: tlp for tlp in _TLP_IDS}


def tlp_definition(label: str) -> Object:
    """OASIS's definition of a TLP 2.0 label; of TLP:RED if there is no such label."""
    tlp = _TLP_BY_LABEL.get(label, Tlp.RED)
    extension = {"extension_type": "property-extension", "tlp_2_0": tlp.label.removeprefix("TLP:").lower()}
    return _definition(_TLP_IDS[tlp], "2022-10-01", tlp.label, _TLP_EXTENSION, extension)


def pap_definition(pap: Pap) -> Object:
    """The definition of a PAP label of STIX's common objects."""
    number, day = _PAP_IDS[pap]
    extension = {"extension_type": "property-extension", "pap": pap.label.removeprefix("PAP:").lower()}
    return _definition(number, day, pap.label, _PAP_EXTENSION, extension)


@lru_cache(maxsize=4_096)  # caveats and recipients repeat
def statement(text: str) -> Object:
    """A definition that is a statement (STIX 2.1, section 7.2.1.3). Its id follows from its text."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": identifier("marking-definition", "statement", text),
        "created": timestamp(CREATED_MS),
        "definition_type": "statement",
        "definition": {"statement": text},
    }


def definitions_of(entry: Entry) -> list[Object]:
    """All that marks an entry. They are shared by many entries: do not change them."""
    return list(_definitions(entry.tlp, entry.pap_code, entry.releasable_to, entry.caveats))


@lru_cache(maxsize=4_096)
def _definitions(
    tlp: str, pap: Pap, releasable_to: tuple[str, ...] | None, caveats: tuple[str, ...]
) -> tuple[Object, ...]:
    return tuple({each["id"]: each for each in _each(tlp, pap, releasable_to, caveats)}.values())


def _each(tlp: str, pap: Pap, releasable_to: tuple[str, ...] | None, caveats: tuple[str, ...]) -> Iterator[Object]:
    yield tlp_definition(tlp)
    if pap is not Pap.UNSTATED:
        yield pap_definition(pap)
    yield from map(statement, statements_of(releasable_to, caveats))


def statements_of(releasable_to: tuple[str, ...] | None, caveats: tuple[str, ...]) -> list[str]:
    """Recipients and caveats as text that our own readers understand."""
    said = [f"HANDLING: {each}" if each == Caveat.UNRECOGNISED else each for each in caveats]
    if releasable_to is None:
        return said
    return [f"REL TO {', '.join(releasable_to)}" if releasable_to else "EYES ONLY", *said]


def _definition(number: str, day: str, name: str, extension: str, content: Mapping[str, str]) -> Object:
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": f"marking-definition--{number}",
        "created": f"{day}T00:00:00.000Z",
        "name": name,
        "extensions": {extension: dict(content)},
    }
