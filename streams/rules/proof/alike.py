"""Which values of an attribute a condition cannot tell apart, read from its JSON form.

A condition that asks a set only whether it contains members that it names, and whether it is empty, has the same result
for two sets that have the same of these members and either both have others or both have none. One of them is enough.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from streams.rules.proof.space import Value

_OF_A_SET: Final = frozenset({"contains", "containsAny", "containsAll", "isEmpty"})


def alike(condition: Any, attribute: str, values: Sequence[Value]) -> tuple[int, ...]:
    """For each value of the attribute, the place of the first one that the condition surely treats alike."""
    asked = set(_asked(condition, attribute))
    first: dict[object, int] = {}

    def kind(value: Value) -> object:
        if not isinstance(value, tuple) or None in asked:
            return value
        return frozenset(asked.intersection(value)), not asked.issuperset(value)

    return tuple(first.setdefault(kind(value), place) for place, value in enumerate(values))


def _asked(node: Any, attribute: str) -> Iterator[str | None]:
    """The members that an expression looks for in the attribute; None for any other use of its value."""
    if isinstance(node, list):
        for child in node:
            yield from _asked(child, attribute)
    if not isinstance(node, dict):
        return
    for operator, operands in node.items():
        if operator in _OF_A_SET and _reads(operands.get("left", operands.get("arg")), attribute):
            yield from _members(operands.get("right", {"Set": []}))
        elif _reads({operator: operands}, attribute):
            yield None
        else:
            yield from _asked(operands, attribute)


def _reads(node: Any, attribute: str) -> bool:
    """Whether an expression is the attribute's value itself."""
    return isinstance(node, dict) and isinstance(node.get("."), dict) and node["."].get("attr") == attribute


def _members(node: Any) -> Iterator[str | None]:
    """The members that a literal names; None if it is not a literal."""
    match node:
        case {"Value": {"__entity": {"id": str(name)}}}:
            yield name
        case {"Set": list(elements)}:
            for element in elements:
                yield from _members(element)
        case _:
            yield None
