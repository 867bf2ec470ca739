"""Reads recorded and made-up inputs the way ``producers.produce`` does, and counts recorded ones without readers."""

import gzip
import io
import json
from collections.abc import Iterable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from producers.inputs import OpenInput
from producers.readers.formats import readers
from producers.readers.reading import Aside, Defaults, LeftOut, Reading, Rejected, Seen
from schemas.markings import SourceMarking
from schemas.observation import Observation

FEEDS = Path(__file__).parents[1] / "feeds"


def an_input(content: bytes, name: str = "made-up", **options: Any) -> OpenInput:
    """An open input of these bytes."""
    return OpenInput(name, io.BytesIO(content), **options)


def readings(format_name: str, content: bytes, **defaults: Any) -> list[Reading]:
    """What became of each piece of made-up bytes."""
    source = an_input(content, encoding=defaults.get("encoding", "utf-8"))
    return _pieces(readers()[format_name].read(source, Defaults(**defaults)))


def observations(found: list[Reading]) -> list[Observation]:
    """What was seen."""
    return [reading.observation for reading in found if isinstance(reading, Seen)]


def refusals(found: list[Reading]) -> list[Rejected]:
    """What was refused."""
    return [reading for reading in found if isinstance(reading, Rejected)]


def left_out(found: list[Reading]) -> list[LeftOut]:
    """The pieces that are no indicators by a rule."""
    return [reading for reading in found if isinstance(reading, LeftOut)]


def recorded(file: str, format_name: str, **defaults: Any) -> list[Reading]:
    """What became of each piece of a recorded feed."""
    with (FEEDS / file).open("rb") as stream:
        source = OpenInput(file, stream, encoding=defaults.get("encoding", "utf-8"))
        return _pieces(readers()[format_name].read(source, Defaults(**defaults)))


def _pieces(found: Iterable[Reading]) -> list[Reading]:
    return [reading for reading in found if not isinstance(reading, Aside)]


def content_of(file: str) -> bytes:
    """A recorded feed's bytes, unpacked."""
    content = (FEEDS / file).read_bytes()
    return gzip.decompress(content) if file.endswith(".gz") else content


def document_of(file: str) -> Any:
    """A recorded JSON document by the standard library."""
    return json.loads(content_of(file))


def lines_of(file: str) -> list[str]:
    """The lines of a recorded list that are neither blank nor comments."""
    text = content_of(file).decode("utf-8-sig")
    return [line.strip() for line in text.split("\n") if line.strip() and not line.startswith("#")]


def manifest() -> list[dict[str, Any]]:
    """What the demo plays."""
    entries: list[dict[str, Any]] = json.loads((FEEDS / "manifest.json").read_text("utf-8"))
    return entries


def defaults_of(options: dict[str, Any]) -> Defaults:
    """The defaults that a manifest entry's options stand for."""
    return Defaults(
        marking=SourceMarking(
            tlp=options.get("tlp", ""),
            pap=options.get("pap", ""),
            releasable_to=tuple(options["releasable-to"]) if "releasable-to" in options else None,
            caveats=tuple(options.get("caveat", ())),
        ),
        confidence=int(options.get("confidence", -1)),
        labels=tuple(options.get("label", ())),
        encoding=options.get("encoding", "utf-8"),
        columns=tuple(options["columns"].split(",")) if "columns" in options else (),
        date_format=options.get("date-format", ""),
        home_networks=tuple(ip_network(text) for text in options.get("home-net", ())),
    )
