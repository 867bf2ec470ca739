"""What the field's own libraries read in a STIX or MISP document: python-stix2 (OASIS) and PyMISP (MISP).

``Said`` is in their words: the values that an object names, its TLP labels, and whether its source takes it back.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pymisp
import stix2  # type: ignore[import-untyped]
from stix2.exceptions import STIXError  # type: ignore[import-untyped]
from stix2.patterns import (  # type: ignore[import-untyped]
    AndBooleanExpression,
    EqualityComparisonExpression,
    InComparisonExpression,
    IsSubsetComparisonExpression,
    ObservationExpression,
    OrBooleanExpression,
    ParentheticalExpression,
    QualifiedObservationExpression,
    _CompoundObservationExpression,
)

from schemas.markings import Tlp

_TLP_1: Final = {
    stix2.TLP_WHITE.id: Tlp.CLEAR,
    stix2.TLP_GREEN.id: Tlp.GREEN,
    stix2.TLP_AMBER.id: Tlp.AMBER,
    stix2.TLP_RED.id: Tlp.RED,
}
_TLP_TAGS: Final = {f"tlp:{tlp.name.lower().replace('_', '+')}": tlp for tlp in Tlp} | {"tlp:white": Tlp.CLEAR}


class Stated(msgspec.Struct, frozen=True):
    """What a library reads of one object; ``refused`` is its error."""

    name: str
    values: frozenset[str] = frozenset()
    tlp: Tlp | None = None
    is_over: bool = False
    markings: frozenset[str] = frozenset()
    refused: str = ""


def by_stix2(content: bytes) -> Iterator[Stated]:
    """The indicators of a bundle, an array, or a single object."""
    document = json.loads(content)
    objects = document if isinstance(document, list) else document.get("objects") or [document]
    for thing in objects:
        if isinstance(thing, dict) and thing.get("type") == "indicator":
            yield _by_stix2(thing)


def _by_stix2(thing: dict[str, Any]) -> Stated:
    name = str(thing.get("id"))
    try:
        parsed = stix2.parse(thing, allow_custom=True, version=None if "spec_version" in thing else "2.0")
        references = frozenset(stix2.markings.get_markings(parsed, inherited=True, descendants=True))
        tree = stix2.pattern_visitor.create_pattern_object(parsed.pattern)
    except (STIXError, ValueError, TypeError, AttributeError, KeyError) as error:
        return Stated(name, refused=f"{type(error).__name__}: {error}")
    labels = [_TLP_1[reference] for reference in references if reference in _TLP_1]
    values = frozenset(_named(tree))
    return Stated(name, values, max(labels, default=None), bool(parsed.get("revoked")), references)


def _named(node: Any) -> Iterator[str]:
    """All values that a pattern compares with for equality, wherever in it."""
    if isinstance(node, QualifiedObservationExpression):
        yield from _named(node.observation_expression)
    elif isinstance(node, ParentheticalExpression):
        yield from _named(node.expression)
    elif isinstance(node, ObservationExpression):
        yield from _named(node.operand)
    elif isinstance(node, _CompoundObservationExpression | AndBooleanExpression | OrBooleanExpression):
        for operand in node.operands:
            yield from _named(operand)
    elif isinstance(node, EqualityComparisonExpression | InComparisonExpression | IsSubsetComparisonExpression):
        literals = node.rhs.value if isinstance(node, InComparisonExpression) else [node.rhs]
        yield from () if node.negated else (str(literal.value) for literal in literals)


def by_pymisp(content: bytes) -> Iterator[Stated]:
    """The attributes of an event, of several in a response, or of a collection of attributes."""
    document = json.loads(content)
    for event in _events(document):
        parsed = pymisp.MISPEvent()
        try:
            parsed.from_dict(**event)
        except (pymisp.PyMISPError, ValueError, TypeError, KeyError) as error:
            yield Stated(str(event.get("uuid")), refused=f"{type(error).__name__}: {error}")
            continue
        around = [tag.name for tag in parsed.tags]
        for attribute in parsed.attributes:
            yield _by_pymisp(attribute, around, is_over=False)
        for group in parsed.objects:
            for attribute in group.attributes:
                yield _by_pymisp(attribute, around, is_over=bool(group.get("deleted")))


def _events(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, list):
        for part in document:
            yield from _events(part)
    elif "response" in document:
        yield from _events(document["response"])
    elif "Event" in document and "type" not in document:
        yield document["Event"]
    elif "info" not in document and isinstance(document.get("Attribute"), list):
        yield {"info": "a collection", **document}
    else:
        yield document


def _by_pymisp(attribute: pymisp.MISPAttribute, around: list[str], *, is_over: bool) -> Stated:
    tags = [*around, *(tag.name for tag in attribute.tags)]
    labels = [_TLP_TAGS[tag.lower()] for tag in tags if tag.lower() in _TLP_TAGS]
    deleted = bool(attribute.get("deleted"))
    value = str(attribute.value)
    return Stated(
        attribute.uuid,
        frozenset({value, *value.split("|")}),
        max(labels, default=None),
        is_over or deleted or not attribute.to_ids,
        frozenset(tags),
    )
