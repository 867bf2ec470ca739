"""Officers' commands that refuse at once, and what an empty list means."""

import pytest

from consumers.queries.named import id_of, ids_of, named
from exchange.errors import Refused
from exchange.kafka.clients import Cluster
from kakehashi.commands.officer.policy_versions import check_lead
from kakehashi.commands.officer.released import nothing
from schemas.identity import indicator_id, indicator_key
from schemas.vocabulary import IndicatorType
from tests.builders import NOW_MS, an_id, an_indicator

GBR = Cluster("GBR", "nobody:1")


@pytest.mark.parametrize(("after_ms", "why"), [(-1, "in the past"), (0, "in the past"), (59_999, "too soon")])
def test_an_activation_that_would_be_too_late_is_refused_before_anyone_signs_it(after_ms: int, why: str) -> None:
    with pytest.raises(Refused, match=f"{why}.*60 s or more before its time"):
        check_lead(NOW_MS + after_ms, NOW_MS, 60)
    check_lead(NOW_MS + 60_000, NOW_MS, 60)


@pytest.mark.parametrize(("words", "type_"), [("300.1.2.3", "ipv4-addr"), ("not a value", "domain-name"), (" ", "")])
def test_what_is_no_valid_value_is_looked_for_in_quarantine(words: str, type_: str) -> None:
    with pytest.raises(Refused, match="kakehashi quarantine list"):
        ids_of(words, type_)


UNSEEN = ["canary.kakehashi.example", "H110.newcomer-evil[.]nonexist", "evil.zip", "install.sh", "printer.corp"]


@pytest.mark.parametrize("words", UNSEEN)
def test_a_name_whose_type_cannot_be_seen_is_looked_for_as_each_type_that_accepts_it(words: str) -> None:
    found = ids_of(words)
    value = words.lower().replace("[.]", ".")
    assert indicator_id(indicator_key(IndicatorType.DOMAIN_NAME, value)) in found
    assert ids_of(words, "file-name")[0] in found
    assert ids_of(words, "domain-name") == [an_id(IndicatorType.DOMAIN_NAME, value)]
    assert "domain-name" in named(words)


def test_a_value_whose_type_can_be_seen_is_of_another_type_if_that_is_given() -> None:
    md5 = "0" * 32
    assert ids_of(md5) == [an_id(IndicatorType.FILE_MD5, md5)]
    assert ids_of(md5, "ja3") == [an_id(IndicatorType.JA3, md5)]


@pytest.mark.parametrize(("types", "meant"), [(("domain-name",), True), ((), False), (("domain-name", "url"), False)])
def test_an_officer_acts_on_a_value_of_several_types_only_if_one_of_them_was_reported(
    monkeypatch: pytest.MonkeyPatch, types: tuple[str, ...], meant: bool
) -> None:
    name = "canary.kakehashi.example"
    reported = {each: an_indicator() for type_ in types for each in ids_of(name, type_)}
    monkeypatch.setattr("consumers.queries.named.national_records", lambda *_: reported)
    if meant:
        assert id_of(GBR, name, "", 1) == ids_of(name, "domain-name")[0]
    else:
        with pytest.raises(Refused, match="--type"):
            id_of(GBR, name, "", 1)
    assert id_of(GBR, name, "url", 1) == ids_of(name, "url")[0]


def test_after_the_checks_the_time_is_refused_with_the_time_that_they_took() -> None:
    with pytest.raises(Refused, match=r"too soon.*60 s or more before its time.*\(41 s here\)"):
        check_lead(NOW_MS + 59_000, NOW_MS, 60, 41.2)


def test_an_empty_list_names_what_there_is_none_of() -> None:
    assert nothing("GBR", waiting=False, recalls=True, disputed=False) == "GBR has no open recall."
    assert "no release without a receipt" in nothing("GBR", waiting=True, recalls=False, disputed=False)
    assert "no disputed release" in nothing("GBR", waiting=False, recalls=False, disputed=True)
    assert nothing("GBR", waiting=False, recalls=False, disputed=False) == "GBR has released nothing."
