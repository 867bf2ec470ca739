"""How long a change takes from the partner's topic into a tool: a Suricata file, a TAXII answer, a search index.

The processes are those that a SOC runs: ``kakehashi output run``, which keeps the picture too, and ``kakehashi taxii
serve``. One process sends the records and looks at the tools, so both times are of one clock. A change is there as soon
as the file has its line, an answer has its object, or the index gives its document by its id.
"""

import base64
import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from bench.latency import summary
from bench.picture import Records
from bench.publish import Publisher, Sending
from bench.released import release
from bench.role import Role, cpu_seconds, free_port
from bench.stand import HOME, PARTNER, SHARDS, Stand
from consumers.stix.identifiers import indicator_object_id
from consumers.taxii.clients import digest_of
from consumers.taxii.collections import alias_of, collections_of
from exchange.clock import now_ms
from exchange.errors import FatalError
from exchange.kafka.clients import idempotent_producer
from schemas.codec import RELEASED_INDICATOR, Codec
from schemas.identity import indicator_id, indicator_key, shard_of_key
from schemas.markings import Tlp
from schemas.topics import accepted
from schemas.vocabulary import IndicatorType

_TOKEN: Final = "bench"  # noqa: S105  # of a server that listens on this machine, and ends with the bench
_WARM_UP_S: Final = 20.0  # the index's Java process compiles what it runs for so long; a real one has run for days
_LOST_S: Final = 60.0
_LOOK_S: Final = 0.02
_ASKED: Final = 1_000
_EACH: Final = 20  # every so many changes are looked for: looking for all of them takes from the tools' time


def measure(stand: Stand, held: int, rate: int, seconds: float, seed: int) -> list[dict[str, Any]]:
    """Percentiles for each tool, and the processor time of the two processes in parts of a core."""
    stand.refresh()
    folder = stand.folder / "outputs"
    folder.mkdir(exist_ok=True)
    (folder / "suricata").mkdir()
    records, port, codec = Records(held, seed, now_ms()), free_port(), Codec()
    Publisher(stand.partner).publish(_sendings(records), accepted(HOME))
    with ExitStack() as running:
        targets, node = [f"suricata:{folder}/suricata"], running.enter_context(_search(folder))
        targets += [f"elastic:{node}/kakehashi"] if node else []
        output = _output(stand, folder, targets, running)
        taxii = _taxii(stand, folder, port, running)
        for role in (output, taxii):
            role.await_ready()
        tools: dict[str, _Tool] = {"Suricata's file": _Suricata(folder / "suricata"), "TAXII answer": _Taxii(port)}
        if node:
            tools["OpenSearch document"] = _Index(node)
        probes = _Probes(stand, codec, rate, tools)
        probes.run(_WARM_UP_S)
        began, used = time.monotonic(), [cpu_seconds(role.pid) for role in (output, taxii)]
        taken = probes.run(seconds)
        spent = [cpu_seconds(role.pid) - before for role, before in zip((output, taxii), used, strict=True)]
        busy = [round(each / (time.monotonic() - began), 2) for each in spent]
        for role in (output, taxii):
            role.check()
    about = {"held": held, "rate": rate, "output_busy": busy[0], "taxii_busy": busy[1]}
    return [{"tool": tool, **about, **summary(each)} for tool, each in taken.items()]


class _Probe(NamedTuple):
    """A new indicator."""

    identifier: str
    value: str


class _Tool(Protocol):
    """A tool that changes arrive in. Every ``each``th is looked for, every ``every_s`` seconds."""

    each: int
    every_s: float

    def look(self, missing: set[_Probe]) -> Sequence[_Probe]:
        """Given the probes that are not there yet, those of them that are there now."""
        ...


class _Probes:
    """Sends new indicators at an even pace, and looks in the tools for them."""

    def __init__(self, stand: Stand, codec: Codec, rate: int, tools: dict[str, _Tool]) -> None:
        self._producer = idempotent_producer(stand.partner, **{"linger.ms": 0})
        self._codec, self._rate, self._tools, self._number = codec, rate, tools, 0
        self._sent: dict[_Probe, float] = {}
        self._watched: dict[str, set[_Probe]] = {}
        self._lock = threading.Lock()

    def run(self, seconds: float) -> dict[str, list[float]]:
        """Milliseconds from before sending until each tool has it. Raises FatalError if one is lost."""
        with self._lock:
            self._sent.clear()
            self._watched = {tool: set() for tool in self._tools}
        sending, ended = threading.Event(), threading.Event()
        taken: dict[str, list[float]] = {tool: [] for tool in self._tools}
        watchers = [
            threading.Thread(target=self._watch, args=(tool, taken[tool], sending, ended), daemon=True)
            for tool in self._tools
        ]
        for each in watchers:
            each.start()
        self._send(seconds)
        sending.set()
        for each in watchers:
            each.join(_LOST_S)
        ended.set()
        lost = {tool: missing for tool, found in taken.items() if (missing := len(self._watched[tool]) - len(found))}
        if lost:
            raise FatalError(f"changes that did not arrive within {_LOST_S:g} s: {lost}")
        return taken

    def _send(self, seconds: float) -> None:
        began, topic = time.monotonic(), accepted(HOME)
        for place in range(int(seconds * self._rate)):
            wait_s = began + place / self._rate - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            self._number += 1
            value = f"probe{self._number}.example"
            key = indicator_key(IndicatorType.DOMAIN_NAME, value)
            probe = _Probe(indicator_id(key), value)
            record = release(probe.identifier, IndicatorType.DOMAIN_NAME, value, now_ms())
            encoded = self._codec.encode(RELEASED_INDICATOR, record)
            with self._lock:
                self._sent[probe] = time.monotonic()
                for tool, about in self._tools.items():
                    if place % about.each == 0:
                        self._watched[tool].add(probe)
            self._producer.produce(topic, encoded, probe.identifier.encode(), shard_of_key(key, SHARDS))
            self._producer.poll(0)
        self._producer.flush(_LOST_S)

    def _watch(self, name: str, taken: list[float], sent: threading.Event, ended: threading.Event) -> None:
        seen, tool = set[_Probe](), self._tools[name]
        while not ended.is_set():
            is_all = sent.is_set()
            with self._lock:
                missing = self._watched[name] - seen
            found = tool.look(missing) if missing else []
            now_s = time.monotonic()
            with self._lock:
                taken += [(now_s - self._sent[each]) * 1000 for each in found]
            seen.update(found)
            if is_all and len(found) == len(missing):
                return
            time.sleep(tool.every_s)


