"""The space of all requests that the schema allows: which attributes there are, and every value each can have.

It is read from the schema and finite, because the schema has closed sets and flags only.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import cedarpy
import msgspec

from streams.rules.rule import PolicyError

PRINCIPAL: Final = "principal"
_RESOURCE: Final = "Indicator"
_ACTION: Final = {"type": "Action", "id": "release"}

# A flag, a member of a closed set, a set of members, or (optional attributes only) nothing.
Value = bool | str | tuple[str, ...] | None


class Request(msgspec.Struct, frozen=True):
    """One question to the rules: the partner as ``principal`` and the indicator's attributes by name."""

    principal: str
    attributes: dict[str, Value]

    def __str__(self) -> str:
        """The request in one line, for people."""
        said = ", ".join(f"{name}: {_words(value)}" for name, value in sorted(self.attributes.items()))
        return f"to {self.principal}: {said}"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its entity type (none for a flag), its members, and whether it is a set or may be absent."""

    entity_type: str
    members: tuple[str, ...]
    is_set: bool = False
    optional: bool = False

    def values(self) -> tuple[Value, ...]:
        """Every value that it can have."""
        if not self.entity_type:
            return (False, True)
        if not self.is_set:
            return self.members
        sizes = range(len(self.members) + 1)
        sets = tuple(subset for size in sizes for subset in itertools.combinations(self.members, size))
        return (None, *sets) if self.optional else sets

    def as_cedar(self, value: Value) -> object:
        """The value in Cedar's JSON form."""
        if isinstance(value, tuple):
            return [_entity(self.entity_type, member) for member in value]
        return _entity(self.entity_type, value) if isinstance(value, str) else value


@dataclass(frozen=True)
class Space:
    """All requests of one schema. ``axes`` are the attributes by name, the principal among them."""

    schema: cedarpy.Schema
    axes: Mapping[str, Attribute]

    def evaluate(self, policies: cedarpy.PolicySet, requests: Sequence[Request]) -> list[cedarpy.AuthzResult]:
        """Ask Cedar, with the schema on entities and decision. Raises ``ValueError`` for what is no request."""
        entities, asked = [], []
        for index, request in enumerate(requests):
            uid = {"type": _RESOURCE, "id": str(index)}
            stated = {name: value for name, value in request.attributes.items() if value is not None}
            attributes = {name: self.axes[name].as_cedar(value) for name, value in stated.items()}
            entities.append({"uid": uid, "attrs": attributes, "parents": []})
            principal = {"type": self.axes[PRINCIPAL].entity_type, "id": request.principal}
            asked.append({"principal": principal, "action": _ACTION, "resource": uid, "context": {}})
        checked = cedarpy.Entities.from_json_str(json.dumps(entities), self.schema)
        return cedarpy.is_authorized_batch(asked, policies, checked, self.schema)


def space_of(schema_text: str) -> Space:
    """Read the space from a schema. Raises ``PolicyError`` where an attribute is neither a flag nor of a closed set."""
    schema = cedarpy.Schema.from_str(schema_text)
    members: dict[str, tuple[str, ...]] = {}
    attributes: dict[str, str] = {}
    for line in _lines_of_interest(str(schema)):
        if line.startswith("entity "):
            name, _, listed = line.removeprefix("entity ").partition(" enum ")
            members[name] = tuple(json.loads(listed.rstrip(";")))
        else:
            name, _, type_name = line.partition(": ")
            attributes[name] = type_name.rstrip(",")
    axes = {PRINCIPAL: Attribute("Nation", members["Nation"])}
    for name, type_name in attributes.items():
        inner = type_name.removeprefix("Set<").removesuffix(">")
        if type_name != "Bool" and inner not in members:
            raise PolicyError(f"the attribute {name} of the policy schema is a {type_name}: use a flag or a closed set")
        axes[name.rstrip("?")] = Attribute(
            entity_type="" if type_name == "Bool" else inner,
            members=() if type_name == "Bool" else members[inner],
            is_set=inner != type_name,
            optional=name.endswith("?"),
        )
    return Space(schema, axes)


def _lines_of_interest(schema: str) -> Iterator[str]:
    """The enumerations and the indicator's attributes, of a schema as Cedar itself writes it, one a line."""
    inside = False
    for line in map(str.strip, schema.splitlines()):
        if line.startswith("entity ") and " enum [" in line:
            yield line
        inside = inside and line != "};"
        if inside:
            yield line
        inside = inside or line == f"entity {_RESOURCE} = {{"


def _entity(entity_type: str, name: str) -> dict[str, dict[str, str]]:
    return {"__entity": {"type": entity_type, "id": name}}


def _words(value: Value) -> str:
    match value:
        case None:
            return "not stated"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(value) or "none"
        case _:
            return value
