"""The profile that ``kakehashi sensor init`` writes: every setting with its meaning, the optional ones as comments."""

from collections.abc import Iterator
from typing import Any, Final, get_args

import msgspec
from msgspec import Meta

from producers.profile.model import SCHEMA_NAME, InputEntry, MarkingEntry, Profile

_EXAMPLES: Final = {
    **{"sector": "energy", "key": "sensor.key", "tlp": "TLP:GREEN", "pap": "PAP:AMBER", "releasable_to": "[JPN]"},
    **{"caveats": "[UK EYES ONLY]", "labels": "[c2]", "types": "[domain-name, ipv4-addr, file-sha256]"},
    **{"time_zone": "Asia/Tokyo", "home_networks": "[198.51.100.0/24]", "include": "[not-to-ids]"},
    **{"at": "/var/log/suricata/eve.json", "follow": "true", "snapshot": "true", "feed": "blocklist"},
    **{"format": "csv-list", "encoding": "cp932", "columns": "[date, type, value]", "reviewed": "reviewed.txt"},
    **{"credentials": "misp.secret", "authorities": "ca.pem"},
    **{"mapping": "{Host: domain-name, Seen: first_seen}", "date_format": '"%d/%m/%Y"', "confidence": "60"},
    **{"confidence_ceiling": "80", "rate": "1000", "deadline_s": "60"},
}
_STATED: Final = frozenset({"nation", "sensor"})


def template_of(nation: str, sensor: str) -> str:
    """The text of a new profile, which is valid without a change."""
    name = msgspec.json.encode(sensor).decode()  # a JSON string is a YAML one
    lines = [
        f"# yaml-language-server: $schema={SCHEMA_NAME}",
        "# Remove the # of what you need; `kakehashi sensor check` reports every mistake with its line.",
        f"nation: {nation}",
        f"sensor: {name}",
    ]
    for field, meaning in _fields(Profile):
        if field in _STATED:
            continue
        if field == "marking":
            lines += [
                "",
                "# The default marking. What a feed states applies, too: the stricter of both counts.",
                "# marking:",
            ]
            lines += [f"#   {each}: {_EXAMPLES[each]}  # {text}" for each, text in _fields(MarkingEntry)]
        elif field == "inputs":
            lines += ["", f"# {meaning}", "# inputs:"]
            for number, (each, text) in enumerate(_fields(InputEntry)):
                lines.append(f"#   {' ' if number else '-'} {each}: {_EXAMPLES[each]}  # {text}")
        else:
            lines += ["", f"# {meaning}", f"# {field}: {_EXAMPLES[field]}"]
    return "\n".join(lines) + "\n"


def _fields(shape: type[msgspec.Struct]) -> Iterator[tuple[str, str]]:
    for field in msgspec.structs.fields(shape):
        yield field.name, _meaning(field.type)


def _meaning(annotated: Any) -> str:
    """The descriptions of a type that is annotated, perhaps twice."""
    found = [each.description for each in getattr(annotated, "__metadata__", ()) if isinstance(each, Meta)]
    inner = get_args(annotated)[:1] if hasattr(annotated, "__metadata__") else ()
    return " ".join(filter(None, found)) or (_meaning(inner[0]) if inner else "")
