"""``python -m bench.reading FILE SMALL``: a file through its reader, as ``produce`` reads it, in a process of its own.

So its peak memory is its own. The small file of the same format is read before: work done once in a process is no
part of a rate. It prints its cost as a line of JSON.
"""

import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from bench.role import peak_resident_bytes
from producers.inputs import OpenInput
from producers.readers.formats import AUTO, readings_of
from producers.readers.reading import Defaults, Rejected, Seen
from schemas.markings import SourceMarking

_DEFAULTS: Final = Defaults(marking=SourceMarking(tlp="TLP:GREEN"), confidence=80)


def main(path: Path, small: Path) -> None:
    """One file, whose format is detected."""
    read(small)
    found = read(path) | {"peak_bytes": peak_resident_bytes(os.getpid())}
    sys.stdout.write(json.dumps(found) + "\n")


def read(path: Path) -> dict[str, Any]:
    """The readings of a file, counted; its format is detected."""
    with path.open("rb") as stream:
        began = time.process_time()
        source = OpenInput(path.name, stream)
        readings, reader = readings_of(source, AUTO, _DEFAULTS)
        counts = Counter(map(type, readings))
        cpu_s = time.process_time() - began
    return {
        "reader": reader.name if reader else "",
        "records": source.records,
        "seen": counts[Seen],
        "rejected": counts[Rejected],
        "cpu_s": cpu_s,
    }


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
