"""Lists of values and of networks, CSV, nftables and Unbound, each read back by another parser than its writer's."""

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.outputs.known import opened
from consumers.outputs.networks import network_of
from consumers.outputs.protocol import LeftOut
from exchange.errors import ConfigurationError
from schemas.markings import Activity
from tests.builders import an_entry
from tests.consumers.outputs.tools import run_tool
from tests.consumers.outputs.writing import HELD, HOSTILE, NAMES, entries, written, written_to

NETWORKS_4 = st.builds(
    lambda last, prefix: ipaddress.ip_network((0xC0000200 | last, prefix), strict=False),
    st.integers(0, 255), st.integers(24, 32),
)  # fmt: skip
NETWORKS_6 = st.builds(
    lambda last, prefix: ipaddress.ip_network((0x20010DB8 << 96 | last, prefix), strict=False),
    st.integers(0, 255), st.integers(118, 128),
)  # fmt: skip


def cells(text: str) -> Iterator[list[str]]:
    """Rows by the grammar of RFC 4180, 2: an error of the grammar is a ValueError."""
    quoted, plain = r'"(?:[^"]|"")*"', r'[^",\r\n]*'
    while text:
        row = re.match(rf"(?:{quoted}|{plain})(?:,(?:{quoted}|{plain}))*\r\n", text)
        if row is None:
            raise ValueError(text)
        found = re.findall(rf"(?:^|,)({quoted}|{plain})", row[0][:-2])
        yield [each[1:-1].replace('""', '"') if each.startswith('"') else each for each in found]
        text = text[row.end() :]


@given(st.lists(NETWORKS_4), st.lists(NETWORKS_6), st.lists(HOSTILE))
def test_a_list_of_networks_holds_exactly_the_addresses_in_the_fewest_networks(
    four: list[ipaddress.IPv4Network], six: list[ipaddress.IPv6Network], others: list[str]
) -> None:
    others = [each for each in others if network_of(each) is None]
    text, report = written("addresses", entries([*map(str, four), *map(str, six), *others], "ipv4-net"))
    wanted = [*ipaddress.collapse_addresses(four), *ipaddress.collapse_addresses(six)]
    assert [ipaddress.ip_network(line) for line in text.splitlines()] == wanted
    assert report.left_out.get(LeftOut.VALUE, 0) == len(set(others))


@pytest.mark.parametrize(
    "value", ["fe80::1%eth0", "192.0.2.1/24", "192.0.2.1/255.255.255.0/8", "192.0.2", "::ffff:1/x"]
)
def test_what_a_firewall_might_read_in_another_way_is_no_network(value: str) -> None:
    assert network_of(value) is None


@given(st.lists(HOSTILE))
def test_a_plain_list_has_each_value_on_a_line_or_leaves_it_out(values: list[str]) -> None:
    text, report = written("values", entries(values, "file-name"))
    lines = text.split("\n")[:-1]
    assert set(lines) <= set(values)
    assert report.written == len(lines) == len(set(values)) - report.left_out.get(LeftOut.VALUE, 0)
    assert not any(line.startswith("#") or set(line) & set("\n\r\0\t\u202e\u2066\u200b\ufeff") for line in lines)


@given(st.lists(HOSTILE), st.lists(HOSTILE, max_size=3))
def test_csv_is_that_of_the_rfc_without_formulas_and_hidden_characters(values: list[str], labels: list[str]) -> None:
    content = [an_entry(each.value, "file-name", labels=tuple(labels)) for each in entries(values, "file-name")]
    with TemporaryDirectory() as folder:
        text, report = written_to(Path(folder) / "a.csv", "csv", content)
    heading, *rows = cells(text)
    assert [row[heading.index("id")] for row in rows] == [each.id for each in content]
    assert report.written == len(rows)
    for cell in (cell for row in rows for cell in row):
        assert cell.isprintable()
        assert not cell.lstrip().startswith(("=", "+", "-", "@"))


