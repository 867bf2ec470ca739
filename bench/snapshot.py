"""``python -m bench.snapshot PICTURE NATION TARGET HOME``: a whole picture into one output, in a process of its own.

So its peak memory is its own. It prints its cost as a line of JSON.
"""

import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

from bench.role import peak_resident_bytes
from consumers.outputs.carried import carried_by
from consumers.outputs.known import opened
from consumers.outputs.protocol import Held
from consumers.picture.filters import Filter
from consumers.picture.picture import Picture
from exchange.clock import now_ms

_MIB: Final = 1 << 20


def main(path: str, nation: str, text: str, home: str) -> None:
    """One whole write."""
    output, target, writer = opened(text, nation, Path(home))
    carried = carried_by(output, target, Filter())
    with Picture(Path(path), nation, now_ms) as picture:
        before, began, began_cpu = peak_resident_bytes(os.getpid()), time.monotonic(), time.process_time()
        report = writer.write(carried.entries(picture, Counter()), Held(picture.id, "bench", picture.head_us()))
        took_s, cpu_s = time.monotonic() - began, time.process_time() - began_cpu
        peak = peak_resident_bytes(os.getpid())
    writer.close()
    found = {
        "output": output.name,
        "written": report.written,
        "seconds": round(took_s, 2),
        "rate": round(report.written / took_s),
        "cpu_us": round(cpu_s / max(1, report.written) * 1e6, 1),
        "peak_mib": round(peak / _MIB),
        "more_mib": round((peak - before) / _MIB),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
