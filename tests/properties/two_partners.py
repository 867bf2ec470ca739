"""One nation with two partners, as pure steps: from sensors' reports to all that either partner's cluster receives."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

from consumers.bridge.step import Bridge, Link, fast_lane_of
from consumers.desk.commands import command
from exchange.protocol.record import Headers, Output, Record
from schemas import topics
from schemas.codec import COMMAND, REVIEW_PENDING, SENSOR_REPORT, Codec
from schemas.links import all_agreed
from schemas.records import MarkingRecord, ReviewPending, SensorReport
from schemas.signing import signed_command
from schemas.vocabulary import CommandKind
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.step import Correlate, CorrelateSettings
from streams.intake.step import Intake
from streams.receive.step import Receive
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.in_force import InForce
from streams.rules.policy_set import PolicySet, compiled, load
from tests.builders import NOW_MS
from tests.officers import ALICE, ROSTER, key_of
from tests.streams.enrichment_builders import an_enricher
from tests.streams.workbench import Workbench

HOME: Final = "GBR"
PARTNERS: Final = ("AUS", "JPN")
ROLL_UP_MS: Final = 60_000
CODEC: Final = Codec()
LIFETIMES: Final = Lifetimes.load()
ENRICHER: Final = an_enricher()
LINKS: Final = {partner: all_agreed(HOME, partner) for partner in PARTNERS}
GREEN: Final[MarkingRecord] = {"tlp": 1, "pap": 0, "releasable_to": None, "caveats": []}
SWITCH_MS: Final = NOW_MS + 40 * 60_000  # when other rules come into force

Received = tuple[str, int, bytes, bytes | None, Headers, int]
"""What a partner's cluster has of a record: topic, partition, key, value, headers, and when it was written."""


def _renamed(policy: PolicySet) -> PolicySet:
    """A set that decides the same, under another version."""
    texts = dict(policy.texts)
    path = next(path for path in sorted(texts) if path.endswith("tlp.cedar"))
    return compiled(texts | {path: texts[path] + "\n// as before\n"}, HOME)


SHIPPED: Final = replace(load(HOME), links=LINKS)
BEFORE: Final = Classifier(Engine(SHIPPED))
AFTER: Final = Classifier(Engine(replace(_renamed(load(HOME)), links=LINKS)))


class Switching:
    """Rules that are replaced by equal ones of another version at ``SWITCH_MS``."""

    def in_force(self, now_ms: int) -> InForce:
        """The rules at a shard time."""
        return InForce(BEFORE if now_ms < SWITCH_MS else AFTER)


@dataclass
class _Border:
    """A partner's end of a link: both lanes of the bridge, and the step that receives."""

    partner: str
    bulk: Workbench
    urgent: Workbench
    receive: Workbench


class Nation:
    """One shard of a nation and what its partners receive. The test sets the time."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS
        settings = CorrelateSettings(HOME, PARTNERS, ROLL_UP_MS, LIFETIMES, lambda: ROSTER, 1)
        self._intake = Workbench(Intake(HOME, 0, 1, CODEC, quota=1_000_000, roster=lambda: ROSTER))
        self.correlate = Workbench(Correlate(settings, 0, CODEC, ENRICHER, Switching()))
        self._borders = [
            _Border(
                partner,
                Workbench(Bridge(Link(LINKS[partner], CODEC, CODEC, 1)), facts={}),
                Workbench(Bridge(link := Link(LINKS[partner], CODEC, CODEC, 1), fast_lane_of(link)), facts={}),
                Workbench(Receive(all_agreed(partner, HOME), 0, 1, CODEC)),
            )
            for partner in PARTNERS
        ]
        self._commands = 0
        self._sent: dict[str, int] = {}
        self._received: dict[str, list[Received]] = {partner: [] for partner in PARTNERS}

    def observes(self, *reports: SensorReport) -> None:
        """These reports arrive in one batch."""
        records = [
            Record(topics.SENSOR_REPORTS, 0, 0, b"", CODEC.encode(SENSOR_REPORT, report), self.now_ms)
            for report in reports
        ]
        effects = self._intake.turn(self.now_ms, *records)
        blocks = [
            Record(output.topic, 0, 0, output.key, output.value, self.now_ms)
            for output in effects.outputs
            if output.topic == topics.OBSERVATIONS
        ]
        self._turn(*blocks)

    def approves(self, partner: str) -> None:
        """An officer approves all that waits for a partner."""
        for shown in self.waiting(partner):
            made = command(
                CommandKind.VERDICT,
                HOME,
                shown["indicator_id"],
                now_ms=self.now_ms,
                reason="for a test",
                verdict="approve",
                partner=partner,
                question=shown["question"],
                about=shown["decision_id"],
                marking=GREEN if "tlp-unmarked" in shown["rules"] else None,
            )
            value = CODEC.encode(COMMAND, signed_command(CODEC, made, key_of(ALICE)))
            self._commands += 1
            key = made["indicator_id"].encode()
            self._turn(Record(topics.COMMANDS, 0, self._commands, key, value, self.now_ms))

    def waiting(self, partner: str) -> list[ReviewPending]:
        """The open questions about releases to a partner."""
        last: dict[bytes, bytes | None] = {}
        for output in self.correlate.outputs:
            if output.topic == topics.REVIEW_PENDING and output.key.endswith(f"/{partner}".encode()):
                last[output.key] = output.value
        found = [CODEC.decode(REVIEW_PENDING, value) for _, value in sorted(last.items()) if value is not None]
        return [cast("ReviewPending", each) for each in found if isinstance(each, dict)]

    def waits(self, ms: int) -> None:
        """Let time pass, and compute the rows as they become due."""
        until = self.now_ms + ms
        while 0 < (due := self.correlate.next_due()) <= until:
            self.now_ms = max(due, self.now_ms)
            self._turn()
        self.now_ms = until
        self._turn()

    def received(self, partner: str) -> Sequence[Received]:
        """All that ever reached the partner's cluster, in its order."""
        return self._received[partner]

    def _turn(self, *records: Record) -> None:
        effects = self.correlate.turn(self.now_ms, *records)
        for border in self._borders:
            for bench, topic in (
                (border.urgent, topics.urgent(border.partner)),
                (border.bulk, topics.released(border.partner)),
            ):
                self._carry(border, bench, [output for output in effects.outputs if output.topic == topic])

    def _carry(self, border: _Border, bench: Workbench, released: Sequence[Output]) -> None:
        carried: list[Output] = []
        for output in released:
            offset = self._sent[output.topic] = self._sent.get(output.topic, -1) + 1
            record = Record(output.topic, 0, offset, output.key, output.value, self.now_ms, output.headers)
            carried += bench.turn(self.now_ms, record).outputs
        for each in carried:
            value = each.topic, each.partition, each.key, each.value, each.headers, self.now_ms
            self._received[border.partner].append(value)
            inbox = Record(each.topic, 0, 0, each.key, each.value, self.now_ms, each.headers)
            for out in border.receive.turn(self.now_ms, inbox).outputs:
                value = out.topic, out.partition, out.key, out.value, out.headers, self.now_ms
                self._received[border.partner].append(value)
