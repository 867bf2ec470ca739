"""A sensor's profile: strict, every mistake with its line, and the same settings as the options of ``produce``."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from exchange.clock import now_ms
from exchange.errors import ConfigurationError, Exit
from kakehashi.commands.sensor import produce as produce_command
from producers.profile.document import loaded, valid_profile
from producers.profile.model import SCHEMA_NAME, InputEntry, MarkingEntry, Profile, json_schema
from producers.profile.options import plans_of
from producers.profile.template import template_of
from producers.spool.spool import Spool, folder_of
from schemas.vocabulary import IndicatorType
from tests.kakehashi.command import kakehashi

NATIONS = ("GBR", "JPN")
WHOLE = """\
nation: GBR
sensor: edge-1
sector: energy
key: edge-1.key
marking:
  tlp: TLP:AMBER
  releasable_to: [JPN]
confidence: 50
confidence_ceiling: 80
labels: [c2]
types: [domain-name, ipv4-addr]
time_zone: Asia/Tokyo
home_networks: [198.51.100.0/24]
inputs:
  - at: list.csv
    mapping:
      Host: domain-name
      Gesehen: first_seen
  - at: https://feeds.example/list.txt
    snapshot: true
  - at: logs/*.json
    follow: true
"""


def mistakes(tmp_path: Path, text: str | bytes) -> list[tuple[int, str]]:
    file = tmp_path / "edge-1.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return [(each.line, each.text) for each in loaded(file, NATIONS).mistakes]


def test_a_key_in_a_token_stays_as_it_is_written_and_its_uri_is_checked(tmp_path: Path) -> None:
    uri = "pkcs11:token=exchange;object=edge-1?module-path=/usr/lib/token.so&pin-source=/run/pin"
    file = tmp_path / "edge-1.yaml"
    file.write_text(f"nation: GBR\nsensor: edge-1\nkey: {uri}\n")
    assert valid_profile(file, NATIONS).key == uri
    [(line, text)] = mistakes(tmp_path, f"nation: GBR\nsensor: edge-1\nkey: {uri}&pin-value=1234\n")
    assert line == 3
    assert "is named as pkcs11:token=" in text


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    (tmp_path / "edge-1.key").write_text("")
    (tmp_path / "list.csv").write_text("Host;Gesehen\nbad.example.com;2026-11-20 09:00\n")
    file = tmp_path / "edge-1.yaml"
    file.write_text(WHOLE)
    return file


def test_a_whole_profile_is_read_with_its_paths_beside_it(whole: Path) -> None:
    profile = valid_profile(whole, NATIONS)
    assert profile.key == str(whole.parent / "edge-1.key")
    assert [entry.at for entry in profile.inputs] == [
        str(whole.parent / "list.csv"),
        "https://feeds.example/list.txt",
        str(whole.parent / "logs/*.json"),
    ]
    plans = plans_of(profile)
    assert [plan.is_followed for plan in plans] == [False, False, True]
    defaults = plans[0].options.defaults
    assert defaults.marking.tlp == "TLP:AMBER"
    assert defaults.types == {IndicatorType.DOMAIN_NAME, IndicatorType.IPV4_ADDR}
    assert defaults.labels == ("c2", 'kakehashi:sector="energy"')
    assert str(defaults.time_zone) == "Asia/Tokyo"
    assert plans[1].options.snapshot == ""


def test_every_mistake_is_reported_at_once_with_its_line(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        """\
nation: GBR
nation: JPN
sensor: a/b
sectr: energy
sector: energi
confidence: high
confidence_ceiling: 101
marking: {tlp: TLP:PURPLE, releasable_to: [NO]}
types: [domain]
time_zone: Asia/Tokio
home_networks: [here]
labels:
inputs:
  - at: nofile
    format: zeek
    mapping: {tlp: description, Wert: valeu}
  - follow: yes
""",
    )
    assert [line for line, _ in found] == [2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 14, 15, 16, 16, 17, 17]
    texts = dict(found)
    assert texts[2] == "nation: is in line 1 already"
    assert "did you mean `sector`?" in texts[4]
    assert "did you mean `energy`?" in texts[5]
    assert texts[6] == "confidence: high: expected a whole number, got a text"
    assert texts[12] == "labels: has no value: remove it, or write one"


@pytest.mark.parametrize(
    ("text", "line", "expected_text"),
    [
        ("", 0, "is empty"),
        ("- a", 1, "has fields"),
        ("nation: GBR\nsensor: [", 2, "is not YAML"),
        ("nation: GBR\nsensor: &x a\nlabels: [*x]", 3, "aliases are not read"),
        ("nation: !!python/name:os.system x\nsensor: a", 1, "tags are not read"),
        ("nation: GBR\nsensor: a\n---\nsensor: b", 3, "is not YAML"),
        (b"nation: GBR\nsensor: \xff", 2, "is not UTF-8"),
        ("nation: GBR\nsensor: a\n? [x]\n: y", 3, "a key is one text"),
        ("nation: GBR\nsensor: a\nlabels: " + "[" * 5000 + "]" * 5000, 0, "is not YAML"),
        ("#" * (2 << 20), 0, "is no profile"),
        ("nation: FRA\nsensor: a", 1, "no party of the exchange"),
        ("nation: GBR\nsensor: a\nconfidence: 90\nconfidence_ceiling: 80", 3, "above the ceiling"),
        (
            "nation: GBR\nsensor: a\ninputs:\n- at: x\n  follow: true\n- at: y\n  follow: true\n  format: csv-list",
            3,
            "agree",
        ),
        (
            "nation: GBR\nsensor: a\ninputs:\n- at: https://a.example\n  snapshot: true\n"
            "- at: https://b.example\n  snapshot: true\n  encoding: cp932",
            3,
            "a feed of its own",
        ),
    ],
)
def test_a_document_that_cannot_be_meant_is_refused_where_it_is_wrong(
    text: str | bytes, line: int, expected_text: str, tmp_path: Path
) -> None:
    [(where, what)] = mistakes(tmp_path, text)[:1]
    assert (where, expected_text in what) == (line, True), what


@pytest.mark.parametrize("word", ["NO", "012", "1e3", "yes", "2026-11-20", "12:30:00", "~x", "0x1F"])
def test_a_text_is_what_is_written_and_no_other_type_of_yaml(word: str, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"nation: GBR\nsensor: {word}\nlabels: [{word}]\n")
    profile = valid_profile(file, NATIONS)
    assert (profile.sensor, profile.labels) == (word, (word,))


@given(st.binary(max_size=300) | st.text("nation: sr-[]{}&*!#|>'\"\n\tGBR,?%@`0", max_size=200).map(str.encode))
def test_no_document_raises(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(content)
    found = loaded(file, NATIONS)
    assert (found.profile is None) == bool(found.mistakes)


def test_the_profile_that_init_writes_is_valid_as_it_is_and_its_comments_name_every_setting(tmp_path: Path) -> None:
    text = template_of("GBR", 'edge "1": #x')
    file = tmp_path / "a.yaml"
    file.write_text(text)
    assert valid_profile(file, NATIONS) == Profile(nation="GBR", sensor='edge "1": #x')
    whole = "".join(
        line.removeprefix("#").removeprefix(" ") + "\n" if ":" in line else "\n" for line in text.splitlines()[2:]
    )
    stated = yaml.safe_load(
        "\n".join(line for line in whole.splitlines() if not line[:1].isupper() and not line.startswith("`"))
    )
    for fields, names in ((stated, Profile), (stated["inputs"][0], InputEntry)):
        assert set(fields) == {field.name for field in msgspec.structs.fields(names)}
    jsonschema.validate(stated, json.loads(json_schema()))


def test_the_json_schema_takes_what_the_model_takes_and_refuses_what_it_refuses() -> None:
    schema = json.loads(json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    good = yaml.safe_load(WHOLE)
    jsonschema.validate(good, schema)
    bad: list[dict[str, Any]] = [
        good | {"sectr": "energy"},
        good | {"confidence": 101},
        good | {"confidence": "high"},
        good | {"inputs": [{"follow": True}]},
        good | {"nation": "Britain"},
        good | {"marking": "TLP:GREEN"},
    ]
    for each in bad:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(each, schema)
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(each, Profile)


@pytest.mark.parametrize("shape", [Profile, InputEntry, MarkingEntry])
def test_each_setting_of_a_profile_is_an_option_of_produce(shape: type[msgspec.Struct]) -> None:
    tree = ast.parse(Path(produce_command.__file__).read_text("utf-8"))
    [made] = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == shape.__name__
    ]
    assert {each.arg for each in made.keywords} == {field.name for field in msgspec.structs.fields(shape)}


def test_init_check_and_dry_run_need_no_kafka(whole: Path) -> None:
    within = whole.parent
    made = kakehashi("sensor", "init", "--nation", "GBR", "--sensor", "edge-2", "--out", "new.yaml", within=within)
    assert made.returncode == Exit.OK
    assert (within / SCHEMA_NAME).read_text() == json_schema()
    again = kakehashi("sensor", "init", "--nation", "GBR", "--sensor", "edge-2", "--out", "new.yaml", within=within)
    assert (again.returncode, "stays as it is" in again.stderr) == (Exit.USAGE, True)
    assert kakehashi("sensor", "check", "new.yaml", within=within).stdout == (
        "new.yaml: valid: sensor edge-2 of GBR, no input: nothing is read until `inputs` names one\n"
    )
    empty = kakehashi("sensor", "dry-run", "new.yaml", within=within)
    assert (empty.returncode, empty.stdout) == (Exit.CONFIGURATION, "")
    assert "new.yaml: `inputs` has no entry" in empty.stderr
    assert "--dry-run" not in empty.stderr, "the command has no such option"
    whole.write_text(WHOLE.replace("  - at: https://feeds.example/list.txt\n    snapshot: true\n", ""))
    shown = kakehashi("sensor", "dry-run", "edge-1.yaml", "--json", within=within)
    assert shown.returncode == Exit.OK, shown.stderr
    pieces = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [(piece["outcome"], piece["value"]) for piece in pieces] == [("skip", ""), ("withhold", "bad.example.com")]
    whole.write_text("nation: GBR\n")
    refused = kakehashi("sensor", "run", "edge-1.yaml", within=within)
    assert (refused.returncode, "edge-1.yaml:1: sensor: is missing" in refused.stderr) == (Exit.CONFIGURATION, True)


def test_the_same_profile_started_twice_is_refused(whole: Path) -> None:
    whole.write_text("nation: GBR\nsensor: edge-1\n")
    home = whole.parent / "home"
    environ = {"KAKEHASHI_HOME": str(home), "KAKEHASHI_GBR_BOOTSTRAP": "127.0.0.1:1"}
    with Spool(folder_of(home, "GBR", "edge-1"), "GBR", "edge-1", now_ms()):
        second = kakehashi("sensor", "run", "edge-1.yaml", within=whole.parent, **environ)
    assert second.returncode == Exit.REFUSED
    assert "another process (id " in second.stderr
    assert "produces as sensor edge-1 of GBR" in second.stderr


def test_a_profile_that_cannot_be_used_is_one_error_with_all_mistakes(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("nation: GBR\nsensr: x\nconfidence: -5\n")
    with pytest.raises(ConfigurationError) as raised:
        valid_profile(tmp_path / "a.yaml", NATIONS)
    assert [line.partition(": ")[0].rpartition(":")[2] for line in str(raised.value).splitlines()[1:]] == [
        "1",
        "2",
        "3",
    ]


def test_reading_a_profile_does_not_bring_faust() -> None:
    code = "import sys, producers.api; sys.exit('faust' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_input_of_an_unknown_scheme_is_a_mistake_and_no_path(tmp_path: Path) -> None:
    path = tmp_path / "edge.yaml"
    path.write_text("nation: GBR\nsensor: edge\ninputs:\n  - at: ftp://feeds.example/list.csv\n    follow: true\n")
    [mistake] = loaded(path, ("GBR", "JPN")).mistakes
    assert (mistake.line, "no input has this scheme" in str(mistake)) == (4, True)
