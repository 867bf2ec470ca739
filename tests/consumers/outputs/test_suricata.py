"""Suricata's files, read back by the grammar of its user guide."""

import base64
import ipaddress
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.outputs.known import opened
from consumers.outputs.protocol import LeftOut, Report
from consumers.outputs.suricata_rules import rules
from consumers.picture.entry import Entry
from schemas.markings import Activity
from schemas.vocabulary import IndicatorType
from tests.builders import an_entry
from tests.consumers.outputs.test_rpz import NETWORKS
from tests.consumers.outputs.writing import HELD, HOSTILE, NAMES, entries

RULE: Final = re.compile(
    r"(alert|drop) (ip|dns|tls|quic|http|http2|smtp|ftp-data|smb|nfs) any any -> any any "
    r'\(msg:"[A-Za-z0-9 -]+"; ((?:[a-z0-9._]+(?::[a-z0-9,.>_ -]+)?; )+)sid:([0-9]+); rev:1;\)'
)
DATASET: Final = re.compile(
    r"dataset:isset,([a-z0-9-]{1,63}),type (string|ipv4|ip),load ([a-z0-9.-]+),memcap ([0-9]+),hashsize ([0-9]+)"
)


def written_in(folder: Path, content: Sequence[Entry], action: str = "alert") -> tuple[Mapping[str, list[str]], Report]:
    """The lines of each file."""
    _, _, writer = opened(f"suricata:{folder}?action={action}", "JPN")
    report = writer.write(content, HELD)
    return {path.name: path.read_text("ascii").splitlines() for path in folder.iterdir()}, report


@given(st.lists(st.one_of(HOSTILE, NAMES)))
@settings(max_examples=30)  # each syncs ten files
def test_a_set_of_strings_holds_names_in_base64(values: list[str]) -> None:
    with TemporaryDirectory() as folder:
        files, report = written_in(Path(folder), entries(values))
    names = [base64.b64decode(line, validate=True).decode("ascii") for line in files["kakehashi-domain.lst"]]
    assert set(names) <= set(values)
    assert len(names) == report.written == len(set(values)) - sum(report.left_out.values())


def test_each_type_is_in_its_file_and_networks_have_a_category_and_a_score(tmp_path: Path) -> None:
    content = [
        an_entry("192.0.2.1", "ipv4-addr"),
        an_entry("2001:db8::1", "ipv6-addr"),
        an_entry("192.0.2.0/24", "ipv4-net", confidence=75),
        an_entry("2001:db8::/32", "ipv6-net", confidence=None),
        an_entry("a" * 32, "file-md5"),
        an_entry("b" * 64, "file-sha256"),
        an_entry("c" * 32, "ja3"),
        an_entry("q13d0310h3_55b375c5d22e_cd85d2d88918", "ja4"),
    ]
    files, report = written_in(tmp_path, content)
    assert report.written == len(content)
    assert files["kakehashi-ipv4.lst"] == ["192.0.2.1"]
    assert files["kakehashi-ipv6.lst"] == ["2001:db8::1"]
    assert files["kakehashi-reputation.list"] == ["192.0.2.0/24,1,75", "2001:db8::/32,1,1"]
    assert files["kakehashi-md5.txt"] == ["a" * 32]
    assert files["kakehashi-sha256.txt"] == ["b" * 64]
    assert base64.b64decode(files["kakehashi-ja3.lst"][0]) == b"c" * 32
    assert base64.b64decode(files["kakehashi-ja4.lst"][0]) == b"q13d0310h3_55b375c5d22e_cd85d2d88918"
    assert files["kakehashi-categories.txt"][0].split(",")[:2] == ["1", "kakehashi"]


@given(
    st.lists(st.one_of(HOSTILE, st.ip_addresses().map(str), NETWORKS.map(str)), max_size=8),
    st.sampled_from(["ipv4-addr", "ipv6-addr", "ipv4-net", "ipv6-net", "file-md5", "ja3", "ja4"]),
)
@settings(max_examples=40)  # each syncs ten files
def test_whatever_comes_a_file_has_lines_of_its_type_alone(values: list[str], type: str) -> None:
    with TemporaryDirectory() as folder:
        files, report = written_in(Path(folder), entries(values, type))
    for name in ("kakehashi-ipv4.lst", "kakehashi-ipv6.lst"):
        assert all(str(ipaddress.ip_address(line)) in values for line in files[name])
    for line in files["kakehashi-reputation.list"]:
        network, category, score = line.split(",")
        assert str(ipaddress.ip_network(network)) in {network, f"{network}/32", f"{network}/128"}
        assert (category, 1 <= int(score) <= 127) == ("1", True)
    lists = [name for name in files if name not in {"kakehashi.rules", "kakehashi-categories.txt"}]
    assert sum(len(files[name]) for name in lists) == report.written
    assert files["kakehashi-md5.txt"] == files["kakehashi-ja3.lst"] == files["kakehashi-ja4.lst"] == []


