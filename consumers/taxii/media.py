"""Media types and how they are negotiated (TAXII 2.1, 1.6.8 and 3.3; RFC 9110, 12.5.1)."""

from typing import Final

TAXII: Final = "application/taxii+json;version=2.1"
STIX: Final = "application/stix+json;version=2.1"
_TYPE: Final = "application/taxii+json"
_VERSION: Final = "2.1"


def accepts(header: str | None) -> bool:
    """Whether a client that sent this ``Accept`` takes TAXII 2.1. One that sent none takes anything.

    The most specific range that fits decides; a quality of 0, or one that is no number, refuses.
    """
    if header is None:
        return True
    found = [(_fit(*_parts(each)), _quality(_parts(each)[1])) for each in header.split(",")]
    best = max((fit for fit, _ in found), default=0)
    return best > 0 and any(quality > 0 for fit, quality in found if fit == best)


def is_taxii(header: str | None) -> bool:
    """Whether a ``Content-Type`` is TAXII 2.1's."""
    return header is not None and _fit(*_parts(header)) >= 3


def _fit(kind: str, parameters: dict[str, str]) -> int:
    """How specific a media range is that has TAXII 2.1 in it; 0 if it has not."""
    if kind == _TYPE:
        return (4 if parameters["version"] == _VERSION else 0) if "version" in parameters else 3
    return {"application/*": 2, "*/*": 1}.get(kind, 0)


def _parts(text: str) -> tuple[str, dict[str, str]]:
    kind, *parameters = text.split(";")
    pairs = (each.partition("=") for each in parameters)
    return kind.strip().lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _quality(parameters: dict[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 0.0
