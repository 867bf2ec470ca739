"""What makes a sensor's profile valid. Every mistake is found at once; each names the field that it is in."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from exchange.authority.token_key import TokenUri, is_token
from exchange.errors import ConfigurationError
from producers.fetch import has_scheme, is_url
from producers.follow.places import files_of
from producers.inputs import is_wide
from producers.live.kinds import Kind, followed_kind_of, kind_of
from producers.markings.marked import is_caveat
from producers.profile.model import SECTORS, InputEntry, MarkingEntry, Profile
from producers.readers.csv_columns import FIELDS, REPEATED_FIELDS, may_be_mapped
from producers.readers.formats import AUTO, on_request, readers
from producers.source import STANDARD_INPUT
from producers.spool.layout import is_sensor_name
from producers.yaml_document import Path_
from schemas.markings import Caveat, Pap, SourceMarking, Tlp, understand
from schemas.vocabulary import TYPE_BY_LABEL

_UNRECOGNISED: Final = Caveat.UNRECOGNISED


class Problem(NamedTuple):
    """A mistake: the path of its field, its value, and what to do. ``known`` are the valid values, if they are few."""

    path: Path_
    value: str
    why: str
    known: tuple[str, ...] = ()


def problems(profile: Profile, nations: Sequence[str]) -> Iterator[Problem]:
    """Every mistake of a profile, in the order of its fields. ``nations`` are the parties of the exchange."""
    yield from _one_of(
        ("nation",), profile.nation, nations, "no party of the exchange: its nations are (KAKEHASHI_NATIONS)"
    )
    if not is_sensor_name(profile.sensor):
        yield Problem(("sensor",), profile.sensor, "no name of a sensor: no slashes, at most 200 bytes, not a dot")
    if profile.sector:
        yield from _one_of(("sector",), profile.sector, SECTORS)
    if is_token(profile.key):
        yield from _of_token(profile.key)
    elif profile.key and not _is_readable(Path(profile.key)):
        yield Problem(
            ("key",),
            profile.key,
            f"no readable file: `kakehashi sensor keygen --sensor {profile.sensor} --out FILE` makes a key",
        )
    yield from _of_marking(profile.marking, nations)
    if profile.confidence > profile.confidence_ceiling:
        why = f"above the ceiling of {profile.confidence_ceiling}: lower it, or raise confidence_ceiling"
        yield Problem(("confidence",), str(profile.confidence), why)
    for at, label in enumerate(profile.types):
        yield from _one_of(("types", at), label, TYPE_BY_LABEL)
    if not _is_zone(profile.time_zone):
        yield Problem(("time_zone",), profile.time_zone, "no time zone of the IANA database, as Asia/Tokyo or UTC")
    for at, network in enumerate(profile.home_networks):
        if not _is_network(network):
            yield Problem(("home_networks", at), network, "an address or network, as 198.51.100.0/24")
    for at, rule in enumerate(profile.include):
        yield from _one_of(("include", at), rule, on_request())
    for at, entry in enumerate(profile.inputs):
        yield from _of_input(("inputs", at), entry)
    yield from _of_all_inputs(profile.inputs)


def _of_token(key: str) -> Iterator[Problem]:
    try:
        TokenUri.of(key)
    except ConfigurationError as error:
        yield Problem(("key",), key, str(error))


def _of_marking(marking: MarkingEntry, nations: Sequence[str]) -> Iterator[Problem]:
    """A wrong label here would hold all of a feed."""
    if _UNRECOGNISED in understand(SourceMarking(tlp=marking.tlp)).caveats:
        yield from _one_of(("marking", "tlp"), marking.tlp, (tlp.label for tlp in Tlp))
    if _UNRECOGNISED in understand(SourceMarking(pap=marking.pap)).caveats:
        yield from _one_of(("marking", "pap"), marking.pap, (pap.label for pap in Pap))
    for at, name in enumerate(marking.releasable_to or ()):
        path = ("marking", "releasable_to", at)
        if _UNRECOGNISED in understand(SourceMarking(releasable_to=(name,))).caveats:
            yield Problem(path, name, "ISO 3166-1 alpha-3 codes, as GBR or JPN")
        elif name.strip().upper() not in nations:
            remedy = f"no party of the exchange; its nations are {', '.join(nations)} (KAKEHASHI_NATIONS)"
            yield Problem(path, name, remedy, tuple(nations))
    for at, caveat in enumerate(marking.caveats):
        if not is_caveat(caveat):
            known = (each.value for each in Caveat if each is not _UNRECOGNISED)
            yield from _one_of(("marking", "caveats", at), caveat, known)


def problems_of_reading(path: Path_, entry: InputEntry) -> Iterator[Problem]:
    """The mistakes in how an input is read, wherever it is."""
    yield from _one_of((*path, "format"), entry.format, (AUTO, *readers()))
    if not _is_encoding(entry.encoding):
        yield Problem((*path, "encoding"), entry.encoding, "no such encoding")
    if entry.feed and not entry.snapshot:
        yield Problem((*path, "feed"), entry.feed, "names a snapshot: state snapshot, too")
    for field in ("reviewed", "credentials", "authorities"):
        if (file := getattr(entry, field)) and not _is_readable(Path(file)):
            yield Problem((*path, field), file, "no readable file")
    yield from _of_mapping((*path, "mapping"), entry)


def _of_input(path: Path_, entry: InputEntry) -> Iterator[Problem]:
    name = entry.at
    yield from problems_of_reading(path, entry)
    if entry.snapshot and name == STANDARD_INPUT:
        yield Problem((*path, "snapshot"), name, "needs files: whether standard input was whole cannot be known")
    live = kind_of(name)
    for field in ("credentials", "authorities"):
        if live is None and getattr(entry, field):
            why = "is for a live input, as misp+https://… or taxii+https://…"
            yield Problem((*path, field), getattr(entry, field), why)
    if live is not None:
        yield from _of_live(path, entry, live)
    elif has_scheme(name) and not is_url(name):
        yield Problem(
            (*path, "at"), name, "no input has this scheme: a file, https://…, or a live input as misp+https://…"
        )
    elif entry.follow and name == STANDARD_INPUT:
        yield Problem((*path, "follow"), name, "needs files, folders or patterns: a pipe is followed without it")
    elif entry.follow and entry.snapshot and not is_url(name):
        yield Problem((*path, "follow"), name, "reads what is added: it goes not with snapshot")
    elif not (entry.follow or name == STANDARD_INPUT or is_url(name)):
        yield from _of_files(path, entry)


def _of_files(path: Path_, entry: InputEntry) -> Iterator[Problem]:
    name = entry.at
    try:
        found = files_of(name)
    except OSError:
        yield Problem((*path, "at"), name, "no readable folder")
        return
    if found != [name]:
        if entry.snapshot:
            why = "needs its files by name: one that is missing in a folder would withdraw all of its values"
            yield Problem((*path, "snapshot"), name, why)
        if not found and not Path(name).is_dir():
            yield Problem((*path, "at"), name, "no file matches the pattern")
    for file in found:
        if not _is_readable(Path(file)):
            yield Problem((*path, "at"), file, "no readable file")


def _of_live(path: Path_, entry: InputEntry, live: Kind) -> Iterator[Problem]:
    if entry.snapshot:
        yield Problem((*path, "snapshot"), entry.at, f"{live.name} is no snapshot of a list: remove it")
    if live.format != AUTO and entry.format not in (AUTO, live.format):
        yield Problem((*path, "format"), entry.format, f"{live.name} is read as {live.format}: remove it")
    if live.is_log and entry.format == AUTO:
        yield Problem((*path, "format"), entry.format, f"{live.name} has no beginning to recognise it by: state it")
    if live.follows_only and not entry.follow:
        yield Problem((*path, "follow"), entry.at, f"{live.name} has nothing to read unless it is followed: state it")


def _of_mapping(path: Path_, entry: InputEntry) -> Iterator[Problem]:
    for column, field in entry.mapping.items():
        if field not in FIELDS:
            yield from _one_of((*path, column), field, FIELDS)
        elif not may_be_mapped(column, field):
            why = "a column about sharing is always read as a marking: remove it, or map it to marking"
            yield Problem((*path, column), field, why)
    for field, count in Counter(entry.mapping.values()).items():
        if count > 1 and field in FIELDS and field not in REPEATED_FIELDS:
            yield Problem(path, field, f"{count} columns have this field, which only one can have")


def _of_all_inputs(inputs: Sequence[InputEntry]) -> Iterator[Problem]:
    """Files are followed by one reader, so all of them are read alike."""
    followed = {settings_of(entry) for entry in inputs if entry.follow and followed_kind_of(entry.at) is None}
    if len(followed) > 1:
        why = "files that are followed must agree in format, encoding, columns, mapping and date_format"
        yield Problem(("inputs",), "follow", why)
    for feed in {entry.feed for entry in inputs if entry.snapshot}:
        if len({settings_of(entry) for entry in inputs if entry.snapshot and entry.feed == feed}) > 1:
            why = "the parts of one snapshot must be read alike: give each list a feed of its own"
            yield Problem(("inputs",), feed, why)
    snapshots = [entry for entry in inputs if entry.snapshot]
    lists = Counter(entry.feed for entry in snapshots)
    for feed in sorted({entry.feed for entry in snapshots if entry.follow and lists[entry.feed] > 1}):
        why = "a list that is followed is a snapshot by itself: give each list a feed of its own"
        yield Problem(("inputs",), feed or "snapshot", why)
    named = Counter(entry.at for entry in inputs)
    for at, entry in enumerate(inputs):
        if named[entry.at] > 1 and entry.at == STANDARD_INPUT:
            yield Problem(("inputs", at, "at"), entry.at, "standard input can be read once")


def settings_of(entry: InputEntry) -> bytes:
    """How an input is read, without its place: those that are equal can be read together."""
    return msgspec.json.encode(msgspec.structs.replace(entry, at=""))


def _one_of(path: Path_, value: str, known: Iterable[str], why: str = "one of") -> Iterator[Problem]:
    words = tuple(filter(None, known))
    if value not in words:
        yield Problem(path, value, f"{why} {', '.join(words)}", words)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_encoding(name: str) -> bool:
    try:
        is_wide(name)
    except (LookupError, ValueError):
        return False
    return True


def _is_readable(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir() and os.access(path, os.R_OK)
    except (OSError, ValueError):
        return False
