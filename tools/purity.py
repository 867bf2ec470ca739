"""Refuses impure imports and calls in pure files: Kafka, Faust, the clock, the operating system, threads, randomness.

``python -m tools.purity`` checks the repository. A pure file imports only the value types in ``VALUES`` from
``exchange``, and only pure files from ``streams``: what it computes depends on its arguments alone. The files in
``IMPURE`` read a disk, run a program or follow a topic; pure files get their results as arguments.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
ROOMS: Final = ("schemas", "streams", "consumers/stix", "producers/conformance")
IMPURE: Final = (
    "streams.audit.log",  # the audit on a cluster
    "streams.enrichment.installed",  # the machine's data files
    "streams.enrichment.warninglist_cache",
    "streams.repair",  # reads topics, writes a changelog
    "streams.rules.proof.analyser",  # runs Cedar's analyser
    "streams.rules.rulebook",  # follows policy.v1
    "streams.settle.feed",  # looks for copies in topics
    "streams.worker",  # Faust, threads
)
VALUES: Final = frozenset(
    {
        "exchange.authority.policy_record",
        "exchange.authority.roster",
        "exchange.authority.sensor_keys",
        "exchange.errors",
        "exchange.metrics.labels",
        "exchange.metrics.spec",
        "exchange.protocol.effects",
        "exchange.protocol.record",
        "exchange.protocol.rows",
        "exchange.protocol.step",
    }
)
FORBIDDEN: Final = frozenset(
    {
        "aiokafka", "asyncio", "builtins", "confluent_kafka", "ctypes", "faust", "http", "logging", "mode",
        "multiprocessing", "os", "prometheus_client", "queue", "random", "rocksdict", "secrets", "select",
        "selectors", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading",
        "time", "urllib"
    }
)  # fmt: skip
CALLS: Final = frozenset({"__import__", "import_module", "now", "today", "utcnow", "uuid1", "uuid4"})


def findings(source: str, module: str) -> Iterator[str]:
    """The violations in the file ``module`` with this text, one sentence each."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.Call):
            continue
        for name in _imported(node):
            if name.partition(".")[0] in FORBIDDEN:
                yield f"{module}:{node.lineno}: imports {name}: pass what it needs as an argument"
            elif name.startswith("exchange.") and not _is_in(name, VALUES):
                yield f"{module}:{node.lineno}: imports {name}, which is no value type (tools/purity.py, VALUES)"
            elif _is_in(name, IMPURE):
                yield f"{module}:{node.lineno}: imports {name}, which is not pure"
        called = node.func if isinstance(node, ast.Call) else None
        name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        if name in CALLS:
            yield f"{module}:{node.lineno}: calls {name}: pass time, randomness and code as arguments"


def _imported(node: ast.AST) -> list[str]:
    """The full names that a statement imports."""
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module or '.'}.{each.name}" for each in node.names]
    return []


def _is_in(name: str, modules: frozenset[str] | tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def pure_files() -> dict[str, Path]:
    """Every file that has to be pure, by its module's name."""
    paths = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    named = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}
    return {module: path for module, path in named.items() if not _is_in(module, IMPURE)}


def main() -> int:
    """Print every finding; 1 if there is any."""
    found = [each for module, path in pure_files().items() for each in findings(path.read_text("utf-8"), module)]
    for each in found:
        sys.stderr.write(f"{each}\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
