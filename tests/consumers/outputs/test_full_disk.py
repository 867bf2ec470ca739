"""An output whose disk is full keeps what it has, says so, and goes on when there is room: no removal is lost."""

import json
import subprocess
import sys
from pathlib import Path

from consumers.outputs.known import outputs


def test_every_output_keeps_its_target_on_a_full_disk_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    own_disk = ["unshare", "--map-root-user", "--mount"]
    permitted = subprocess.run([*own_disk, "true"], capture_output=True, check=False).returncode == 0
    command = [sys.executable, "-m", "tests.consumers.outputs.full_disk", str(tmp_path)]
    done = subprocess.run([*(own_disk if permitted else []), *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each for each in found if each["wrong"]] == []
    on_disk = {each.name for each in outputs().values() if each.place in {"FILE", "DIR"}}
    assert {each["output"] for each in found} == on_disk | {"webhook"}
