"""The law of the door for markings: what could restrict is understood or holds, and it is never passed over."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.markings.marked import NOTHING, OPERATOR, Marked, joined
from producers.markings.properties import of_properties
from producers.markings.taxonomy import effect_of, headings, namespaces
from producers.markings.understanding import of_comment, of_field, of_nations, of_prose, of_statement, of_tag
from schemas.markings import Caveat, Marking, Pap, SourceMarking, Tlp, understand

RED = [
    *(
        "tlp:red",
        "TLP:RED",
        "TLP-RED",
        "TLP RED",
        "tlp.red",
        "tlp_red",
        "tlp/red",
        "tlp=red",
        "TLP : RED",
        "tlpred",
        "[TLP:RED]",
    ),
    *('"tlp:red"', "'TLP:RED'", 'tlp:"red"', "tlp=“red”", "«TLP RED»", "TLP:RED.", "(tlp:red)", "#tlp:red", "tlp::red"),
    *(
        "tlp‑red",
        "tlp–red",
        "tlp−red",
        "tlp\u00a0red",
        "tlp\u200b:red",
        "\ufefftlp:red",
        "t\u00adlp:red",
        "TLP:\tRED",
        "TLP\n:RED",
    ),
    *("ＴＬＰ：ＲＥＤ", "𝐓𝐋𝐏:𝐑𝐄𝐃", "ＴＬＰ－ＲＥＤ", "ⓣⓛⓟ:ⓡⓔⓓ", "TLP：ＲＥＤ"),
    *("ТLР:RЕD", "TLP:RЕD", "ΤLΡ:RED", "tlp:rеd", "ᎢᏞᏢ:RED", "ꓔꓡꓑ:ꓣꓰꓓ", "TLP:RÉD"),
    *(
        "T.L.P: R.E.D",
        "TLP v2.0: RED",
        "TLP2:RED",
        "tlp20:red",
        "TLP level: RED",
        "TLP marking is RED",
        "TLPの区分: RED",
    ),
    *("traffic-light-protocol:red", "Traffic Light Protocol (TLP): RED", "TLP:GREEN/RED", "TLP: AMBER or RED"),
    *("pfc:rouge", 'iep:traffic-light-protocol="RED"', 'iep2-policy:tlp="red"'),
]
HELD = [
    *("tlp:purple", "tlp:ex:chr", "tlp:unclear", "tlp:", "TLP", "tlp:r3d", "tpl:red", "TІP:RED", "TLP：赤", "TLP:R3D"),
    *("nato:anything", "de-vs:neu", "fr-classif:non-classifiees=DIFFUSION_RESTREINTE", 'workflow:state="draft"'),
    *('workflow:todo="review-before-publication"', 'exercise:cyber-europe="2026"', 'false-positive:risk="high"'),
    *(
        "handling:ask-us",
        "sharing:internal",
        "classification:protected",
        "dissemination=limited",
        "取扱:要相談",
    ),
    *("CONFIDENTIAL-ish", "members only please, do not distrib", "NATO RESTRICTED", "取扱注意", "VS-NfD", "RELIDO"),
]
NOBODY = [
    *("NOFORN", "misp:should-not-sync", 'misp:api="hide"', 'dni-ism:dissem="NF"', 'dni-ism:classification:us="S"'),
    *('nato:classification="NS"', 'de-vs:Einstufung="GEHEIM"', "euci:S-UE/EU-S", 'fr-classif:classifiees="SECRET"'),
    *(
        'thales_group:distribution="team_eyes_only"',
        "thales_group:tlp:black",
        "US EYES ONLY",
        "部外秘",
        "社外秘",
        "極秘",
    ),
    *(
        "internal use only",
        "Do Not Share",
        "do-not-distribute",
        "NOT FOR ONWARD SHARING",
        "NO FOREIGN NATIONALS",
        "ＮＯＦＯＲＮ",
    ),
]
LABELS = [
    *(
        "c2",
        "phishing",
        "red team",
        "filesharing",
        "credential-disclosure",
        "DDoS distributed",
        "opendir",
        "APT攻撃",
        "ランサムウェア",
    ),
    *(
        "type:OSINT",
        'osint:certainty="93"',
        'misp-galaxy:threat-actor="Secret Cobalt"',
        'malware_classification:malware-category="Worm"',
    ),
    *('workflow:state="complete"', 'false-positive:risk="low"', "green", "white", "clear skies"),
]
CAVEATS = {
    "uk eyes only": Caveat.UK_EYES_ONLY,
    "UK‑EYES‑ONLY": Caveat.UK_EYES_ONLY,
    "UKEO": Caveat.UK_EYES_ONLY,
    "handling:UK EYES ONLY": Caveat.UK_EYES_ONLY,
    "Official Sensitive": Caveat.OFFICIAL_SENSITIVE,
    "転送禁止": Caveat.NO_FORWARDING,
    "再配布禁止": Caveat.NO_DISTRIBUTION,
    "関係者限り": Caveat.CONCERNED_ONLY,
    "機密性３情報": Caveat.CONFIDENTIALITY_3,
    "under embargo": Caveat.EMBARGO,
    'acs-marking:caveat="POSSIBLEPII"': Caveat.PERSONAL_DATA,
}

HOLDING = frozenset({Caveat.UNRECOGNISED, Caveat.BENIGN, Caveat.DRAFT, Caveat.FOREIGN_HANDLING})


def meant(found: Marked) -> Marking:
    """What the exchange will understand of it, with a default that lets everything go."""
    return understand(found.with_default(SourceMarking(tlp="TLP:CLEAR")).marking)


@pytest.mark.parametrize("text", RED)
def test_red_is_red_in_whatever_form_it_is_written(text: str) -> None:
    for found in (
        of_tag(text, "tag"),
        of_statement(text, "statement"),
        of_comment(text, "comment"),
        of_field(text, "cell"),
    ):
        assert meant(found).tlp is Tlp.RED
        assert found.labels in ((), (text,))


@pytest.mark.parametrize("text", HELD)
def test_what_looks_like_a_restriction_and_is_not_understood_holds_whatever_the_default(text: str) -> None:
    for found in (of_tag(text, "tag"), of_statement(text, "statement"), of_field(text, "cell")):
        assert HOLDING.intersection(meant(found).caveats)
        assert found.origins


@pytest.mark.parametrize("text", NOBODY)
def test_what_forbids_every_partner_names_no_recipient(text: str) -> None:
    assert of_tag(text, "tag").marking.releasable_to == ()
    assert meant(of_field(text, "cell")).releasable_to == ()


@pytest.mark.parametrize("text", LABELS)
def test_what_states_nothing_about_sharing_is_a_label(text: str) -> None:
    found = of_tag(text, "tag")
    assert (found.marking, found.labels, found.origins) == (SourceMarking(), (text,), ())


@pytest.mark.parametrize(("text", "caveat"), CAVEATS.items())
def test_national_and_handling_caveats_are_known_in_any_spelling(text: str, caveat: Caveat) -> None:
    assert caveat in meant(of_tag(text, "tag")).caveats
    assert Caveat.UNRECOGNISED not in meant(of_tag(text, "tag")).caveats


def test_a_field_is_understood_whole_or_it_holds() -> None:
    assert meant(of_field("RED", "cell")).tlp is Tlp.RED
    assert meant(of_field("amber + strict", "cell")).tlp is Tlp.AMBER_STRICT
    assert meant(of_field("GREEN; UK EYES ONLY", "cell")).caveats == (Caveat.UK_EYES_ONLY,)
    assert Caveat.UNRECOGNISED in meant(of_field("GREEN; ask Bob", "cell")).caveats
    assert of_field("-", "cell") == of_field("なし", "cell") == NOTHING
    assert Caveat.UNRECOGNISED in meant(of_field("3", "cell")).caveats


def test_statements_state_how_far_something_may_go_or_are_a_copyright_line() -> None:
    assert meant(of_statement("TLP:RED - internal use only, do not distribute", "s")).tlp is Tlp.RED
    assert of_statement("Copyright 2026, Example Corp. All rights reserved.", "s") == NOTHING
    assert meant(of_statement("© Example Corp. Do not redistribute.", "s")).releasable_to == ()
    assert Caveat.UNRECOGNISED in meant(of_statement("see contract 7", "s")).caveats


@pytest.mark.parametrize(
    "text",
    ["value,type,tlp,valid_until", "Botnet C2 IP Blocklist (CSV)", "Terms: free to use", "Last updated: 2026-11-28"],
)
def test_a_comment_that_is_about_something_else_states_nothing(text: str) -> None:
    assert of_comment(text, "comment") == NOTHING


def test_prose_restricts_where_it_names_a_label_or_a_phrase_that_no_one_writes_by_accident() -> None:
    assert meant(of_prose("[TLP:AMBER+STRICT] C2 of the campaign", "info")).tlp is Tlp.AMBER_STRICT
    assert meant(of_prose("Seen at a ministry. Do not share.", "comment")).releasable_to == ()
    assert Caveat.UNRECOGNISED in meant(of_prose("TLP:PURPLE, see mail", "comment")).caveats
    for text in (
        "a secret-stealer distributed by mail",
        "www.tlp.org",
        "the red team used TLP.exe",
        "restricted shell",
    ):
        assert of_prose(text, "comment") == NOTHING


def test_recipients_are_nations_and_what_is_none_holds() -> None:
    assert of_tag("REL TO USA, GBR, JPN", "tag").marking.releasable_to == ("USA", "GBR", "JPN")
    assert Caveat.FOREIGN_HANDLING in meant(of_tag("REL TO USA, FVEY", "tag")).caveats
    assert Caveat.UNRECOGNISED in meant(of_field("REL TO our friends", "cell")).caveats
    assert of_nations(("UK", "jpn"), "cell").marking.releasable_to == ("GBR", "JPN")
    assert Caveat.UNRECOGNISED in meant(of_nations(("FVEY",), "cell")).caveats


def test_confidence_words_are_the_sources_confidence_and_the_lowest_counts() -> None:
    found = joined(
        [of_tag('admiralty-scale:source-reliability="a"', "t"), of_tag('misp:confidence-level="unconfident"', "t")]
    )
    assert (found.confidence, found.marking) == (0, SourceMarking())
    assert of_tag('false-positive:confirmed="true"', "t").withdrawn


def test_an_unknown_property_whose_name_is_about_sharing_is_a_field() -> None:
    thing = {"name": "tlp:red", "x_tlp": "amber", "deep": {"list": [{"x_handling": "UK EYES ONLY"}]}, "x_tlp_level": 3}
    found = of_properties(thing, {"name"}, "event")
    assert meant(found).tlp is Tlp.AMBER
    assert set(meant(found).caveats) == {Caveat.UK_EYES_ONLY, Caveat.UNRECOGNISED}
    assert of_properties({"x_score": 3, "x_tlp": None, "x_granted": False}, (), "event") == NOTHING


def test_tags_and_texts_in_unknown_properties_count() -> None:
    tagged = {"EventTag": [{"id": "7", "Tag": {"name": "tlp:red", "colour": "#ff0000"}}], "x_notes": ["for you"]}
    assert meant(of_properties(tagged, (), "event")).tlp is Tlp.RED
    assert of_properties(tagged, (), "event").labels == ()
    assert meant(of_properties({"refs": [{"text": "see TLP:AMBER report"}]}, (), "indicator")).tlp is Tlp.AMBER


@pytest.mark.parametrize("text", ["tlp:green+strict", "TLP:CLEAR for members", "tlp:green tentative", "PAP:CLEAR-ish"])
def test_a_label_with_another_word_is_none_that_anybody_knows(text: str) -> None:
    assert HOLDING.intersection(meant(of_tag(text, "tag")).caveats)
    assert HOLDING.intersection(meant(of_field(text, "cell")).caveats)


@pytest.mark.parametrize("text", ["(S//NF)", "U//FOUO", "SECRET//NOFORN", "TS//SI//NF", "(U//LES)"])
def test_a_banner_or_portion_mark_never_is_a_label(text: str) -> None:
    found = of_tag(text, "tag")
    assert found.labels == ()
    assert found.marking.releasable_to == () or HOLDING.intersection(meant(found).caveats)


def test_what_was_understood_states_where_it_stood_and_when_it_was_the_operator() -> None:
    found = of_tag("tlp:red", "event tag").join(of_tag("c2", "event tag")).join(of_tag("PAP:AMBER", "attribute tag"))
    assert found.origins == ('event tag "tlp:red"', 'attribute tag "PAP:AMBER"')
    assert found.with_default(SourceMarking(tlp="TLP:GREEN")).origins == found.origins
    assert NOTHING.with_default(SourceMarking(tlp="TLP:GREEN")).origins == (OPERATOR,)


ANYTHING = st.one_of(st.sampled_from([*RED, *HELD, *NOBODY, *LABELS, *CAVEATS]), st.text(max_size=40))
PLACES = st.sampled_from([of_tag, of_field, of_statement, of_comment, of_prose])


@given(ANYTHING, PLACES, ANYTHING, PLACES)
def test_findings_join_to_what_is_as_strict_as_both_in_either_order(
    one: str, read: object, two: str, also: object
) -> None:
    first, second = read(one, "a"), also(two, "b")  # type: ignore[operator]
    both = meant(first.join(second))
    assert both == meant(second.join(first))
    for alone in (understand(first.marking), understand(second.marking)):
        assert set(alone.caveats) <= set(both.caveats)
        assert alone.tlp in (Tlp.UNMARKED, both.tlp) or alone.tlp <= both.tlp
        assert alone.pap in (Pap.UNSTATED, both.pap) or alone.pap <= both.pap


@given(st.sampled_from(RED), st.text(alphabet=" .,;:-_/|\"'()[]\t\u00a0\u2011\u200b", max_size=6))
def test_what_stands_around_a_label_does_not_hide_it(label: str, around: str) -> None:
    assert meant(of_tag(f"{around}{label}{around}", "tag")).tlp is Tlp.RED


def test_every_word_of_the_taxonomies_has_an_effect_that_exists() -> None:
    for namespace in namespaces():
        assert effect_of(namespace.unknown) is not None
        for word, effect in namespace.words.items():
            predicate, _, value = word.partition("=")
            tag = f'{namespace.name}:{predicate}="{value}"' if value else f"{namespace.name}:{predicate}"
            assert effect_of(effect) is not None
            assert of_tag(tag.replace("*", "anything"), "tag") != NOTHING
    for each in headings():
        assert each.owner
        assert each.source
        for word, effect in {**each.anywhere, **each.marked, **each.exact}.items():
            assert (of_field(word, "cell") == NOTHING) == (effect_of(effect) == effect_of("label"))


def test_long_texts_are_understood_and_not_kept_in_memory() -> None:
    tracemalloc.start()
    try:
        for number in range(500):
            assert meant(of_prose(f"{number} {'word ' * 400}TLP:RED", "description")).tlp is Tlp.RED
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1 << 20
