"""What the door makes of an input: one outcome for each piece, in the words of the tables beside the inputs."""

import tomllib
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from producers.inputs import OpenInput
from producers.readers.formats import AUTO, readings_of
from producers.readers.reading import Aside, Defaults, LeftOut, Rejected, Seen, Withdrawn
from schemas.markings import SourceMarking, understand
from schemas.normalise import Invalid, canonical

INPUTS: Final = Path(__file__).parent / "inputs"
_FORBIDDEN_ALONE: Final = {"kind", "readings", "format", "name", "note"}
Outcome = dict[str, Any]


def inputs() -> list[Path]:
    """All inputs that have a table."""
    return sorted(path.with_suffix("") for path in INPUTS.glob("*.toml"))


def table_of(path: Path) -> dict[str, Any]:
    """The options and the expected outcomes of an input."""
    return tomllib.loads(path.with_name(f"{path.name}.toml").read_text("utf-8"))


def outcomes(path: Path, table: dict[str, Any]) -> Iterator[Outcome]:
    """The outcomes of an input, in its order."""
    with path.open("rb") as stream:
        defaults = defaults_of({key: value for key, value in table.items() if key not in _FORBIDDEN_ALONE})
        source = OpenInput(table.get("name", path.name), stream, encoding=defaults.encoding)
        readings, _ = readings_of(source, table.get("format", AUTO), defaults)
        for reading in readings:
            if not isinstance(reading, Aside):
                yield outcome_of(reading)


def defaults_of(options: dict[str, Any]) -> Defaults:
    """The operator's options. Raises TypeError for one that does not exist."""
    marking = SourceMarking(
        tlp=options.pop("tlp", "TLP:GREEN"),
        pap=options.pop("pap", ""),
        releasable_to=tuple(options.pop("releasable_to")) if "releasable_to" in options else None,
        caveats=tuple(options.pop("caveats", ())),
    )
    networks = tuple(map(ip_network, options.pop("home_networks", ())))
    columns = tuple(options.pop("columns", ()))
    return Defaults(marking=marking, home_networks=networks, columns=columns, **options)


def marking_text(marking: SourceMarking) -> str:
    """A marking as the tables write it."""
    found = understand(marking)
    text = " ".join(filter(None, (found.tlp.label or "unmarked", found.pap.label)))
    if marking.releasable_to is not None:
        text += f" to {','.join(found.releasable_to or ()) or 'nobody'}"
    return " + ".join((text, *map(str, found.caveats)))


def outcome_of(reading: Seen | Rejected | LeftOut) -> Outcome:
    at: Outcome = {"line": reading.place.line}
    if isinstance(reading, Withdrawn):
        return at | {"withdrawn": reading.rule, "type": reading.kind.label, "value": reading.value}
    if isinstance(reading, LeftOut):
        return at | {"left_out": reading.rule}
    if isinstance(reading, Rejected):
        return at | {"refused": str(reading.reason), "detail": reading.detail}
    seen = reading.observation
    spelled = canonical(seen.kind, seen.value)
    if isinstance(spelled, Invalid):
        return at | {"refused": str(spelled.reason), "detail": spelled.detail}
    found = at | {"type": spelled[0].label, "value": spelled[1], "marking": marking_text(seen.marking)}
    if seen.withdrawal is not None:
        found["withdrawal"] = seen.withdrawal.label
    return found | {
        "first_seen": seen.first_seen_ms,
        "last_seen": seen.last_seen_ms,
        "valid_until": seen.valid_until_ms,
        "count": seen.count,
        "confidence": seen.confidence,
        "labels": list(seen.labels),
        "description": seen.description,
        "marking_from": list(reading.marking_from),
    }
