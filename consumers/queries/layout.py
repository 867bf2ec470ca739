"""The JSON layout of records: one for a nation's own indicators and for a partner's, one form for each kind of field.

``kakehashi`` prints every record in it, and so does whatever else writes JSON for people's tools (CONTRIBUTING, JSON).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from schemas.markings import Pap, Tlp

_FIRST: Final = ("id", "kind", "version", "origin", "type", "value", "marking")
_MARKING: Final = ("tlp", "pap", "releasable_to", "caveats")


def indicator(record: Mapping[str, Any], nation: str) -> dict[str, Any]:
    """A national or a released record. Fields that both have are at the same place; ``nation`` is the reader's own.

    A released record's content is not nested: its marking is in ``marking``. A record that ended has no content fields.
    """
    released = dict(record.get("content") or {}) if "content" in record else None
    head = {name: value for name, value in record.items() if name != "content"}
    if released is None:
        return plain(_ordered(head | {"origin": nation}))
    if released:
        released["marking"] = {name: released.pop(name) for name in _MARKING if name in released}
    return plain(_ordered(head | released))


def plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """Any record: bytes in hex, codes of TLP and PAP as the labels that people and tools know, all else as it is."""
    return {name: _value(name, value) for name, value in record.items()}


def _ordered(record: Mapping[str, Any]) -> dict[str, Any]:
    """With the fields first that every reader looks for."""
    return {name: record[name] for name in _FIRST if name in record} | dict(record)


def _value(name: str, value: object) -> object:
    match value:
        case _ if name == "original":
            return value  # a source's own text is shown as it wrote it
        case bytes():
            return value.hex()
        case Mapping():
            return plain(cast("Mapping[str, Any]", value))
        case bool() | str():
            return value
        case int() if name in ("tlp", "pap"):
            return _label(Tlp if name == "tlp" else Pap, value)
        case Iterable():
            return [_value("", each) for each in value]
        case _:
            return value


def _label(kind: type[Tlp] | type[Pap], code: int) -> str:
    return kind(code).label if code in kind.__members__.values() else f"code {code}"
