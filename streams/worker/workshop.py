"""Makes the shards of a nation's steps: each with its log, its feed, its state and its step."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from exchange.authority.policy_watch import PolicyWatch, RuledFeed
from exchange.authority.roster_watch import RosterWatch
from exchange.clock import now_ms
from exchange.feeds.assigned import AssignedFeed
from exchange.feeds.bells import Bells
from exchange.feeds.consumed import ConsumedFeed
from exchange.feeds.hinted import MAX_BYTES, HintedFeed, Mailbox
from exchange.feeds.resting import RestingFeed
from exchange.feeds.urgent import UrgentFeed
from exchange.kafka.broker_time import BrokerTime
from exchange.kafka.clients import ROLE_ASKS_S, Cluster, topic_ids
from exchange.kafka.log import KafkaLog
from exchange.metrics import spec
from exchange.metrics.registry import Metrics
from exchange.protocol.feed import Feed
from exchange.protocol.log import rebuild_command
from exchange.protocol.record import Input
from exchange.protocol.restore_apart import RestoreApart
from exchange.protocol.shard import Shard, Turned
from exchange.protocol.standby import Standby
from exchange.protocol.state import RocksState, open_state
from exchange.protocol.step import Step
from exchange.protocol.thread import ShardThread, ignore
from exchange.protocol.turns import PatientTurn, Turn
from exchange.settings import Settings
from schemas import topics
from schemas.codec import Codec
from schemas.topics import StepKind, StreamsStep
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.step import Correlate, CorrelateSettings
from streams.enrichment.enrich import Enricher
from streams.enrichment.installed import installed_enricher
from streams.intake.collapse import Normaliser
from streams.intake.step import SINCE_HEADER, Intake
from streams.receive.step import Receive
from streams.rules.policy_set import load
from streams.rules.rulebook import Rulebook
from streams.settle.feed import SettleFeed, TopicCopies
from streams.settle.settlement import Limits
from streams.settle.step import Settle
from streams.steps import STATE_FORMATS

Facts = TypeVar("Facts")
_log = logging.getLogger(__name__)

REPORT_BYTES: Final = MAX_BYTES
# A batch begins so long after the last one, unless that one left some (``exchange.feeds.gathering``): under load fewer
# and larger ones are cheaper, and at a trickle no record waits. No one waits for settle (``PatientTurn``).
GATHER_REPORTS_S: Final = 0.03
GATHER_BLOCKS_S: Final = 0.06
GATHER_RECEIPTS_S: Final = 3.0
BLOCK_BYTES: Final = 4 << 20  # urgent records preempt such a batch
INBOX_RECORDS: Final = 500  # more do not make receive faster


@dataclass(frozen=True)
class StreamsWorkshop:
    """A ``Workshop`` of one nation. Policy and enrichment are loaded once and shared by all shards, as are the values
    that intake has normalised."""

    nation: str
    cluster: Cluster
    settings: Settings
    metrics: Metrics
    enricher: Enricher
    watch: PolicyWatch
    rules: Rulebook
    lifetimes: Lifetimes
    broker_time: BrokerTime
    bells: Bells
    clock: Callable[[], int]
    on_broken: Callable[[Exception], None]
    normaliser: Normaliser = field(default_factory=Normaliser)

    @classmethod
    def open(
        cls,
        nation: str,
        cluster: Cluster,
        settings: Settings,
        metrics: Metrics,
        on_broken: Callable[[Exception], None],
    ) -> "StreamsWorkshop":
        """Load the data that the steps share. Raises if the policy set or the roster is not valid."""
        shipped = load(nation, settings.policy_folder, version=settings.policy_version)
        lifetimes = Lifetimes.load(settings.policy_version, settings.policy_folder)
        broker_time = BrokerTime(cluster).start()
        clock = broker_time.clock
        metrics.ask(spec.CLOCK_AHEAD_SECONDS, lambda: clock.ahead_ms() / 1000)
        roster, lead_ms = RosterWatch(nation, settings.officers), settings.policy_lead_s * 1000
        watch = PolicyWatch(cluster, roster, settings.partners(nation), lead_ms, clock).start()
        rules = Rulebook(shipped, watch)
        enricher, bells = installed_enricher(), Bells(cluster)
        return cls(
            nation, cluster, settings, metrics, enricher, watch, rules, lifetimes, broker_time, bells, clock, on_broken
        )

    def close(self) -> None:
        """Read no more of the policy, of the broker's clock and of what shards at rest wait for. A process that ends
        need not wait for that."""
        self.watch.stop()
        self.broker_time.stop()
        self.bells.stop()

    def __call__(self, shard: int, mailbox: Mailbox, still_assigned: Callable[[], bool]) -> Sequence[ShardThread]:
        """The threads of one shard: intake, correlate, and receive and settle for each partner."""
        self.metrics.ask(spec.MAILBOX_BYTES, lambda: mailbox.size, str(StepKind.INTAKE), shard)
        return [
            ShardThread(
                step.name,
                shard,
                partial(self._make, step, shard, mailbox),
                self.metrics,
                on_broken=self.on_broken,
                still_assigned=still_assigned,
                retake_after_s=self.settings.session_timeout_s,
                on_turned=self._observe_latency if step.kind is StepKind.CORRELATE else ignore,
            )
            for step in topics.streams_steps(self.settings.partners(self.nation))
        ]

    def _make(self, step: StreamsStep, shard: int, mailbox: Mailbox) -> Shard:
        """A shard of a step."""
        codec, inputs = self.cluster.codec(), [Input(topic, shard) for topic in step.inputs]
        match step.kind:
            case StepKind.INTAKE:
                return self._intake(step, shard, inputs, codec, mailbox)
            case StepKind.CORRELATE:
                return self._correlate(step, shard, inputs, codec)
            case StepKind.RECEIVE:
                return self._receive(step, shard, inputs, codec)
            case StepKind.SETTLE:
                return self._settle(step, shard, inputs, codec)

    def _intake(self, step: StreamsStep, shard: int, inputs: Sequence[Input], codec: Codec, mailbox: Mailbox) -> Shard:
        [reports] = inputs
        settings = self.settings
        intake = Intake(
            self.nation,
            shard,
            settings.shards,
            codec,
            quota=settings.sensor_quota,
            roster=lambda: self.watch.judged_by,
            normaliser=self.normaliser,
        )
        own = AssignedFeed(self.cluster, inputs, max_bytes=REPORT_BYTES)
        feed = HintedFeed(reports, mailbox, own, GATHER_REPORTS_S)
        return self._shard(step, intake, shard, RestingFeed(feed, self.bells))

    def _correlate(self, step: StreamsStep, shard: int, inputs: Sequence[Input], codec: Codec) -> Shard:
        blocks, commands = inputs
        settings, partners = self.settings, self.settings.partners(self.nation)
        correlate = Correlate(
            CorrelateSettings(
                self.nation,
                partners,
                settings.roll_up_ms,
                self.lifetimes,
                lambda: self.watch.judged_by,
                settings.shards,
            ),
            shard,
            codec,
            self.enricher,
            self.rules,
        )
        rest = AssignedFeed(self.cluster, [blocks], max_bytes=BLOCK_BYTES, gather_s=GATHER_BLOCKS_S)
        feed = UrgentFeed(commands, AssignedFeed(self.cluster, [commands]), rest)
        return self._shard(step, correlate, shard, RuledFeed(self.watch, RestingFeed(feed, self.bells)))

    def _receive(self, step: StreamsStep, shard: int, inputs: Sequence[Input], codec: Codec) -> Shard:
        source, urgent = inputs
        rest = ConsumedFeed(self.cluster, [source], max_records=INBOX_RECORDS)
        feed = UrgentFeed(urgent, ConsumedFeed(self.cluster, [urgent]), rest)
        receive = Receive(self.settings.agreement(self.nation, step.partner), shard, self.settings.shards, codec)
        return self._shard(step, receive, shard, RestingFeed(feed, self.bells))

    def _settle(self, step: StreamsStep, shard: int, inputs: Sequence[Input], codec: Codec) -> Shard:
        partner = step.partner
        holding = [topics.inbox(partner), topics.urgent_inbox(partner), topics.accepted(partner)]
        copies = TopicCopies(self.cluster, holding, shard, codec)
        limits = Limits(self.settings.receipt_limit_s * 1000, self.settings.recall_limit_s * 1000)
        settle = Settle(self.nation, partner, shard, codec, limits)
        own = AssignedFeed(self.cluster, inputs, gather_s=GATHER_RECEIPTS_S)
        feed = RestingFeed(SettleFeed(own, copies, shard), self.bells)
        return self._shard(step, settle, shard, feed, PatientTurn())

    def _observe_latency(self, turned: Turned) -> None:
        """Observe the time of the batch's oldest report from the sensor to the national record."""
        headers = () if turned.oldest is None else turned.oldest.headers
        for name, value in headers:
            if name == SINCE_HEADER:
                self.metrics.observe(spec.NATIONAL_LATENCY, max(0.0, (now_ms() - int(value)) / 1000))

    def _shard(
        self, step: StreamsStep, runs: Step[Facts], shard: int, feed: Feed[Facts], turn: Turn | None = None
    ) -> Shard:
        changelog, state_format = topics.changelog(step.name), STATE_FORMATS[step.kind]
        ids = topic_ids(self.cluster, [*step.inputs, changelog], again_s=ROLE_ASKS_S)
        log = KafkaLog(self.cluster, step.name, shard, input_ids=ids, state_format=state_format)
        state = self._state_opener(step.name, shard, ids[changelog], state_format)
        apart = RestoreApart(self.cluster, log, step.name, shard, state)
        remedy = rebuild_command(self.nation, step.name, shard)
        return Shard(runs, log, feed, state, self.clock, remedy=remedy, restore_apart=apart, turn=turn)

    def _state_opener(self, step: str, shard: int, changelog_id: str, state_format: int) -> Callable[[], RocksState]:
        folder = self.settings.state / self.nation / step / str(shard)
        return lambda: open_state(folder, changelog_id, state_format)

    def standbys(self, shard: int) -> Sequence[Standby]:
        """Copies of this shard's states, to take over if its owner is lost."""
        if not self.settings.standby:
            return ()
        steps = topics.streams_steps(self.settings.partners(self.nation))
        return [self._standby(step.name, shard, STATE_FORMATS[step.kind]) for step in steps]

    def _standby(self, step: str, shard: int, state_format: int) -> Standby:
        changelog = topics.changelog(step)

        def find() -> tuple[KafkaLog, Callable[[], RocksState]]:
            ids = topic_ids(self.cluster, [changelog])
            log = KafkaLog(self.cluster, step, shard, input_ids=ids, state_format=state_format)
            return log, self._state_opener(step, shard, ids[changelog], state_format)

        return Standby(f"{step}-{shard}", find)
