"""OASIS's own client pages through a collection that changes under it: nothing is lost, and nothing comes twice.

``python -m tests.consumers.taxii.paging --objects 100000 --seconds 600`` is ``make taxii``. Changes come between pages
as often as objects do, of all kinds; at the end, what the client has is compared with the topic.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from taxii2client.common import TokenAuth  # type: ignore[import-untyped]
from taxii2client.v21 import Server, as_pages  # type: ignore[import-untyped]

from consumers.stix.identifiers import indicator_object_id, timestamp
from schemas.codec import RELEASED_INDICATOR
from schemas.identity import indicator_id, indicator_key
from schemas.records import ReleasedIndicator
from schemas.vocabulary import IndicatorType
from tests.builders import NOW_MS
from tests.consumers.picture.topics import CODEC, World
from tests.consumers.taxii.serving import Served, client, served

_KINDS: Final = ("content", "content", "content", "expired", "revoked", "recalled")
_CHANGED: Final = 20
_PAGE: Final = 500
Version = tuple[str, str]


@dataclass
class Received:
    """What a client has: the latest version of each object, and how often each version came."""

    latest: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: dict[Version, int] = field(default_factory=dict)
    pages: int = 0

    def take(self, page: dict[str, Any]) -> None:
        """One envelope."""
        self.pages += 1
        for each in page.get("objects", []):
            version = (each["id"], each.get("modified") or each["created"])
            self.times[version] = self.times.get(version, 0) + 1
            self.latest[each["id"]] = each

    @property
    def repeated(self) -> list[Version]:
        """Versions that came more than once."""
        return [version for version, times in self.times.items() if times > 1]


def name_of(number: int) -> str:
    """The value of the indicator with this number."""
    return f"n{number}.example"


class Churn:
    """Changes a topic between pages, by a seed."""

    def __init__(self, world: World, objects: int, seed: int) -> None:
        self._world, self._random, self._count, self._version = world, random.Random(seed), objects, NOW_MS
        for number in range(objects):
            world.gbr.release(name_of(number), version=NOW_MS)
        self._keeper = world.keeper()
        self._take_in()

    def close(self) -> None:
        """Give the picture back."""
        self._keeper.close()

    def turn(self) -> None:
        """Some changes of what there is, one that is new, and one deletion."""
        for _ in range(_CHANGED):
            self._version += 2
            number, kind = self._random.randrange(self._count), self._random.choice(_KINDS)
            self._world.gbr.release(name_of(number), version=self._version, record=kind)
        self._version += 2
        self._world.gbr.release(name_of(self._count), version=self._version)
        self._count += 1
        gone = indicator_id(indicator_key(IndicatorType.DOMAIN_NAME, name_of(self._random.randrange(self._count))))
        self._world.gbr.delete(gone)
        self._take_in()

    def _take_in(self) -> None:
        """As a process that follows the topic: erasing rests in between."""
        self._keeper.feed(self._world.origins()["GBR"], CODEC, follow=False)
        self._keeper.tick()


def pages_of(server: Served, limit: int, between: Callable[[], None], turns: int) -> Received:
    """All that a client gets from the beginning on, and then behind the last object that it got, until nothing is new.

    For so many pages, something changes after each. The client hides headers, so its session hands on the added time.
    """
    received, after = Received(), dict[str, str]()
    root = Server(server.url, auth=TokenAuth("soc")).default
    [collection] = [each for each in root.collections if each.alias == "gbr-amber"]

    def note(answer: Any, *_: Any, **__: Any) -> None:
        if last := answer.headers.get("X-TAXII-Date-Added-Last"):
            after["added_after"] = last

    collection._conn.session.hooks["response"].append(note)
    while True:
        before = received.pages
        for page in as_pages(collection.get_objects, per_request=limit, **after):
            received.take(page)
            if received.pages <= turns:
                between()
        if received.pages == before + 1 and not page:
            return received


def compare(world: World, received: Received) -> list[str]:
    """How what the client has differs from the topic."""
    return [*_differences(world, received), *(f"{version} came twice" for version in received.repeated)]


def _differences(world: World, received: Received) -> Iterator[str]:
    expected: dict[str, ReleasedIndicator | None] = {}
    for records in world.gbr.records.values():
        for each in records:
            value = None if each.value is None else CODEC.decode(RELEASED_INDICATOR, each.value)
            expected[(each.key or b"").decode()] = cast("ReleasedIndicator | None", value)
    indicators = {each["id"]: each for each in received.latest.values() if each["type"] == "indicator"}
    for indicator, record in expected.items():
        found = indicators.pop(indicator_object_id("GBR", indicator), None)
        if found is None:
            if record is not None and record["kind"] == "content":
                yield f"{indicator} was lost"
            continue
        if record is None:
            continue  # what had ended before its key was deleted stays as it ended; what was live is revoked
        is_over = found.get("revoked", False) or found.get("valid_until", "9") <= timestamp(record["version"])
        if found["modified"] != timestamp(record["version"]):
            yield f"{indicator}: version {found['modified']} in place of {record['version']}"
        elif is_over != (record["kind"] != "content"):
            yield f"{indicator} is {record['kind']} and was served so: {found}"
        elif record["kind"] == "recalled" and found["name"] != "withdrawn":
            yield f"{indicator} was recalled and has content"
    yield from (f"{unknown} is on no topic" for unknown in indicators)


def main() -> int:
    """``make taxii``: 1 if anything was lost, repeated or too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        with (
            closing(Churn(world, options.objects, options.seed)) as churn,
            served(world, client("soc", requests_a_minute=100_000)) as server,
        ):
            began = time.monotonic()
            received = pages_of(server, _PAGE, churn.turn, turns=options.objects // _PAGE)
            took_s = time.monotonic() - began
        wrong = compare(world, received)
    sys.stdout.write(
        f"{len(received.latest):,} objects in {len(received.times):,} versions on {received.pages:,} pages: "
        f"{took_s:.0f} s, {len(wrong)} wrong\n" + "".join(f"  {each}\n" for each in wrong[:20])
    )
    return int(bool(wrong) or took_s > options.seconds)


if __name__ == "__main__":
    sys.exit(main())
