"""``kakehashi produce --follow`` that is stopped: its summary, since it has no other end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from exchange.errors import Exit


def test_what_was_read_is_summed_up_when_a_follower_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.example.com\nb.example.com\nno indicator\n", "utf-8")
    environ = os.environ | {"KAKEHASHI_HOME": str(tmp_path / "home"), "KAKEHASHI_GBR_BOOTSTRAP": "127.0.0.1:1"}
    options = ("--nation", "GBR", "--sensor", "edge-1", "--tlp", "TLP:GREEN", "--follow", str(tmp_path / "list.txt"))
    command = (sys.executable, "-m", "kakehashi", "produce", *options)
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            assert run.stderr is not None
            assert run.stderr.readline().startswith("waiting for GBR's Kafka")  # what was read is in the spool
            run.send_signal(signal.SIGTERM)
            shown, _ = run.communicate(timeout=60)
        finally:
            run.kill()
    lines = shown.splitlines()
    assert run.returncode == Exit.INTERRUPTED
    assert lines[0] == "3 lines: 2 observations in 1 report"
    assert lines[2] == "your marking, 2 observations: 2 without a marking took it"
    assert lines[3] == "refused and kept in quarantine: 1 unknown-type"
