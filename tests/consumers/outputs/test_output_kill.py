"""An output that is killed at any moment leaves its target as it was before a turn, or as it is after it."""

import subprocess
import sys
import threading
from pathlib import Path
from random import Random

import pytest

from consumers.outputs.known import outputs
from consumers.outputs.protocol import Held, Output, Target
from tests.consumers.outputs.killed_writer import PICTURE, changes_at, content_at
from tests.consumers.outputs.test_output_laws import whole

KILLS = 3
ON_DISK = [output for output in outputs().values() if output.place in {"FILE", "DIR"}]


@pytest.mark.parametrize("output", ON_DISK, ids=lambda output: output.name)
def test_a_killed_output_leaves_a_whole_target_and_goes_on(output: Output, tmp_path: Path) -> None:
    place = tmp_path / "target"
    if output.place == "DIR":
        place.mkdir()
    chance, last = Random(output.name), 0
    for _ in range(KILLS):
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.consumers.outputs.killed_writer", output.name, str(place), "7"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert worker.stdout is not None
        assert worker.stdout.readline() == ".\n"
        timer = threading.Timer(chance.uniform(0.0, 0.1), worker.kill)
        timer.start()
        worker.wait()
        worker.stdout.close()
        writer = output.open(Target("JPN", str(place)))
        held = writer.held()
        assert held is not None
        assert held.picture == PICTURE
        assert held.added_us > last  # it went on
        last = held.added_us
        if output.place == "FILE":
            assert list(writer.check(iter(content_at(output, last)))) == []
        last += 1  # several files of a folder may be of two turns: the next turn makes them one again
        after = content_at(output, last)
        writer.apply(changes_at(output, last), Held(PICTURE, "all", last), whole(after))
        assert list(writer.check(iter(after))) == []
        writer.close()
