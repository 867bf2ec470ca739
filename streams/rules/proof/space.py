"""The space of all requests that the schema allows: which attributes there are, and every value each can have.

It is read from the schema. Attributes are flags or of closed sets; nations are any, and two of them stand for all
if values are tried one by one: the rules can only compare them.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import cedarpy
import msgspec

from streams.rules.rule import PolicyError

PRINCIPAL: Final = "principal"
_NATION: Final = "Nation"
_CONTEXT: Final = "context"
# Tried in place of all nations that rules do not distinguish.
ANY_NATION: Final = "OTHER"
_RESOURCE: Final = "Indicator"
_ACTION: Final = {"type": "Action", "id": "release"}

# A flag, a member of a closed set, a set of members, or (optional attributes only) nothing.
Value = bool | str | tuple[str, ...] | None


class Request(msgspec.Struct, frozen=True):
    """One question to the rules: the partner as ``principal``; the indicator's and the link's attributes by name."""

    principal: str
    attributes: dict[str, Value]

    def __str__(self) -> str:
        """The request in one line, for people."""
        attributes = ", ".join(f"{name}: {_words(value)}" for name, value in sorted(self.attributes.items()))
        return f"to {self.principal or 'some nation'}: {attributes}"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its entity type (empty for a flag), its members, and whether it is a set or may be absent.

    ``of_link`` is an attribute of the context: of the link to the partner, and not of the indicator.
    """

    entity_type: str
    members: tuple[str, ...]
    is_set: bool = False
    optional: bool = False
    of_link: bool = False

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
        """Ask Cedar, with the schema on entities and decision. Raises ``ValueError`` for an invalid request."""
        entities, asked = [], []
        for index, request in enumerate(requests):
            uid = {"type": _RESOURCE, "id": str(index)}
            attributes: dict[str, object] = {}
            context: dict[str, object] = {}
            for name, value in request.attributes.items():
                if value is not None:
                    axis = self.axes[name]
                    (context if axis.of_link else attributes)[name] = axis.as_cedar(value)
            entities.append({"uid": uid, "attrs": attributes, "parents": []})
            principal = {"type": _NATION, "id": request.principal}
            asked.append({"principal": principal, "action": _ACTION, "resource": uid, "context": context})
        checked = cedarpy.Entities.from_json_str(json.dumps(entities), self.schema)
        return cedarpy.is_authorized_batch(asked, policies, checked, self.schema)


def space_of(schema_text: str, nations: Iterable[str] = ()) -> Space:
    """Read the space from a schema. ``nations`` are those that rules distinguish.

    Raises ``PolicyError`` if an attribute is neither a flag nor of a closed set, if the indicator and the context have
    one of the same name, and if the schema lists the nations.
    """
    schema = cedarpy.Schema.from_str(schema_text)
    members: dict[str, tuple[str, ...]] = {}
    attributes: dict[str, tuple[str, bool]] = {}
    for line, of_link in _lines_of_interest(str(schema)):
        if line.startswith("entity "):
            name, _, listed = line.removeprefix("entity ").partition(" enum ")
            members[name] = tuple(json.loads(listed.rstrip(";")))
        else:
            name, _, type_name = line.partition(": ")
            if name in attributes:
                raise PolicyError(f"the policy schema has the attribute {name} in the indicator and in the context")
            attributes[name] = type_name.rstrip(","), of_link
    if _NATION in members:
        raise PolicyError(
            f"the policy schema lists the nations: write `entity {_NATION};`, the links say which there are"
        )
    members[_NATION] = (*nations, ANY_NATION)
    axes = {PRINCIPAL: Attribute(_NATION, members[_NATION])}
    for name, (type_name, of_link) in attributes.items():
        inner = type_name.removeprefix("Set<").removesuffix(">")
        if type_name != "Bool" and inner not in members:
            raise PolicyError(f"the attribute {name} of the policy schema is a {type_name}: use a flag or a closed set")
        axes[name.rstrip("?")] = Attribute(
            entity_type="" if type_name == "Bool" else inner,
            members=() if type_name == "Bool" else members[inner],
            is_set=inner != type_name,
            optional=name.endswith("?"),
            of_link=of_link,
        )
    return Space(schema, axes)


def _lines_of_interest(schema: str) -> Iterator[tuple[str, bool]]:
    """The enumerations and the attributes, each with whether it is of the link; Cedar itself writes one a line."""
    block = ""
    for line in map(str.strip, schema.splitlines()):
        if line.startswith("entity ") and " enum [" in line:
            yield line, False
        elif line.startswith("}"):
            block = ""
        elif block:
            yield line, block == _CONTEXT
        elif line in (f"entity {_RESOURCE} = {{", f"{_CONTEXT}: {{"):
            block = line.split()[0].rstrip(":")


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
