"""Which rules read an attribute, and the form of a rule if the attribute has one value. Pure, on Cedar's JSON form."""

import json
from typing import Any


def reads(body: str, attribute: str) -> bool:
    """Whether a rule reads the attribute of the indicator."""
    return _reads(json.loads(body), attribute)


def with_value(body: str, attribute: str, entity_type: str, member: str) -> str:
    """The rule with this value in place of the attribute: it decides as the rule does if the attribute has the value.

    Two requests that differ in one attribute are so one request to two rules, and a prover can compare them.
    """
    value = {"Value": {"__entity": {"type": entity_type, "id": member}}}
    return json.dumps(_put(json.loads(body), attribute, value), sort_keys=True, ensure_ascii=False)


def _is_read(node: dict[str, Any], attribute: str) -> bool:
    read = node.get(".")
    return isinstance(read, dict) and read.get("attr") == attribute


def _reads(node: Any, attribute: str) -> bool:
    if isinstance(node, dict):
        return _is_read(node, attribute) or any(_reads(child, attribute) for child in node.values())
    return isinstance(node, list) and any(_reads(child, attribute) for child in node)


def _put(node: Any, attribute: str, value: Any) -> Any:
    if isinstance(node, dict):
        if _is_read(node, attribute):
            return value
        return {name: _put(child, attribute, value) for name, child in node.items()}
    return [_put(child, attribute, value) for child in node] if isinstance(node, list) else node
