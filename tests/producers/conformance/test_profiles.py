"""Profiles of the standard: what comes with the software is valid, and every mistake is found with its line."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from exchange.errors import ConfigurationError
from producers.conformance.profile import (
    Bounds,
    json_schema,
    names,
    profile_text,
    read_profile,
    strictest,
    valid_profile,
)
from producers.conformance.standard import Level, Status, Text, read_standard, standard, standard_text

ENERGY = profile_text("energy").decode()


def mistakes(text: str) -> list[str]:
    return [f"{each.line}: {each.text}" for each in read_profile(text.encode(), standard()).mistakes]


def line_of(words: str) -> int:
    return 1 + ENERGY[: ENERGY.index(words)].count("\n")


def test_energy_and_technology_come_with_the_software_each_for_two_kinds_of_incident() -> None:
    assert names() == ["energy", "technology"]
    for name in names():
        profile, digest = valid_profile(name, standard())
        assert [each.name for each in profile.incidents] == ["ransomware", "data-theft"]
        assert len(digest) == 64


def test_no_one_has_approved_any_of_it() -> None:
    assert standard().status is Status.DRAFT
    assert {valid_profile(name, standard())[0].status for name in names()} == {Status.DRAFT}


@pytest.mark.parametrize("name", ["energy", "technology"])
def test_a_must_of_the_standard_is_a_must_in_every_profile(name: str) -> None:
    profile, _ = valid_profile(name, standard())
    for incident in (*profile.incidents, profile.incident("")):
        for each in standard().requirements:
            assert each.level is Level.SHOULD or incident.level(each.id) is Level.MUST


def test_whichever_incident_happens_the_strictest_of_all_holds() -> None:
    profile, _ = valid_profile("energy", standard())
    found = strictest(profile.incidents)
    assert found.bounds.observed_to_published_hours == 1
    assert found.bounds.reports_kept_days == 7
    assert set(found.must) == {*profile.incidents[0].must, *profile.incidents[1].must}
    assert not set(found.must) & set(found.should)
    assert {*found.must, *found.should} == set(standard().by_id)


def test_what_an_incident_is_to_meet_is_never_later_than_the_first_clock_of_the_law() -> None:
    late = ENERGY.replace("incident_published_hours: 24", "incident_published_hours: 25")
    [one, *rest] = mistakes(late)
    assert one.startswith(f"{line_of('incident_published_hours: 24')}: ")
    assert "25 hours is longer than the first clock of Cyber Security and Resilience Bill, 24 hours" in one
    assert all("25 hours" in each for each in rest)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("status: draft-not-approved", "status: approved", "invalid enum value"),
        ("KKH-IDS-01,", "KKH-IDS-01, KKH-IDS-01,", "is there twice"),
        ("KKH-IDS-01,", "KKH-IDS-01, KKH-XXX-99,", "the standard has no such requirement"),
        ("KKH-IDS-02, KKH-IDS-03", "KKH-IDS-03", "missing: KKH-IDS-02"),
        ("KKH-CAN-02, KKH-MRK-03", "KKH-CAN-02, KKH-IDS-01, KKH-MRK-03", "is there twice"),
        ("observed_to_published_hours: 1", "observed_to_published_hours: soon", "expected a number"),
        ("observed_to_published_hours: 1", "observed_to_published_hours: -1", "> 0"),
        (
            "observed_to_published_hours: 1",
            "observed_to_publish_hours: 1",
            "did you mean `observed_to_published_hours`?",
        ),
        ("types: [file-sha256", "types: [file-sha265", "file-sha265: one of"),
        ('standard: "0.1"', 'standard: "9.9"', "this software has version 0.1 of the standard"),
        ("owner_en: Joint", "owner_en: &a Joint", ""),
        ("jurisdiction: GBR", "jurisdiction: GBR\n    jurisdiction: JPN", "is in line"),
    ],
)
def test_a_mistake_is_found_with_its_line(old: str, new: str, why: str) -> None:
    found = mistakes(ENERGY.replace(old, new, 1))
    if not why:
        assert found == []
        return
    assert any(why in each for each in found), found
    assert int(found[0].partition(":")[0]) in range(line_of(old), line_of(old) + 9)


JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
AN_ACRONYM = re.compile("[A-Z]+")


def texts(found: Any) -> Iterator[Text]:
    """What is stated in two languages, at any depth: a Text, or fields ``x_en`` and ``x_ja``."""
    if isinstance(found, Text):
        yield found
    elif isinstance(found, tuple):
        yield from (text for each in found for text in texts(each))
    elif isinstance(found, msgspec.Struct):
        fields = {name: getattr(found, name) for name in found.__struct_fields__}
        for name, japanese in fields.items():
            if name.endswith("ja"):
                english = "regime" if "regime" in fields and name == "ja" else name.removesuffix("ja") + "en"
                yield Text(fields[english], japanese)
        yield from (text for value in fields.values() for text in texts(value))


def test_what_a_reader_reads_of_standard_and_profiles_is_there_in_both_languages() -> None:
    for each in (standard(), *(valid_profile(name, standard())[0] for name in names())):
        stated = [text for text in texts(each) if text.en or text.ja]
        assert len(stated) > 30
        assert [text for text in stated if not text.en or not text.ja] == []
        assert [text for text in stated if not JAPANESE.search(text.ja) and not AN_ACRONYM.fullmatch(text.ja)] == []


def test_a_profile_in_one_language_is_refused() -> None:
    for name in ("owner_ja", "source_en", "scope_ja"):
        assert any(name in each for each in mistakes(re.sub(f"^{name}: .*\n", "", ENERGY, flags=re.MULTILINE)))


def test_a_must_cannot_be_lowered() -> None:
    lowered = ENERGY.replace("KKH-IDS-02, KKH-IDS-03", "KKH-IDS-03", 1).replace(
        "KKH-CAN-02, KKH-MRK-03", "KKH-CAN-02, KKH-IDS-02, KKH-MRK-03", 1
    )
    assert any("KKH-IDS-02: a must of the standard cannot be lowered" in each for each in mistakes(lowered))


def test_a_profile_of_ones_own_is_a_file_and_all_of_its_mistakes_are_one_message(tmp_path: Path) -> None:
    own = tmp_path / "gas.yaml"
    own.write_text(ENERGY.replace("name: energy", "name: gas"), "utf-8")
    assert valid_profile(str(own), standard())[0].name == "gas"
    own.write_text(ENERGY.replace("hours: [24, 72]", "hours: [72, 24]").replace("types: [file", "types: [fil"), "utf-8")
    with pytest.raises(ConfigurationError) as error:
        valid_profile(str(own), standard())
    assert "in the order in which they end" in str(error.value)
    assert "fil-sha256: one of" in str(error.value)
    with pytest.raises(ConfigurationError, match="one of energy, technology, or a YAML file"):
        valid_profile("energie", standard())


def test_the_schema_takes_the_profiles_and_no_other_field() -> None:
    import yaml

    validator = Draft202012Validator(json.loads(json_schema()))
    for name in names():
        assert not list(validator.iter_errors(yaml.safe_load(profile_text(name))))
    assert list(validator.iter_errors(yaml.safe_load(profile_text("energy")) | {"other": 1}))


def test_every_bound_that_a_requirement_names_exists_and_every_bound_is_used() -> None:
    named = {each.bound for each in standard().requirements if each.bound}
    assert named == set(Bounds.__struct_fields__)


def test_the_standard_itself_is_read_as_strictly() -> None:
    text = standard_text().decode()
    twice = text.replace("id: KKH-IDS-02", "id: KKH-IDS-01")
    _, found = read_standard(twice.encode())
    assert [each.text for each in found] == ["requirements[2].id: KKH-IDS-01: is there twice"]
    _, found = read_standard(text.replace("id: KKH-IDS-02", "id: KKH-ABC-02").encode())
    assert "a group of" in found[0].text
