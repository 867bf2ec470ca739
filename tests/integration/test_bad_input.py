"""Bad input is an answer: each kind of it has its fate, takes nothing good along, and never stops the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import cast

import pytest

from consumers.desk.redrive import Redrive, redrive, signed
from consumers.desk.sending import send
from exchange import clock
from exchange.kafka.clients import transactional_producer
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import DECISION, INDICATOR, QUARANTINED, RELEASED_INDICATOR, SENSOR_REPORT, Codec
from schemas.identity import indicator_id, indicator_key, shard_of_sensor
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.records import Content, Decision, Indicator, Quarantined, ReleasedIndicator, SensorReport
from schemas.vocabulary import IndicatorType
from tests.integration import bad_reports
from tests.integration.bad_reports import CLEAR, NATION, Bad, good, of_nation
from tests.integration.nations import Nations
from tests.officers import BOB, key_of
from tests.polling import eventually

CODEC = Codec()
WHOLE, SINGLE = bad_reports.whole_reports(), bad_reports.observations()
SETTLED_S = 60.0
EMPTY_FILE = "d41d8cd98f00b204e9800998ecf8427e"  # MD5 of no bytes at all: on MISP's list of empty files


@dataclass(slots=True)
class Outcome:
    """What stands on the topics once everything here has been sent and has settled."""

    sent: dict[str, Record] = field(default_factory=dict)
    quarantine: dict[str, Quarantined] = field(default_factory=dict)
    national: dict[str, Indicator] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    accepted: dict[str, ReleasedIndicator] = field(default_factory=dict)

    def entry(self, name: str, index: int = -1) -> Quarantined | None:
        """The quarantine's entry for what was sent under this name."""
        record = self.sent[name]
        return self.quarantine.get(f"{record.topic}-{record.partition}-{record.offset}-{index}")

    def partner_has(self, observation: Observation) -> Content | None:
        """What the partner has of it."""
        found = self.accepted.get(_id(observation.kind, observation.value))
        return None if found is None else found["content"]

    def picture(self, observation: Observation) -> Indicator:
        """The nation's own picture of it."""
        return self.national[_id(observation.kind, observation.value)]

    def decision(self, observation: Observation) -> Decision:
        """The last decision on it."""
        return self.decisions[_id(observation.kind, observation.value)]


def _id(kind: IndicatorType, value: str) -> str:
    return indicator_id(indicator_key(kind, value))


PRIVATE = Observation(kind=IndicatorType.IPV4_ADDR, value="10.20.30.40", marking=CLEAR)
BENIGN = Observation(kind=IndicatorType.FILE_MD5, value=EMPTY_FILE, marking=CLEAR)
UNMARKED = good("unmarked", marking=SourceMarking())
UNKNOWN_MARKING = good("unknown marking", marking=SourceMarking("TLP:PURPLE"))
TWICE, OTHER_CONTENT, BOTH, ABORTED, COMMITTED = map(good, ("twice", "other content", "both", "aborted", "committed"))
MENDED = good("redriven", 1)


@pytest.fixture(scope="module")
def outcome(nations: Nations) -> Outcome:
    """Everything bad at once, and between it what is good; then what can be redriven, twice."""
    for bad in (*WHOLE, *SINGLE):
        nations.send_bytes(NATION, bad.sensor, bad.value, bad_reports.partition_of(bad, nations.shards))
    twice, empty = of_nation("twice", TWICE), bad_reports.crowded("nothing in it", 0)
    nations.send(
        NATION,
        [
            of_nation("annotated", PRIVATE, BENIGN, UNMARKED, UNKNOWN_MARKING),
            twice,
            twice,
            of_nation("twice", OTHER_CONTENT, epoch=twice["epoch"]),
            of_nation("both one", BOTH),
            of_nation("both two", BOTH),
            empty,
            bad_reports.crowded("crowd", bad_reports.MOST_OBSERVATIONS),
            bad_reports.between("redriven", value="no hash"),
            of_nation("numbering", sequence=0, epoch=twice["epoch"] + 1),
            of_nation("numbering", sequence=0, epoch=twice["epoch"]),
        ],
    )
    nations.flush()
    for observation, commit in ((ABORTED, False), (COMMITTED, True)):
        _send_in_a_transaction(nations, of_nation("transactional", observation), commit=commit)
    nations.settled(SETTLED_S, [NATION])
    _redrive_twice(nations)
    nations.settled(SETTLED_S, [NATION])
    return _outcome(nations)


def _send_in_a_transaction(nations: Nations, report: SensorReport, *, commit: bool) -> None:
    producer = transactional_producer(nations.clusters[NATION], "a sensor with transactions")
    producer.init_transactions(30)
    producer.begin_transaction()
    partition = shard_of_sensor(report["sensor"], nations.shards)
    value = CODEC.encode(SENSOR_REPORT, report)
    producer.produce(topics.SENSOR_REPORTS, value, report["sensor"].encode(), partition)
    producer.flush(30)
    if commit:
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)


