"""Intake and correlate of GBR with one shard, on benches, with officers; the broker's clock is the test's."""

from typing import Any, Final

from consumers.desk.commands import command
from exchange.protocol.effects import Effects
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import (
    COMMAND,
    DECISION,
    INDICATOR,
    QUARANTINED,
    RELEASED_INDICATOR,
    REVIEW_PENDING,
    SENSOR_REPORT,
    Codec,
)
from schemas.identity import indicator_id, indicator_key
from schemas.markings import SourceMarking
from schemas.records import Command
from schemas.signing import signed_command
from schemas.vocabulary import CommandKind, IndicatorType
from streams.correlate import row as rows_of
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.redecide import DECIDED
from streams.correlate.row import Row
from streams.correlate.step import Correlate, CorrelateSettings
from streams.enrichment.enrich import Enricher
from streams.intake.step import Intake
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.in_force import Rules
from streams.rules.policy_set import PolicySet, load
from tests.builders import DAY_MS, NOW_MS, a_report, an_observation
from tests.officers import ROSTER, key_of, signed_by
from tests.streams.enrichment_builders import an_enricher
from tests.streams.workbench import Workbench

DOMAIN: Final = "c2.example-of-an-attacker.jp"  # the example domains are special-use: they never leave
HOUR_MS: Final = 60 * 60 * 1000
ROLL_UP_MS: Final = 60_000
CODEC: Final = Codec()
LIFETIMES: Final = Lifetimes.load()
POLICY: Final = load("GBR")
KEY: Final = indicator_key(IndicatorType.DOMAIN_NAME, DOMAIN)
NAME: Final = indicator_id(KEY)