class _Suricata:
    """The file of names."""

    each, every_s = _EACH, _LOOK_S

    def __init__(self, folder: Path) -> None:
        self._file, self._last, self._there = folder / "kakehashi-domain.lst", (0, 0), set[bytes]()

    def look(self, missing: set[_Probe]) -> Sequence[_Probe]:
        """Read it if it was replaced."""
        found = self._file.stat()
        if (found.st_ino, found.st_mtime_ns) != self._last:
            self._last = (found.st_ino, found.st_mtime_ns)
            self._there = set(self._file.read_bytes().splitlines())
        return [each for each in missing if base64.b64encode(each.value.encode()) in self._there]


class _Taxii:
    """A client that polls behind the last object that it got."""

    each, every_s = _EACH, _LOOK_S

    def __init__(self, port: int) -> None:
        credentials = base64.b64encode(f"{_TOKEN}:{_TOKEN}".encode()).decode()
        self._headers = {"Accept": "application/taxii+json;version=2.1", "Authorization": f"Basic {credentials}"}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_LOST_S)
        collection = collections_of(PARTNER, (HOME,))[alias_of(HOME, Tlp.AMBER)].id
        self._place = f"/{PARTNER.lower()}/collections/{collection}/objects/"
        self._after, self._there = "", set[str]()
        while len(self._page()) >= _ASKED:
            pass

    def look(self, missing: set[_Probe]) -> Sequence[_Probe]:
        """One page, and what came before it: something may be sent and served while a page is on its way."""
        self._there.update(each["id"] for each in self._page())
        return [each for each in missing if indicator_object_id(HOME, each.identifier) in self._there]

    def _page(self) -> list[dict[str, Any]]:
        query = f"?match%5Btype%5D=indicator&limit={_ASKED}" + (f"&added_after={self._after}" if self._after else "")
        try:
            self._connection.request("GET", self._place + query, headers=self._headers)
            answer = self._connection.getresponse()
        except http.client.RemoteDisconnected:  # it was idle between two runs for longer than the server allows
            self._connection.close()
            self._connection.request("GET", self._place + query, headers=self._headers)
            answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            raise FatalError(f"TAXII answers {answer.status}: {body[:200]!r}")
        self._after = answer.headers.get("X-TAXII-Date-Added-Last") or self._after
        found: list[dict[str, Any]] = json.loads(body).get("objects", [])
        return found


class _Index:
    """An index of OpenSearch, asked by ids: it answers from its log, before a search finds the document."""

    each, every_s = _EACH, 5 * _LOOK_S

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_LOST_S)

    def look(self, missing: set[_Probe]) -> Sequence[_Probe]:
        """So many of them at once."""
        asked = sorted(missing)[:_ASKED]
        body = json.dumps({"ids": [f"{PARTNER}/{HOME}/{each.identifier}" for each in asked]})
        headers = {"content-type": "application/json"}
        self._connection.request("POST", "/kakehashi/_mget?_source=false", body, headers)
        documents = json.loads(self._connection.getresponse().read())["docs"]
        return [each for each, document in zip(asked, documents, strict=True) if document.get("found")]


def _sendings(records: Records) -> Iterator[Sending]:
    for partition, (start, end) in records.look().bounds.items():
        for each in records.read(partition, start, end):
            yield Sending(partition, each.key or b"", each.value or b"")


def _output(stand: Stand, folder: Path, targets: Sequence[str], running: ExitStack) -> Role:
    words = ["kakehashi", "output", "run", "--nation", PARTNER, "--partner", HOME]
    for each in targets:
        words += ["--to", each]
    return running.enter_context(Role.start("output", words, stand.environment(), folder))


def _taxii(stand: Stand, folder: Path, port: int, running: ExitStack) -> Role:
    clients = folder / "clients.toml"
    limits = 'activity = "passive-local"\nrequests_a_minute = 1000000\n'
    clients.write_text(
        f'[[client]]\nname = "{_TOKEN}"\nceiling = "TLP:AMBER"\ntokens = ["{digest_of(_TOKEN)}"]\n{limits}'
    )
    words = ["kakehashi", "taxii", "serve", "--nation", PARTNER, "--clients", str(clients), "--port", str(port)]
    return running.enter_context(Role.start("taxii", words, stand.environment(), folder))


@contextmanager
def _search(folder: Path) -> Iterator[str]:
    """The URL of an OpenSearch as `make search` runs it; empty if it was not fetched."""
    from localkafka.jars import cache_folder
    from tests.search import opensearch

    if not cache_folder({}).with_name(f"opensearch-{opensearch.VERSION}").is_dir():
        yield ""
        return
    with opensearch.running(folder) as url:
        yield url
