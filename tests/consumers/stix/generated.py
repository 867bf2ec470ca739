"""Entries of a picture, generated: every type, state and marking, and texts that try to break out of their place."""

from hypothesis import strategies as st

from consumers.picture.entry import DISPUTED, NOT_SEEN, Answer, Entry, techniques_in
from consumers.subscription.changes import State
from schemas.markings import Caveat, Pap, Tlp
from schemas.normalise.canonical import canonical
from schemas.vocabulary import IndicatorType
from tests.builders import NOW_MS, an_id
from tests.consumers.outputs.test_output_laws import VALUES
from tests.consumers.outputs.writing import HOSTILE

TIMES = st.one_of(st.integers(1, 2 * NOW_MS), st.sampled_from([1, NOW_MS, 253_402_300_799_999, 1 << 62]))
LABELS = st.one_of(
    st.sampled_from(
        [
            *("malicious-activity", "benign", "attack.t1566.001", "T1059", "attack.initial-access", "TA0011"),
            *('kill-chain:"Delivery"', "tlp:red", "取扱注意", "a'b\\c"),
        ]
    ),
    HOSTILE,
)
_HOSTILE_VALUES = {
    IndicatorType.FILE_NAME: HOSTILE,
    IndicatorType.USER_AGENT: HOSTILE,
    IndicatorType.MUTEX: HOSTILE,
    IndicatorType.REGISTRY_KEY: HOSTILE.map(lambda text: f"HKLM\\{text}\\{text}"),
    IndicatorType.URL: HOSTILE.map(lambda text: f"http://example.com/{text}?q={text}"),
    IndicatorType.EMAIL_ADDR: HOSTILE.map(lambda text: f"{text}@example.com"),
}


_ANSWERS = st.builds(
    Answer,
    nation=st.sampled_from(["GBR", "JPN", "USA"]),
    kind=st.sampled_from([DISPUTED, NOT_SEEN]),
    reason=st.just("outdated"),
    version=TIMES,
    at_ms=TIMES,
    changed_ms=TIMES,
    added_us=st.just(0),
)


@st.composite
def values(draw: st.DrawFn) -> tuple[IndicatorType, str]:
    """A canonical value of any type."""
    kind = draw(st.sampled_from(IndicatorType))
    plain = st.sampled_from(VALUES[kind])
    value = draw(st.one_of(plain, _HOSTILE_VALUES[kind]) if kind in _HOSTILE_VALUES else plain)
    spelled = canonical(kind, value)
    return spelled if isinstance(spelled, tuple) else (kind, draw(plain))


@st.composite
def entries(draw: st.DrawFn, state: State | None = None) -> Entry:
    """Any entry that a picture can have."""
    kind, value = draw(values())
    labels = tuple(sorted(set(draw(st.lists(LABELS, max_size=4)))))
    tlp = draw(st.sampled_from(Tlp))
    nations = st.lists(st.sampled_from(["GBR", "JPN", "USA", "THA"]), max_size=3, unique=True).map(tuple)
    is_open = tlp < Tlp.AMBER and draw(st.booleans())
    first = draw(st.one_of(st.just(0), TIMES))
    return Entry(
        id=an_id(kind, value),
        origin=draw(st.sampled_from(["GBR", "JPN"])),
        type=kind.label,
        value=value,
        state=draw(st.sampled_from([State.LIVE, State.ENDED, State.EXPIRED, State.REVOKED]))
        if state is None
        else state,
        version=draw(TIMES),
        received_ms=NOW_MS,
        tlp=tlp.label,
        pap=draw(st.sampled_from(Pap)).label,
        releasable_to=None if is_open else tuple(sorted(draw(nations))),
        caveats=tuple(sorted(draw(st.sets(st.sampled_from(Caveat).map(str), max_size=3)))),
        confidence=draw(st.one_of(st.none(), st.integers(0, 100))),
        labels=labels,
        techniques=techniques_in(labels),
        first_seen_ms=first,
        last_seen_ms=draw(TIMES),
        sightings=draw(st.integers(0, 1 << 40)),
        valid_until_ms=draw(st.one_of(st.none(), TIMES)),
        release_expires_ms=draw(st.one_of(st.none(), TIMES)),
        registered_domain="",
        asn=None,
        country="",
        tearline=draw(st.one_of(st.just(""), HOSTILE)),
        answers=tuple(draw(st.lists(_ANSWERS, max_size=3, unique_by=lambda each: (each.nation, each.kind)))),
    )