def _redrive_twice(nations: Nations) -> None:
    """The corrected observation, as an officer sends it again; and once more by mistake."""
    found = _outcome(nations).entry("bad redriven", 1)
    assert found is not None
    wanted = len(nations.direction(NATION).stand().reports) + 2
    for _ in range(2):
        sent = redrive(found, CODEC, now_ms=clock.now_ms(), changes={"value": MENDED.value})
        assert isinstance(sent, Redrive)
        assert len(send(nations.clusters[NATION], [signed(sent, CODEC, key_of(BOB)).output])) == 1
    eventually(lambda: len(nations.direction(NATION).stand().reports) >= wanted, 10, "both redriven reports")


def _outcome(nations: Nations) -> Outcome:
    stand = nations.direction(NATION).stand()
    result = Outcome({(record.key or b"").decode(): record for record in stand.reports})
    for entry in _decoded(QUARANTINED, stand.quarantine):
        result.quarantine[str(entry["key"])] = cast("Quarantined", entry)
    for indicator in _decoded(INDICATOR, stand.national):
        result.national[str(indicator["id"])] = cast("Indicator", indicator)
    for decision in _decoded(DECISION, stand.decisions):
        result.decisions[str(decision["indicator_id"])] = cast("Decision", decision)
    for released in _decoded(RELEASED_INDICATOR, stand.accepted):
        result.accepted[str(released["id"])] = cast("ReleasedIndicator", released)
    return result


def _decoded(schema: str, records: Sequence[Record]) -> list[Mapping[str, object]]:
    return [found for record in records if isinstance(found := CODEC.decode(schema, record.value), dict)]


@pytest.mark.parametrize("bad", WHOLE, ids=lambda bad: bad.name)
def test_a_report_that_cannot_be_used_goes_to_quarantine_whole(outcome: Outcome, bad: Bad) -> None:
    entry = outcome.entry(bad.sensor)
    assert entry is not None
    value = bad.value or b""
    assert (entry["reason"], entry["stage"], entry["index"]) == (bad.reason, "intake", -1)
    assert (entry["size"], entry["digest"]) == (len(value), sha256(value).digest())
    assert entry["original"] == (value if len(value) <= 512 << 10 else None)
    assert entry["detail"]


@pytest.mark.parametrize("bad", SINGLE, ids=lambda bad: bad.name)
def test_one_bad_observation_goes_to_quarantine_and_the_others_go_on(outcome: Outcome, bad: Bad) -> None:
    entry = outcome.entry(bad.sensor, bad.index)
    assert entry is not None
    assert (entry["reason"], entry["sensor"], entry["content_type"]) == (bad.reason, bad.sensor, "json")
    assert outcome.entry(bad.sensor) is None
    for number in (0, 2):
        assert outcome.partner_has(good(bad.name, number)) is not None


def test_a_private_address_is_annotated_and_stays(outcome: Outcome) -> None:
    assert outcome.picture(PRIVATE)["special_use"] == "private"
    assert (outcome.decision(PRIVATE)["outcome"], outcome.decision(PRIVATE)["rules"]) == ("withhold", ["special-use"])
    assert outcome.partner_has(PRIVATE) is None


def test_a_well_known_benign_value_is_annotated_and_waits(outcome: Outcome) -> None:
    assert outcome.picture(BENIGN)["warninglists"]
    assert (outcome.decision(BENIGN)["outcome"], outcome.decision(BENIGN)["rules"]) == (
        "hold",
        ["warninglist-well-known"],
    )
    assert outcome.partner_has(BENIGN) is None


@pytest.mark.parametrize(
    ("observation", "rules"),
    [(UNMARKED, ["tlp-unmarked"]), (UNKNOWN_MARKING, ["caveat-unrecognised", "tlp-unmarked"])],
    ids=["missing", "unknown"],
)
def test_a_marking_that_is_missing_or_unknown_waits_for_a_human(
    outcome: Outcome, observation: Observation, rules: list[str]
) -> None:
    decision = outcome.decision(observation)
    assert (decision["outcome"], decision["rules"]) == ("hold", rules)
    assert outcome.partner_has(observation) is None


def test_a_report_that_comes_twice_counts_once_and_the_first_one_counts(outcome: Outcome) -> None:
    content = outcome.partner_has(TWICE)
    assert content is not None
    assert content["sightings"] == 1
    assert outcome.partner_has(OTHER_CONTENT) is None


def test_two_sensors_may_see_the_same(outcome: Outcome) -> None:
    picture = outcome.picture(BOTH)
    assert (picture["source_count"], picture["sightings"]) == (2, 2)


def test_an_earlier_numbering_that_was_never_seen_is_not_counted(outcome: Outcome) -> None:
    entry = outcome.entry("bad numbering")
    assert entry is not None
    assert entry["reason"] == "stale-epoch"


def test_a_report_of_100_000_observations_is_taken(outcome: Outcome) -> None:
    seen = Observation(kind=IndicatorType.FILE_NAME, value="crowd-7.exe")
    content = outcome.partner_has(seen)
    assert content is not None
    assert content["sightings"] == 200


def test_a_report_without_observations_is_no_trouble(outcome: Outcome) -> None:
    assert outcome.entry("bad nothing in it") is None


def test_an_aborted_transaction_of_a_sensor_was_never_there(outcome: Outcome) -> None:
    assert outcome.partner_has(ABORTED) is None
    assert outcome.partner_has(COMMITTED) is not None


def test_a_mended_observation_counts_once_though_it_was_redriven_twice(outcome: Outcome) -> None:
    content = outcome.partner_has(MENDED)
    assert content is not None
    assert content["sightings"] == 1