def test_rules_follow_the_grammar_and_name_files_that_are_there(tmp_path: Path) -> None:
    files, _ = written_in(tmp_path, [an_entry("a" * 32, "file-md5"), an_entry("192.0.2.0/24", "ipv4-net")], "drop")
    stamp, *lines = files["kakehashi.rules"]
    assert stamp.startswith("# ")
    found = [RULE.fullmatch(line) for line in lines]
    assert None not in found
    options = [each[3].split("; ") for each in found if each is not None]
    assert {each[1] for each in found if each is not None} == {"drop"}
    for option in (option for each in options for option in each if option.startswith(("dataset:", "file"))):
        dataset = DATASET.fullmatch(option)
        assert (dataset[3] if dataset is not None else option.partition(":")[2]) in files


def sids(counts: Mapping[IndicatorType, int]) -> dict[str, str]:
    """What each sid is about: protocol and buffer."""
    found = [RULE.fullmatch(line) for line in rules("alert", counts).splitlines()]
    return {each[4]: f"{each[2]} {each[3].split('; ')[0]}" for each in found if each is not None}


def test_a_sid_is_of_one_rule_whatever_there_is_to_match() -> None:
    none, all_of_them = sids({}), sids(dict.fromkeys(IndicatorType, 5))
    assert none.items() <= all_of_them.items()
    assert len(all_of_them) == rules("alert", dict.fromkeys(IndicatorType, 5)).count("\n")
    assert none["3900000"] == "ip ip.src"
    assert all_of_them["3900020"] == "http filemd5:kakehashi-md5.txt"


@given(st.integers(0, 3_000_000))
def test_a_set_has_room_for_its_entries_and_all_sets_stay_below_suricatas_limit(count: int) -> None:
    text = rules("alert", dict.fromkeys(IndicatorType, count))
    sets = {each[1]: (int(each[4]), int(each[5])) for each in DATASET.finditer(text)}
    for memcap, hash_size in sets.values():
        assert memcap >= 1_024 * count
        assert hash_size >= min(count, 2**21)
    assert sum(hash_size for _, hash_size in sets.values()) <= 16_777_216


def test_a_suricata_that_was_built_without_ja4_skips_its_rules() -> None:
    lines = [line for line in rules("alert", {}).splitlines() if "ja4.hash" in line]
    assert [line.split()[1] for line in lines] == ["tls", "quic"]
    assert all('"; requires:feature ja4; ja4.hash; dataset:isset,kakehashi-ja4,' in line for line in lines)


def test_rules_that_drop_need_a_pap_that_allows_a_block(tmp_path: Path) -> None:
    for action, activity in (("alert", Activity.PASSIVE_LOCAL), ("drop", Activity.ACTIVE)):
        output, target, _ = opened(f"suricata:{tmp_path}?action={action}", "JPN")
        assert output.activity_on(target) is activity


@pytest.mark.parametrize("value", ["A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n", 'a";'])
def test_what_is_no_hash_is_left_out(tmp_path: Path, value: str) -> None:
    files, report = written_in(tmp_path, [an_entry(value, "file-md5")])
    assert (files["kakehashi-md5.txt"], report.written) == ([], 0)


def test_a_certificate_is_written_as_suricata_compares_it_and_a_user_agent_whole(tmp_path: Path) -> None:
    agent = "Made-Up/1.0 (三; x)"
    held = {"x509-sha1": ("3b" * 20,), "user-agent": (agent, "x" * 721, "x" * 720)}
    files, report = written_in(tmp_path, [an_entry(value, kind) for kind, values in held.items() for value in values])
    assert report.left_out == {LeftOut.LIMIT: 1}
    [certificate] = files["kakehashi-x509-sha1.lst"]
    assert base64.b64decode(certificate) == b":".join([b"3b"] * 20)
    agents = files["kakehashi-user-agent.lst"]
    assert {base64.b64decode(line).decode() for line in agents} == {agent, "x" * 720}
    assert max(map(len, agents)) < 1_000, "Suricata reads lines of 1,024 characters"
    text = "\n".join(files["kakehashi.rules"])
    assert "tls.cert_fingerprint; dataset:isset,kakehashi-x509-sha1,type string,load kakehashi-x509-sha1.lst" in text
    assert "http.user_agent; dataset:isset,kakehashi-user-agent,type string,load kakehashi-user-agent.lst" in text
