"""(l) Outputs: a whole picture into each of them, and how long a change takes from the partner's topic into a tool."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench import changes
from bench.picture import Records, built
from bench.role import answered
from bench.sinks import sink
from bench.stand import PARTNER, SHARDS, Stand, ensure
from consumers.outputs.known import outputs
from exchange.clock import now_ms
from schemas.topics import Topic

TOPIC: Final = "soc.indicators"
LEFT_OUT: Final = {"syslog"}  # its receiver confirms by the end of a connection, which costs more than all else


def measure(stand: Stand, size: int, held: int, rate: int, seconds: float, seed: int) -> dict[str, Any]:
    """``size`` indicators into each output; ``rate`` changes a second beside ``held`` indicators."""
    return {
        "indicators": size,
        "snapshots": snapshots(stand, size, seed, tuple(name for name in outputs() if name not in LEFT_OUT)),
        "changes": changes.measure(stand, held, rate, seconds, seed),
    }


def snapshots(stand: Stand, size: int, seed: int, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """One process for each output, one after the other, over one picture."""
    with tempfile.TemporaryDirectory(prefix="kakehashi-bench-") as name, sink() as url:
        folder = Path(name)
        path = built(folder, Records(size, seed, now_ms()))
        found = []
        for output in names:
            with tempfile.TemporaryDirectory(dir=folder) as own:  # gigabytes: gone before the next one
                for target in _targets(output, Path(own), url, stand):
                    one = answered([sys.executable, "-m", "bench.snapshot", str(path), PARTNER, target, f"{own}/home"])
                    is_folder = output == "stix" and target.endswith("/")
                    found.append(one | ({"output": "stix, a folder"} if is_folder else {}))
                    _show(found[-1])
        return found


def _show(one: dict[str, Any]) -> None:
    line = f"  {one['output']:14} {one['rate']:10,} indicators/s {one['seconds']:8} s {one['peak_mib']:6} MiB"
    print(line, file=sys.stderr, flush=True)


def _targets(name: str, folder: Path, url: str, stand: Stand) -> Iterator[str]:
    secret = folder / "secret"
    secret.write_text("bench\n")
    place = outputs()[name].place
    if place in {"FILE", "DIR"}:
        if place == "FILE":
            yield f"{name}:{folder / name}"
        if place == "DIR" or name == "stix":
            (folder / f"{name}.d").mkdir()
            yield f"{name}:{folder / name}.d/"
    elif name == "kafka":
        ensure(stand.partner, [Topic(TOPIC, "origin and id", SHARDS, compacted=True)])  # an output makes none
        yield f"kafka:{TOPIC}?brokers={stand.partner.bootstrap}"
    else:
        yield f"{name}:{url}{path_of_sink(name, secret)}"


def path_of_sink(name: str, secret: Path) -> str:
    """Where an output finds its receiver in a sink, and its options."""
    return {
        "webhook": f"/hook?secret={secret}",
        "splunk": f"?token={secret}",
        "kvstore": f"/app/collection?token={secret}",
        "elastic": "/bench",
    }[name]