class OfficersBench:
    """One nation, one partner (JPN), one shard. Sequence numbers and offsets are counted here."""

    def __init__(self, policy: PolicySet = POLICY, rules: Rules | None = None, *, portion: int = DECIDED) -> None:
        self.now_ms, self.roster = NOW_MS, ROSTER
        self._settings = CorrelateSettings("GBR", ("JPN",), ROLL_UP_MS, LIFETIMES, lambda: self.roster, 1, portion)
        self._intake = Workbench(Intake("GBR", 0, 1, CODEC, quota=1_000_000, roster=lambda: self.roster))
        self._rules = rules
        self.correlate = Workbench(self.step(policy))
        self.policy = policy
        self._sequences: dict[tuple[str, int], int] = {}
        self._commands = 0

    def step(self, policy: PolicySet, enricher: Enricher | None = None) -> Correlate:
        """Correlate of a worker with these rules."""
        rules = self._rules or Classifier(Engine(policy))
        return Correlate(self._settings, 0, CODEC, enricher or an_enricher(), rules)

    def restarts_under(self, policy: PolicySet, enricher: Enricher | None = None) -> None:
        """The worker ends, and one with other rules, or other lists, takes over its rows."""
        self.correlate.continue_with(self.step(policy, enricher))

    def rows(self) -> list[tuple[bytes, Row]]:
        """The indicators' rows."""
        found = self.correlate.scan(b"", 1_000_000)
        return [(key, rows_of.decode(data)) for key, data in found if len(key) == len(KEY)]

    def observes(
        self,
        tlp: str = "TLP:GREEN",
        sensor: str = "edge",
        *,
        values: tuple[str, ...] = (DOMAIN,),
        tearline: str = "",
        labels: tuple[str, ...] = ("malicious-activity",),
        epoch: int = NOW_MS - DAY_MS,
        by: str = "",
        kind: IndicatorType = IndicatorType.DOMAIN_NAME,
        **marking: Any,
    ) -> None:
        """A sensor reports domains, or values of another type, in this epoch; ``by`` is whose key signs the report."""
        context = (("tearline", tearline),) if tearline else ()
        self.now_ms += 10
        sequence = self._sequences.get((sensor, epoch), -1) + 1
        self._sequences[sensor, epoch] = sequence
        stated = {"marking": SourceMarking(tlp=tlp, **marking), "confidence": 90, "context": context, "labels": labels}
        observed = [an_observation(kind=kind, value=value, **stated) for value in values]
        value = CODEC.encode(SENSOR_REPORT, a_report(observed, sensor=sensor, sequence=sequence, epoch=epoch))
        headers = signed_by(by, value) if by else ()
        record = Record(topics.SENSOR_REPORTS, 0, 0, b"", value, self.now_ms, headers)
        effects = self._intake.turn(self.now_ms, record)
        blocks = [
            Record(output.topic, 0, 0, output.key, output.value, self.now_ms)
            for output in effects.outputs
            if output.topic == topics.OBSERVATIONS
        ]
        self.correlate.turn(self.now_ms, *blocks)

    def gives(self, person: str, kind: CommandKind, *, number: int = 1, **fields: Any) -> str:
        """An officer's command arrives; why it was refused, empty if it was obeyed."""
        fields.setdefault("reason", "for a test")
        name = fields.pop("indicator_id", NAME)
        made = command(kind, "GBR", name, now_ms=self.now_ms, **fields)
        return self.arrives(signed_command(CODEC, made, key_of(person, number)))

    def arrives(self, made: Command, *, key: bytes | None = None, appended_ms: int = 0) -> str:
        """Any command arrives; why it was refused, empty if it was obeyed."""
        return self.arrives_as(CODEC.encode(COMMAND, made), key or made["indicator_id"].encode(), appended_ms)

    def arrives_as(self, value: bytes | None, key: bytes, appended_ms: int = 0) -> str:
        """Any bytes arrive on the topic of commands."""
        self.now_ms += 10
        place = self._commands
        self._commands += 1
        self.correlate.turn(self.now_ms, Record(topics.COMMANDS, 0, place, key, value, appended_ms or self.now_ms))
        found = [each for each in self.quarantine if each["key"] == f"{topics.COMMANDS}-0-{place}--1"]
        return found[0]["reason"] if found else ""

    def approves(self, person: str, *, number: int = 1, **fields: Any) -> str:
        """An officer approves the open review."""
        return self.judges(person, "approve", number=number, **fields)

    def judges(self, person: str, verdict: str, *, number: int = 1, **fields: Any) -> str:
        """An officer's verdict on the open review, or on the last one."""
        shown = self.shown[-1]
        fields.setdefault("question", shown["question"])
        return self.gives(
            person,
            CommandKind.VERDICT,
            number=number,
            verdict=verdict,
            partner="JPN",
            about=shown["decision_id"],
            **fields,
        )

    def waits(self, ms: int) -> None:
        """Let time pass, and compute the rows that become due."""
        until = self.now_ms + ms
        while 0 < (due := self.correlate.next_due()) <= until:
            self.now_ms = max(due, self.now_ms)
            self.correlate.turn(self.now_ms)
        self.now_ms = until
        self.correlate.turn(self.now_ms)

    def turns(self) -> Effects:
        """One batch without input."""
        return self.correlate.turn(self.now_ms)

    @property
    def national(self) -> list[dict[str, Any]]:
        return self.correlate.written(topics.NATIONAL, INDICATOR)

    @property
    def released(self) -> list[dict[str, Any]]:
        return self.correlate.written(topics.released("JPN"), RELEASED_INDICATOR)

    @property
    def decisions(self) -> list[dict[str, Any]]:
        return self.correlate.written(topics.AUDIT, DECISION)

    @property
    def quarantine(self) -> list[dict[str, Any]]:
        return self.correlate.written(topics.QUARANTINE, QUARANTINED)

    @property
    def refused_reports(self) -> list[dict[str, Any]]:
        return self._intake.written(topics.QUARANTINE, QUARANTINED)

    @property
    def shown(self) -> list[dict[str, Any]]:
        """Everything that was ever shown to officers."""
        outputs = [each for each in self.correlate.outputs if each.topic == topics.REVIEW_PENDING]
        found = [CODEC.decode(REVIEW_PENDING, output.value) for output in outputs if output.value is not None]
        return [each for each in found if isinstance(each, dict)]

    @property
    def pending(self) -> list[bytes]:
        """The keys that wait now."""
        last: dict[bytes, bytes | None] = {}
        for output in self.correlate.outputs:
            if output.topic == topics.REVIEW_PENDING:
                last[output.key] = output.value
        return [key for key, value in last.items() if value is not None]

    @property
    def announced(self) -> list[tuple[str, str]]:
        """The records for the partner: kinds with their reasons."""
        return [(record["kind"], record["reason"]) for record in self.released]