def test_a_cell_that_no_spreadsheet_takes_is_left_out_for_its_length(tmp_path: Path) -> None:
    _, report = written_to(tmp_path / "a.csv", "csv", [an_entry(labels=("a" * 65_536,)), an_entry("b.example")])
    assert (report.written, report.left_out) == (1, {LeftOut.LIMIT: 1})


def test_a_csv_file_that_somebody_changed_is_not_ours_to_resume(tmp_path: Path) -> None:
    written_to(tmp_path / "a.csv", "csv", [an_entry()])
    _, _, writer = opened(f"csv:{tmp_path}/a.csv", "JPN")
    assert writer.held() == HELD
    (tmp_path / "a.csv").write_text("id,origin\r\n")
    assert writer.held() is None


def test_who_reads_a_list_decides_which_pap_it_needs() -> None:
    for text, activity in [
        ("csv:/tmp/a", Activity.PASSIVE_LOCAL),
        ("csv:/tmp/a?activity=active", Activity.ACTIVE),
        ("values:/tmp/a", Activity.ACTIVE),
        ("values:/tmp/a?activity=passive-remote", Activity.PASSIVE_REMOTE),
    ]:
        output, target, _ = opened(text, "JPN")
        assert output.activity_on(target) is activity
    with pytest.raises(ConfigurationError, match="activity=looking: write one of active, passive"):
        opened("values:/tmp/a?activity=looking", "JPN")


@given(st.lists(NETWORKS_4), st.lists(NETWORKS_6), st.lists(HOSTILE))
def test_an_nftables_script_replaces_both_sets(
    four: list[ipaddress.IPv4Network], six: list[ipaddress.IPv6Network], others: list[str]
) -> None:
    others = [each for each in others if network_of(each) is None]
    text, report = written("nftables", entries([*map(str, four), *map(str, six), *others], "ipv4-net"))
    assert report.left_out.get(LeftOut.VALUE, 0) == len(set(others))
    statement = (
        r"add table inet kakehashi\n|(?:add set|flush set|add element) inet kakehashi blocked[46](?: \{[^}]*\})?\n"
    )
    assert re.fullmatch(rf"(?:{statement})+", text)
    wanted = {"4": [*ipaddress.collapse_addresses(four)], "6": [*ipaddress.collapse_addresses(six)]}
    for version, networks in wanted.items():
        assert text.index(f"add set inet kakehashi blocked{version} ") < text.index(f"blocked{version}\n")
        found = re.search(rf"add element inet kakehashi blocked{version} \{{([^}}]*)\}}", text)
        elements = found[1].replace(",", " ").split() if found else []
        assert [ipaddress.ip_network(each) for each in elements] == networks


def test_nft_accepts_the_script(tmp_path: Path) -> None:
    written_to(tmp_path / "sets.nft", "nftables", entries(["192.0.2.0/25", "192.0.2.200", "2001:db8::/33"], "ipv4-net"))
    checked = run_tool("nft", "-c", "-f", tmp_path / "sets.nft")
    if "Operation not permitted" in checked.stderr:
        pytest.skip("nft needs CAP_NET_ADMIN")
    assert (checked.returncode, checked.stderr) == (0, "")


@given(st.lists(st.one_of(HOSTILE, NAMES)))
def test_unbound_gets_one_zone_for_each_name(values: list[str]) -> None:
    text, report = written("unbound", entries(values))
    heading, *lines = text.splitlines()
    found = [re.fullmatch(r'local-zone: "([a-z0-9._-]+)\." always_nxdomain', line) for line in lines]
    names = [each[1] for each in found if each is not None]
    assert heading == "server:"
    assert len(names) == len(lines) == report.written
    assert set(names) <= set(values)


def test_unbound_accepts_the_file(tmp_path: Path) -> None:
    written_to(
        tmp_path / "zones.conf", "unbound", entries(["a.example", "_b.a.example", "a" * 63 + ".example", "localhost"])
    )
    checked = run_tool("unbound-checkconf", tmp_path / "zones.conf")
    assert checked.returncode == 0, checked.stderr
