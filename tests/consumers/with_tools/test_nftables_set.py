"""The script of nftables in a real kernel, in a network namespace: what is listed gets no answer until it has left."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.consumers.outputs.writing import entries, written_to
from tests.consumers.with_tools.daemons import program

pytestmark = pytest.mark.tools


def test_a_listed_address_is_dropped_until_it_has_left_and_nothing_else_is(tmp_path: Path) -> None:
    for tool, package in (("nft", "nftables"), ("unshare", "util-linux"), ("ip", "iproute2")):
        program(tool, package)
    contents: tuple[list[str], ...] = (
        ["192.0.2.0/24", "198.51.100.7", "2001:db8::/64", "203.0.113.0/25", "203.0.113.128/25"],
        ["192.0.2.0/24", "2001:db8:1::/64", "203.0.113.128/25"],
        [],
    )
    scripts = [tmp_path / f"{number}.nft" for number in range(len(contents))]
    for script, content in zip(scripts, contents, strict=True):
        written_to(script, "nftables", entries(content, "ipv4-net"))
    done = subprocess.run(
        [
            "unshare",
            "--map-root-user",
            "--net",
            sys.executable,
            "-m",
            "tests.consumers.with_tools.in_namespace",
            *scripts,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("this machine permits no network namespace")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"elements": ["192.0.2.0/24", "198.51.100.7", "2001:db8::/64", "203.0.113.0/24"], "reached": []},
        {
            "elements": ["192.0.2.0/24", "2001:db8:1::/64", "203.0.113.128/25"],
            "reached": ["198.51.100.7", "2001:db8::7"],
        },
        {"elements": [], "reached": ["192.0.2.7", "198.51.100.7", "2001:db8::7"]},
    ]
