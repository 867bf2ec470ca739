"""Are all versions of each record FULL_TRANSITIVE? Run by ``make check``: ``python -m tests.schemas.compatibility``.

FULL_TRANSITIVE: every version reads what every other has written, so that both nations may upgrade in any order.
The judge is Apache Avro's own reader/writer check, not ours.
"""

import json
import sys
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from typing import Any, Final

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

import schemas

AVRO: Final = Path(schemas.__file__).parent / "avro"


def versions(folder: Path = AVRO) -> dict[str, dict[int, str]]:
    """The schema texts of ``<record>.v<n>.avsc`` by record and version."""
    found: dict[str, dict[int, str]] = {}
    for path in sorted(folder.glob("*.avsc")):
        record, _, number = path.stem.rpartition(".v")
        found.setdefault(record, {})[int(number)] = path.read_text("utf-8")
    return found


def incompatibilities(record: str, texts: Mapping[int, str]) -> list[str]:
    """Which version cannot read which, and why; empty if all read all."""
    parsed = {number: parse(_under_one_namespace(text)) for number, text in texts.items()}
    found = []
    for reader, writer in permutations(parsed, 2):
        checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
        result = checker.get_compatibility(parsed[reader], parsed[writer])
        if result.compatibility is not SchemaCompatibilityType.compatible:
            why = "; ".join(sorted(result.messages))
            found.append(f"{record}: v{reader} cannot read what v{writer} wrote: {why} at {sorted(result.locations)}")
    return found


def _under_one_namespace(text: str) -> str:
    """A version may stand in its own namespace: names are compared without."""
    schema: dict[str, Any] = json.loads(text)
    return json.dumps(schema | {"namespace": "org.kakehashi"})


def main() -> int:
    """Print what is wrong; 1 if something is."""
    wrong = [line for record, texts in versions().items() for line in incompatibilities(record, texts)]
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
