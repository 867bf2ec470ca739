"""A response policy zone, read back by the rules of the RPZ draft, and by BIND's own check."""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.outputs.known import opened
from consumers.outputs.line_file import LineFile
from consumers.outputs.protocol import LeftOut
from consumers.outputs.rpz import Zone, next_serial
from exchange.errors import ConfigurationError
from tests.builders import an_entry
from tests.consumers.outputs.tools import run_tool
from tests.consumers.outputs.writing import HELD, HOSTILE, NAMES, entries, written

RECORD: Final = re.compile(r"([a-z0-9_.*-]+) CNAME (\.|\*\.|rpz-drop\.)")
NETWORKS: Final = st.one_of(
    st.builds(
        lambda number, prefix: ipaddress.ip_network((number, prefix), strict=False),
        st.integers(0, 2**32 - 1),
        st.integers(0, 32),
    ),
    st.builds(
        lambda groups, prefix: ipaddress.ip_network((ipaddress.IPv6Address(":".join(groups)), prefix), strict=False),
        st.lists(st.sampled_from(["0", "0", "1", "db8", "ffff"]), min_size=8, max_size=8),
        st.integers(0, 128),
    ),
)


def records(text: str) -> Mapping[str, str]:
    """Owners with their answers; a line that is no such record is an AssertionError."""
    _, _, name_server, *lines = text.splitlines()
    assert name_server == "@ NS localhost."
    found = [RECORD.fullmatch(line) for line in lines]
    assert None not in found
    return {each[1]: each[2] for each in found if each is not None}


def network_in(owner: str) -> str:
    """What a trigger ``….rpz-ip`` means, by section 4.3 of the draft."""
    prefix, *parts = owner.removesuffix(".rpz-ip").split(".")
    parts.reverse()
    if len(parts) == 4 and "zz" not in parts:
        return f"{ipaddress.ip_network('.'.join(parts) + '/' + prefix)}"
    if "zz" in parts:
        at = parts.index("zz")
        parts[at : at + 1] = ["0"] * (9 - len(parts))
    return f"{ipaddress.ip_network(':'.join(parts) + '/' + prefix)}"


@given(st.lists(st.one_of(HOSTILE, NAMES)))
def test_each_name_has_its_wildcard_beside_it_and_nothing_else_is_there(values: list[str]) -> None:
    text, report = written("rpz", entries(values))
    owners = set(records(text))
    names = {owner for owner in owners if not owner.startswith("*.")}
    assert owners == names | {f"*.{name}" for name in names}
    assert names <= set(values)
    assert len(names) == report.written == len(set(values)) - sum(report.left_out.values())


@given(st.lists(NETWORKS))
@settings(max_examples=40)  # each syncs files
def test_each_network_is_a_trigger_that_means_this_network(
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network],
) -> None:
    text, _ = written("rpz", entries(map(str, networks), "ipv4-net"))
    assert {network_in(owner) for owner in records(text)} == {str(each) for each in networks}


@pytest.mark.parametrize(
    ("value", "trigger"),
    [
        ("192.0.2.1", "32.1.2.0.192"),
        ("192.0.2.0/24", "24.0.2.0.192"),
        ("2001:db8::1", "128.1.zz.db8.2001"),
        ("2001:db8::/32", "32.zz.db8.2001"),
    ],
)
def test_an_address_is_reversed_behind_its_prefix_length(value: str, trigger: str) -> None:
    text, _ = written("rpz", [an_entry(value, "ipv4-net")])
    assert list(records(text)) == [f"{trigger}.rpz-ip"]


@pytest.mark.parametrize("value", ["32.1.2.0.192.rpz-ip", "24.0.2.0.192.rpz-client-ip", "ns.example.rpz-nsdname"])
def test_a_name_that_the_resolver_would_take_for_another_trigger_is_left_out(value: str) -> None:
    text, report = written("rpz", [an_entry(value)])
    assert (records(text), report.left_out) == ({}, {LeftOut.VALUE: 1})


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**34))
def test_a_serial_is_always_later_than_the_last(last: int, now_s: int) -> None:
    following = next_serial(last, now_s)
    assert 0 <= following < 2**32
    assert 0 < (following - last) % 2**32 < 2**31


def test_a_serial_goes_on_from_that_in_the_file_also_if_the_clock_goes_back(tmp_path: Path) -> None:
    path, serials = tmp_path / "zone", []
    times = [5_000_000, 5_000_000, 1_000, 9_000_000]
    clock = iter(times)
    for _ in times:
        zone = Zone(path, ".", clock.__next__)
        LineFile(path, zone.lines, zone.value_of, heading=zone.heading, comment=";").write([], HELD)
        serials.append(int(path.read_text().split(" SOA ")[1].split()[2]))
    assert serials == [5000, 5001, 5002, 9000]


def test_bind_loads_the_zone(tmp_path: Path) -> None:
    names = ["a.example", "b.a.example", "_c.example", "x" * 63 + ".example", "localhost"]
    networks = ["192.0.2.1", "192.0.2.0/24", "2001:db8::1", "2001:db8::/32", "::/0", "1:2:3:4:5:6:7:8", "0.0.0.0/0"]
    content = sorted([*entries(names), *entries(networks, "ipv4-net")], key=lambda entry: entry.id)
    for answer in ("nxdomain", "nodata", "drop"):
        _, _, writer = opened(f"rpz:{tmp_path}/zone?answer={answer}", "JPN")
        writer.write(content, HELD)
        checked = run_tool("named-checkzone", "-k", "fail", "kakehashi.rpz", tmp_path / "zone")
        assert checked.returncode == 0, checked.stdout
        assert "ignoring" not in checked.stdout


def test_an_answer_that_no_resolver_gives_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="answer=maybe: write one of nxdomain, nodata, drop"):
        opened("rpz:/tmp/zone?answer=maybe", "JPN")
