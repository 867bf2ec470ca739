"""The labels of an indicator in the terms of STIX: kill-chain phases and indicator types."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

_TACTICS: Final[Mapping[str, str]] = {  # MITRE ATT&CK, enterprise matrix
    "ta0043": "reconnaissance",
    "ta0042": "resource-development",
    "ta0001": "initial-access",
    "ta0002": "execution",
    "ta0003": "persistence",
    "ta0004": "privilege-escalation",
    "ta0005": "defense-evasion",
    "ta0006": "credential-access",
    "ta0007": "discovery",
    "ta0008": "lateral-movement",
    "ta0009": "collection",
    "ta0011": "command-and-control",
    "ta0010": "exfiltration",
    "ta0040": "impact",
}
_LOCKHEED_MARTIN: Final = frozenset(
    {
        *("reconnaissance", "weaponization", "delivery", "exploitation", "installation", "command-and-control"),
        "actions-on-objectives",
    }
)
_TACTIC_ID: Final = re.compile(r"(?<![a-z0-9])(ta00[0-9]{2})(?![0-9])")
_KILL_CHAIN: Final = re.compile(r'kill-chain[:=]"?([a-z -]+)"?')
# STIX 2.1, section 10.7. `benign` takes an indicator back, and is left out.
_TYPES: Final = frozenset(
    {"anomalous-activity", "anonymization", "attribution", "compromised", "malicious-activity", "unknown"}
)


@lru_cache(maxsize=16_384)  # sets of labels repeat
def phases_of(labels: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Kill chain and phase of each label that names one: a tactic of ATT&CK by its id or as Sigma writes it, or MISP's
    ``kill-chain:Delivery``."""
    return tuple(dict.fromkeys(phase for label in labels for phase in _phases(label.casefold())))


def types_of(labels: Iterable[str]) -> list[str]:
    """The labels that are of STIX's vocabulary of indicator types; ``unknown`` if there is none."""
    return sorted(_TYPES.intersection(label.casefold() for label in labels)) or ["unknown"]


def _phases(label: str) -> Iterable[tuple[str, str]]:
    for found in _TACTIC_ID.finditer(label):
        if found[1] in _TACTICS:
            yield "mitre-attack", _TACTICS[found[1]]
    tactic = label.removeprefix("attack.").replace("_", "-")
    if label.startswith("attack.") and tactic in _TACTICS.values():
        yield "mitre-attack", tactic
    named = _KILL_CHAIN.fullmatch(label)
    if named is not None and (phase := named[1].strip().replace(" ", "-")) in _LOCKHEED_MARTIN:
        yield "lockheed-martin-cyber-kill-chain", phase
