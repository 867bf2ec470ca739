"""Links are data: what they say is read, and every mistake of every file is reported at once."""

from pathlib import Path

import pytest

from exchange.authority.links import load_links
from exchange.errors import ConfigurationError
from exchange.settings import Settings
from schemas.links import NEVER_AGREED, POLICY_FOLDER, BadLinks, all_agreed, read_links

GOOD = """
schemas = ["released_indicator.v1", "receipt.v1"]
tlp = ["TLP:CLEAR"]
caveats = ["INCIDENT"]
officers = ["a.person"]
"""
AT = "links/GBR/AUS.toml"


def test_a_link_states_what_was_agreed() -> None:
    (agreement,) = read_links({AT: GOOD, "joint/v1/tlp.cedar": "no link"}).values()
    assert (agreement.nation, agreement.partner) == ("GBR", "AUS")
    assert agreement.schemas == {"released_indicator.v1", "receipt.v1"}
    assert agreement.tlp == {"TLP:CLEAR"}
    assert agreement.caveats == {"INCIDENT"}
    assert agreement.officers == {"a.person"}


def test_the_shipped_links_agree_on_all_that_can_be() -> None:
    expected = {pair: all_agreed(*pair) for pair in (("GBR", "JPN"), ("JPN", "GBR"))}
    assert load_links(POLICY_FOLDER) == expected


@pytest.mark.parametrize("label", sorted({*NEVER_AGREED, "AUSTEO"}))
def test_what_no_agreement_can_let_pass_does_not_load(label: str) -> None:
    with pytest.raises(BadLinks, match=f"caveats: '{label}' cannot be agreed"):
        read_links({AT: GOOD.replace("INCIDENT", label)})


@pytest.mark.parametrize("label", ["TLP:RED", "", "UNMARKED", "tlp:clear"])
def test_a_label_that_is_not_of_the_contract_or_never_leaves_does_not_load(label: str) -> None:
    with pytest.raises(BadLinks, match="tlp"):
        read_links({AT: GOOD.replace("TLP:CLEAR", label)})


@pytest.mark.parametrize(
    "path", ["links/GBR/GBR.toml", "links/GBR/aus.toml", "links/AUS.toml", "links/GBR/AUS.yaml", "links/GBR/a/AUS.toml"]
)
def test_a_file_that_is_no_link_of_two_nations_does_not_load(path: str) -> None:
    with pytest.raises(BadLinks, match=r"a link is links/<nation>/<partner>\.toml"):
        read_links({path: GOOD})


def test_every_mistake_of_every_file_is_reported_at_once(tmp_path: Path) -> None:
    for nation, text in (("GBR", 'tlp = "TLP:CLEAR"\nnote = "x"\nschemas = ["receipt.v2"]'), ("JPN", "tlp = [")):
        (tmp_path / "links" / nation).mkdir(parents=True)
        (tmp_path / "links" / nation / "AUS.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigurationError) as reported:
        Settings.from_env({"KAKEHASHI_POLICY_FOLDER": str(tmp_path), "KAKEHASHI_SHARDS": "0"})
    for mistake in (
        "KAKEHASHI_SHARDS=0",
        "links/GBR/AUS.toml: unknown field 'note'",
        "links/GBR/AUS.toml: tlp is missing or no list",
        "links/GBR/AUS.toml: caveats is missing",
        "links/GBR/AUS.toml: officers is missing",
        "links/GBR/AUS.toml: schemas: 'receipt.v2' cannot be agreed",
        "links/GBR/AUS.toml: schemas lacks released_indicator.v1, receipt.v1",
        "links/JPN/AUS.toml: ",
    ):
        assert mistake in str(reported.value)


def test_only_a_nation_with_a_link_is_a_partner(tmp_path: Path) -> None:
    settings = Settings.from_env({"KAKEHASHI_NATIONS": "AUS,GBR,JPN"})
    assert settings.partners("GBR") == ("JPN",)
    assert settings.partners("AUS") == ()
    with pytest.raises(ConfigurationError, match=r"GBR has no link to AUS: add .*links/GBR/AUS.toml"):
        settings.agreement("GBR", "AUS")
    (tmp_path / "links" / "GBR").mkdir(parents=True)
    (tmp_path / "links" / "GBR" / "AUS.toml").write_text(GOOD, "utf-8")
    environ = {"KAKEHASHI_NATIONS": "AUS,GBR,JPN", "KAKEHASHI_POLICY_FOLDER": str(tmp_path)}
    assert Settings.from_env(environ).partners("GBR") == ("AUS",)
    assert Settings.from_env(environ).agreement("GBR", "AUS").tlp == {"TLP:CLEAR"}
