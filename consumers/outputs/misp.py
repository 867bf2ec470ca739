"""A feed as MISP pulls it: ``manifest.json``, ``hashes.csv``, and an event a file (misp-core-format; MISP's feeds).

The attributes of an origin are in 256 events, by their ids, so that a change rewrites one. Attributes that left are
soft-deleted in it, because MISP keeps what is missing from an event, and go after a stated time; content that
may not be kept goes at once.
"""

import hashlib
import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from consumers.outputs.misp_attribute import (
    TYPES,
    Attribute,
    attribute_of,
    deleted,
    tlp_in,
    tlp_tag,
    uuid_of,
)
from consumers.outputs.places import folder_of, hours_of
from consumers.outputs.protocol import LONGEST_VALUE, Change, Difference, Held, LeftOut, Output, Put, Report, Target
from consumers.outputs.replace_file import replaced_together
from consumers.picture.entry import Entry
from consumers.stix.identifiers import NAMESPACE
from consumers.subscription.changes import State
from exchange.clock import now_ms
from schemas.markings import Activity

_NAME: Final = "misp"
_KEEP_HOURS: Final = 168
_POSITION: Final = ".kakehashi-position"
_PREFIX: Final = len("indicator--")
_LINE: Final = re.compile(rb"[0-9a-f]{32},[0-9a-f-]{36}\n")
_HASH_BYTES: Final = 16  # of an MD5: a feed of a million holds that many bytes for each
_KEEPS_VALUE: Final = frozenset({State.EXPIRED, State.REVOKED})
_Opened = Callable[[Path], AbstractContextManager[BinaryIO]]
Place = tuple[str, str]
"""An event: the origin, and the first two digits of the ids in it."""


