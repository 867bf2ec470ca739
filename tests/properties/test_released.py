"""Whatever the rules release both guards let pass, for every value that there is, and with its enrichment."""

import msgspec
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from consumers.bridge.guard import Passed, check
from exchange.protocol.rows import NO_ROWS
from schemas import tearline
from schemas.codec import RELEASED_INDICATOR, Codec
from schemas.identity import indicator_id, indicator_key, shard_of_key
from schemas.links import all_agreed
from schemas.local_values import is_local
from schemas.markings import Marking, Pap, Tlp
from schemas.normalise import Canonical, Invalid, canonical
from schemas.normalise.fingerprint import HEX_DIGITS
from schemas.records import ReleasedIndicator
from schemas.vocabulary import IndicatorType, Outcome
from streams.correlate.assertion import MAX_SIGHTINGS, Assertion, Tally
from streams.correlate.content import content_for
from streams.correlate.included import Included
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.merge import merge
from streams.correlate.row import Row
from streams.correlate.statement import Statement
from streams.correlate.units import facets_in, units
from streams.enrichment.installed import installed_enricher
from streams.intake.validate import END_OF_TIME_MS, MAX_LABEL_LENGTH, MAX_LABELS, MAX_NATIONS
from streams.receive.inbound import Accepted, admit
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.policy_set import load
from tests.builders import NOW_MS
from tests.properties.test_normalise import DOMAINS, IPV4, IPV6, ODD_TEXT, TEXT, URLS

CODEC = Codec()
CLASSIFIER = Classifier(Engine(load("GBR")))
LIFETIMES = Lifetimes.load()
ENRICHER = installed_enricher()
SHARDS = 4
ADDRESSES = IPV4 | IPV6
BY_KIND: dict[IndicatorType, st.SearchStrategy[str]] = {
    IndicatorType.IPV4_ADDR: ADDRESSES,
    IndicatorType.IPV4_NET: st.builds("{}/{}".format, ADDRESSES, st.integers(0, 128)),
    IndicatorType.DOMAIN_NAME: DOMAINS | st.builds("{}{}".format, ODD_TEXT, DOMAINS),
    IndicatorType.URL: URLS | st.builds("{}{}".format, URLS, ODD_TEXT),
    IndicatorType.AUTONOMOUS_SYSTEM: st.integers(0, 1 << 33).map("AS{}".format),
    IndicatorType.FILE_NAME: TEXT,
    **{kind: st.text("0123456789abcdefABCDEF", min_size=size, max_size=size) for kind, size in HEX_DIGITS.items()},
}
NATIONS = [f"{one}{two}A" for one in "JKLMNOPQ" for two in "ABCDEFGH"][: MAX_NATIONS - 1]
UTF_8 = st.characters(codec="utf-8")
LABELS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=MAX_LABEL_LENGTH)
# As readers clean it, and as no one has. A text that is not UTF-8 is in no record.
TEARLINES = st.text(UTF_8, max_size=500).map(tearline.cleaned) | st.text(UTF_8)
MARKINGS = st.builds(
    Marking,
    tlp=st.sampled_from([Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT]),
    pap=st.sampled_from([Pap.UNSTATED, Pap.CLEAR, Pap.AMBER]),
    releasable_to=st.sampled_from([("JPN",), ("GBR", "JPN"), tuple(sorted(["JPN", *NATIONS]))]),
)


@st.composite
def _assertions(draw: st.DrawFn, sensor: str) -> Assertion:
    marking = draw(MARKINGS)
    labels = tuple(sorted(draw(st.sets(LABELS, max_size=3)) | draw(st.sampled_from([set(), set(MANY)]))))[:MAX_LABELS]
    statement = Statement.of(
        1,
        0,
        NOW_MS,
        marking,
        draw(st.integers(30, 100)),
        draw(st.sampled_from([0, NOW_MS + 1, END_OF_TIME_MS])),
        labels,
        draw(st.text(UTF_8, max_size=60)),
        draw(st.sampled_from([(), (("tearline", "公開"),)]) | st.tuples(st.tuples(st.just("tearline"), TEARLINES))),
    )
    first = draw(st.integers(0, NOW_MS))
    tally = Tally.under(
        marking, draw(st.integers(1, 9) | st.just(MAX_SIGHTINGS)), first, draw(st.integers(first, NOW_MS))
    )
    return Assertion(sensor, statement, (tally,))


MANY = [f"{number:02}{'長' * (MAX_LABEL_LENGTH - 2)}" for number in range(MAX_LABELS)]


@st.composite
def _indicators(draw: st.DrawFn) -> Canonical:
    """Type and canonical value of anything that is not inside a network: those the guards refuse by themselves."""
    kind = draw(st.sampled_from(list(BY_KIND)))
    found = canonical(kind, draw(BY_KIND[kind]))
    if isinstance(found, Invalid) or is_local(*found):
        reject()
    return found


@given(_indicators(), _assertions("edge-1"), st.none() | _assertions("edge-2"))
@settings(max_examples=300, suppress_health_check=[HealthCheck.filter_too_much])
def test_what_is_released_is_let_out_and_let_in(spelled: Canonical, one: Assertion, other: Assertion | None) -> None:
    # Of made-up names and addresses nearly none may leave (RFC 6761, RFC 6890): here they all may.
    enrichment = msgspec.structs.replace(ENRICHER.enrich(*spelled), special_use="", benign=False)
    row = merge(Row(*spelled, enrichment), b"", [one] if other is None else [one, other], NO_ROWS).row
    pieces = units(row)
    judgement = CLASSIFIER.decide(facets_in(row, pieces, CLASSIFIER.ratings), "JPN")
    assert judgement.decision.outcome is Outcome.RELEASE
    content = content_for(
        Included.of(row, pieces, judgement.decision), judgement.decision.obligations, "JPN", LIFETIMES, NOW_MS
    )
    key = indicator_key(*spelled)
    record: ReleasedIndicator = {
        "id": indicator_id(key),
        "kind": "content",
        "version": NOW_MS,
        "recalled_through": 0,
        "origin": "GBR",
        "hops": ["GBR"],
        "reason": "",
        "content": content,
    }
    value, name, shard = CODEC.encode(RELEASED_INDICATOR, record), indicator_id(key).encode(), shard_of_key(key, SHARDS)
    out = check(value, name, CODEC, agreed=all_agreed("GBR", "JPN"), now_ms=NOW_MS, partition=shard, shards=SHARDS)
    assert isinstance(out, Passed), out
    came_in = admit(
        value,
        name,
        CODEC,
        agreed=all_agreed("JPN", "GBR"),
        now_ms=NOW_MS,
        partition=shard,
        shards=SHARDS,
        floor=None,
        recalled_through=0,
    )
    assert isinstance(came_in, Accepted), came_in