class MispFeed:
    """A folder that a web server serves. ``keep_ms`` is how long a soft-deleted attribute stays."""

    def __init__(self, folder: Path, keep_ms: int, clock_ms: Callable[[], int] = now_ms) -> None:
        self._folder, self._keep_ms, self._clock_ms = folder, keep_ms, clock_ms

    def held(self) -> Held | None:
        """By a file in the folder."""
        try:
            return msgspec.json.decode((self._folder / _POSITION).read_bytes(), type=Held)
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """Replace every event whose content differs. Attributes that are not among these are soft-deleted."""
        left_out, written = Counter[LeftOut](), 0
        with replaced_together() as opened:
            feed = _Feed(self._folder, opened, self._clock_ms() // 1000)
            known = set(feed.places())
            for part, group in groupby(_fitting(entries, left_out), key=lambda entry: entry.id[_PREFIX : _PREFIX + 2]):
                puts = defaultdict[str, dict[str, Attribute]](dict)
                for entry in group:
                    attribute = attribute_of(entry)
                    puts[entry.origin][attribute["uuid"]] = attribute
                    written += 1
                for origin, content in puts.items():
                    known.discard((origin, part))
                    self._rewrite(feed, (origin, part), content, None)
            for place in known:
                self._rewrite(feed, place, {}, None)
            removed = feed.removed
            feed.finish(held)
        return Report(written, removed, left_out)

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Replace the events that the changes are about."""
        del whole
        left_out = Counter[LeftOut]()
        puts, ends = defaultdict[Place, dict[str, Attribute]](dict), defaultdict[Place, dict[str, State]](dict)
        for change in changes:
            about = change.entry if isinstance(change, Put) else change
            place, name = (about.origin, about.id[_PREFIX : _PREFIX + 2]), uuid_of(about.origin, about.id)
            ends[place][name] = State.REMOVED if isinstance(change, Put) else change.state
            for entry in _fitting([change.entry], left_out) if isinstance(change, Put) else ():
                puts[place][name] = attribute_of(entry)
        with replaced_together() as opened:
            feed = _Feed(self._folder, opened, self._clock_ms() // 1000)
            for place in sorted(ends):
                self._rewrite(feed, place, puts[place], ends[place])
            removed = feed.removed
            feed.finish(held)
        return Report(0, removed, left_out)

    def check(self, entries: Iterable[Entry]) -> Iterator[Difference]:
        """By the attributes that are not deleted."""
        manifest, seen = _manifest_in(self._folder), set[str]()
        for part, group in groupby(_fitting(entries, Counter()), key=lambda entry: entry.id[_PREFIX : _PREFIX + 2]):
            events = dict[str, dict[str, Attribute]]()
            for entry in group:
                name = event_uuid((entry.origin, part))
                seen.add(name)
                found = events.setdefault(entry.origin, _live(_attributes_in(self._folder, name)))
                wanted = attribute_of(entry)
                there = found.pop(wanted["uuid"], None)
                if there is None or there | {"timestamp": ""} != wanted | {"timestamp": ""}:
                    yield Difference("missing" if there is None else "altered", entry.id)
            for content in events.values():
                yield from (Difference("extra", "", each["uuid"]) for each in content.values())
        for name in manifest.keys() - seen:
            yield from (Difference("extra", "", each) for each in _live(_attributes_in(self._folder, name)))

    def close(self) -> None:
        """Nothing is open between two writes."""

    def _rewrite(
        self, feed: "_Feed", place: Place, puts: Mapping[str, Attribute], ends: Mapping[str, State] | None
    ) -> None:
        """One event. ``ends`` are the removals; None if the entries put are all there are."""
        before, after = _attributes_in(self._folder, event_uuid(place)), dict[str, Attribute]()
        oldest_s = feed.now_s - self._keep_ms // 1000
        for name, old in before.items():
            state = State.REMOVED if ends is None else ends.get(name)
            if name in puts or (state is None and not old["deleted"]):
                after[name] = old
            elif not old["deleted"]:
                after[name] = deleted(old, feed.now_s, keeps_value=state in _KEEPS_VALUE)
                feed.removed += 1
            elif int(old["timestamp"]) > oldest_s:
                may_stay = state is None or state in _KEEPS_VALUE or old["value"] == "withdrawn"
                after[name] = old if may_stay else deleted(old, feed.now_s, keeps_value=False)
        for name, new in puts.items():
            after[name] = _current(new, before.get(name))
        if after != before:
            feed.write(place, after)


class _Feed:
    """The files of a feed while they are written: all take their names together, the position last."""

    def __init__(self, folder: Path, opened: _Opened, now_s: int) -> None:
        self._folder, self._opened, self.now_s, self.removed = folder, opened, now_s, 0
        self._manifest, self._hashes = _manifest_in(folder), dict[str, bytes]()

    def places(self) -> Iterator[Place]:
        """The events that there are."""
        for each in self._manifest.values():
            yield each["Orgc"]["name"], each["info"][-2:]

    def write(self, place: Place, attributes: Mapping[str, Attribute]) -> None:
        """An event, its entry in the manifest, and its hashes."""
        name = event_uuid(place)
        about = self._about(place, attributes, self._manifest.get(name))
        event = {"uuid": name, **about, "published": True, "publish_timestamp": about["timestamp"], "extends_uuid": ""}
        with self._opened(self._folder / f"{name}.json") as file:
            file.write(msgspec.json.encode({"Event": {**event, "Attribute": list(attributes.values())}}))
        self._manifest[name] = about
        self._hashes[name] = b"".join(_hash_of(each) for each in _live(attributes).values())

    def finish(self, held: Held) -> None:
        """The hashes, also of the other events, the manifest and the position."""
        with self._opened(self._folder / "hashes.csv") as file:
            file.writelines(
                line for line in _lines_of(self._folder / "hashes.csv") if line[33:69].decode() not in self._hashes
            )
            for name, hashes in self._hashes.items():
                for start in range(0, len(hashes), _HASH_BYTES):
                    file.write(f"{hashes[start : start + _HASH_BYTES].hex()},{name}\n".encode())
        with self._opened(self._folder / "manifest.json") as file:
            file.write(msgspec.json.encode(self._manifest))
        with self._opened(self._folder / _POSITION) as file:
            file.write(msgspec.json.encode(held))

    def _about(
        self, place: Place, attributes: Mapping[str, Attribute], before: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        origin, part = place
        last_s = int(before["timestamp"]) if before is not None else 0
        strictest = max((tlp_in(each) for each in attributes.values()), default=None)
        return {
            "Orgc": {"name": origin, "uuid": str(uuid.uuid5(NAMESPACE, f"misp|{origin}"))},
            "Tag": [] if strictest is None else [tlp_tag(strictest)],
            "info": f"Kakehashi {origin} {part}",
            "date": before["date"] if before is not None else f"{datetime.fromtimestamp(self.now_s, UTC):%Y-%m-%d}",
            "analysis": "2",
            "threat_level_id": "4",
            "timestamp": str(max(self.now_s, last_s + 1)),
        }


def _hash_of(attribute: Attribute) -> bytes:
    return hashlib.md5(attribute["value"].encode(), usedforsecurity=False).digest()


def _lines_of(path: Path) -> Iterator[bytes]:
    """The lines of an old ``hashes.csv``; invalid ones are skipped."""
    try:
        with path.open("rb") as file:
            yield from filter(_LINE.fullmatch, file)
    except OSError:
        return


def event_uuid(place: Place) -> str:
    """An event's UUID."""
    return str(uuid.uuid5(NAMESPACE, f"misp|{place[0]}|event|{place[1]}"))


def _current(new: Attribute, old: Attribute | None) -> Attribute:
    """The attribute as it is now. `timestamp` never goes back, so that MISP takes what is new."""
    if old is None or old | {"timestamp": ""} == new | {"timestamp": ""}:
        return new if old is None else old
    return new | {"timestamp": str(max(int(new["timestamp"]), int(old["timestamp"]) + 1))}


def _attributes_in(folder: Path, name: str) -> dict[str, Attribute]:
    try:
        event = msgspec.json.decode((folder / f"{name}.json").read_bytes())["Event"]
        return {each["uuid"]: each for each in event["Attribute"] if int(each["timestamp"]) >= 0 and each["Tag"]}
    except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError):
        return {}


def _manifest_in(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        found = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=dict[str, dict[str, Any]])
        return {name: each for name, each in found.items() if each["info"] and each["Orgc"]["name"] and each["date"]}
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return {}


def _live(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    return {name: each for name, each in attributes.items() if not each["deleted"]}


def _fitting(entries: Iterable[Entry], left_out: Counter[LeftOut]) -> Iterator[Entry]:
    for entry in entries:
        if len(entry.value) > LONGEST_VALUE:
            left_out[LeftOut.LIMIT] += 1
        elif not entry.value or entry.value.strip() != entry.value or "\0" in entry.value:
            left_out[LeftOut.VALUE] += 1  # MISP cuts blanks off, which makes another value
        else:
            yield entry


def _open(target: Target) -> MispFeed:
    return MispFeed(folder_of(target, _NAME), hours_of(target, _NAME, "keep", _KEEP_HOURS) * 3_600_000)


OUTPUT: Final = Output(
    name=_NAME,
    writes="MISP feed: events, `manifest.json`, `hashes.csv`",
    place="DIR",
    carries=frozenset(TYPES),
    activity=Activity.PASSIVE_LOCAL,
    merges=False,
    open=_open,
    options={"keep": f"hours that what left stays soft-deleted, `{_KEEP_HOURS}` if not given"},
)
