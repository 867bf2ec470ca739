"""Makes the shards of a nation's steps: each with its log, its feed, its state and its step."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from exchange.authority.policy_watch import PolicyWatch, RuledFeed
from exchange.authority.roster import Roster, load_roster
from exchange.clock import now_ms
from exchange.feeds.assigned import AssignedFeed
from exchange.feeds.consumed import ConsumedFeed
from exchange.feeds.hinted import MAX_BYTES, HintedFeed, Mailbox
from exchange.feeds.urgent import UrgentFeed
from exchange.kafka.clients import Cluster, topic_ids
from exchange.kafka.log import KafkaLog
from exchange.metrics import spec
from exchange.metrics.registry import Metrics
from exchange.protocol.feed import Feed
from exchange.protocol.log import rebuild_command
from exchange.protocol.record import Input
from exchange.protocol.rows import State
from exchange.protocol.shard import Shard, Turned
from exchange.protocol.standby import Standby
from exchange.protocol.state import open_state
from exchange.protocol.step import Step
from exchange.protocol.thread import ShardThread, ignore
from exchange.settings import Settings
from schemas import topics
from schemas.codec import Codec
from streams.correlate import step as correlate
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.step import Correlate, CorrelateSettings
from streams.enrichment.enrich import Enricher
from streams.enrichment.installed import installed_enricher
from streams.intake import step as intake
from streams.intake.step import Intake
from streams.receive import step as receive
from streams.receive.step import Receive
from streams.rules.policy_set import load
from streams.rules.rulebook import Rulebook
from streams.settle import step as settle
from streams.settle.feed import SettleFeed, TopicCopies
from streams.settle.settlement import Limits
from streams.settle.step import Settle

Facts = TypeVar("Facts")
_log = logging.getLogger(__name__)

# A batch's size bounds how long a turn takes, and shards take turns: what is urgent waits no longer than that.
REPORT_BYTES: Final = MAX_BYTES
BLOCK_BYTES: Final = 1 << 19
INBOX_RECORDS: Final = 500  # receive is no faster with more


def steps_of(partners: Sequence[str]) -> tuple[str, ...]:
    """The names of all steps that a worker runs."""
    of_partners = (step for partner in partners for step in (f"receive.{partner}", topics.settle_step(partner)))
    return ("intake", "correlate", *of_partners)


@dataclass(frozen=True)
class StreamsWorkshop:
    """A ``Workshop`` of one nation. Policy and enrichment are loaded once and shared by all shards."""

    nation: str
    cluster: Cluster
    settings: Settings
    metrics: Metrics
    enricher: Enricher
    watch: PolicyWatch
    rules: Rulebook
    lifetimes: Lifetimes
    roster: Roster
    on_broken: Callable[[Exception], None]

    @classmethod
    def open(
        cls,
        nation: str,
        cluster: Cluster,
        settings: Settings,
        metrics: Metrics,
        on_broken: Callable[[Exception], None],
    ) -> "StreamsWorkshop":
        """Load what the steps share. Raises where the policy set or the roster is not valid: nothing starts then."""
        shipped = load(nation, version=settings.policy_version)
        lifetimes = Lifetimes.load(settings.policy_version)
        roster = load_roster(nation, settings.officers)
        watch = PolicyWatch(cluster, roster, settings.partners(nation), settings.policy_lead_s * 1000).start()
        rules = Rulebook(shipped, watch)
        return cls(nation, cluster, settings, metrics, installed_enricher(), watch, rules, lifetimes, roster, on_broken)

    def __call__(self, shard: int, mailbox: Mailbox, still_assigned: Callable[[], bool]) -> Sequence[ShardThread]:
        """The threads of one shard: intake, correlate, and receive and settle for each partner."""
        self.metrics.ask(spec.MAILBOX_BYTES, lambda: mailbox.size, "intake", shard)
        shards, codec = self.settings.shards, self.cluster.codec()
        reports, blocks = Input(topics.SENSOR_REPORTS, shard), Input(topics.OBSERVATIONS, shard)
        commands = Input(topics.COMMANDS, shard)

        def correlate_shard() -> Shard:
            rest = AssignedFeed(self.cluster, [blocks], max_bytes=BLOCK_BYTES)
            feed = UrgentFeed(commands, AssignedFeed(self.cluster, [commands]), rest)
            return self._shard(
                Correlate(self._correlate_settings(), shard, codec, self.enricher, self.rules),
                shard,
                [blocks, commands],
                RuledFeed(self.watch, feed),
                correlate.STATE_FORMAT,
            )

        makers: dict[str, Callable[[], Shard]] = {
            "intake": lambda: self._shard(
                Intake(self.nation, shard, shards, codec, quota=self.settings.sensor_quota),
                shard,
                [reports],
                HintedFeed(reports, mailbox, AssignedFeed(self.cluster, [reports], max_bytes=REPORT_BYTES)),
                intake.STATE_FORMAT,
            ),
            "correlate": correlate_shard,
        }
        for partner in self.settings.partners(self.nation):
            makers[f"receive.{partner}"] = self._receiver(partner, shard, codec)
            makers[topics.settle_step(partner)] = self._settler(partner, shard, codec)
        return [
            ShardThread(
                step,
                shard,
                make,
                self.metrics,
                on_broken=self.on_broken,
                still_assigned=still_assigned,
                retake_after_s=self.settings.session_timeout_s,
                on_turned=self._observe_latency if step == "correlate" else ignore,
            )
            for step, make in makers.items()
        ]

    def _observe_latency(self, turned: Turned) -> None:
        """How long the batch's oldest report has taken from the sensor to the nation's picture."""
        headers = () if turned.oldest is None else turned.oldest.headers
        for name, value in headers:
            if name == intake.SINCE_HEADER:
                self.metrics.observe(spec.NATIONAL_LATENCY, max(0.0, (now_ms() - int(value)) / 1000))

    def _receiver(self, partner: str, shard: int, codec: Codec) -> Callable[[], Shard]:
        source, urgent = Input(topics.inbox(partner), shard), Input(topics.urgent_inbox(partner), shard)

        def make() -> Shard:
            rest = ConsumedFeed(self.cluster, [source], max_records=INBOX_RECORDS)
            feed = UrgentFeed(urgent, ConsumedFeed(self.cluster, [urgent]), rest)
            return self._shard(
                Receive(self.nation, partner, shard, self.settings.shards, codec),
                shard,
                [source, urgent],
                feed,
                receive.STATE_FORMAT,
            )

        return make

    def _settler(self, partner: str, shard: int, codec: Codec) -> Callable[[], Shard]:
        names = [topics.released(partner), topics.partner_receipts(partner), topics.accepted(partner)]
        sources = [Input(name, shard) for name in names]
        holding = [topics.inbox(partner), topics.urgent_inbox(partner), topics.accepted(partner)]
        copies = TopicCopies(self.cluster, holding, shard, codec)
        limits = Limits(self.settings.receipt_limit_s * 1000, self.settings.recall_limit_s * 1000)
        return lambda: self._shard(
            Settle(self.nation, partner, shard, codec, limits),
            shard,
            sources,
            SettleFeed(AssignedFeed(self.cluster, sources), copies, shard),
            settle.STATE_FORMAT,
        )

    def _correlate_settings(self) -> CorrelateSettings:
        partners = self.settings.partners(self.nation)
        return CorrelateSettings(
            self.nation, partners, self.settings.roll_up_ms, self.lifetimes, self.roster, self.settings.shards
        )

    def _shard(
        self,
        step: Step[Facts],
        shard: int,
        sources: Sequence[Input],
        feed: Feed[Facts],
        state_format: int,
    ) -> Shard:
        changelog = topics.changelog(step.name)
        ids = topic_ids(self.cluster, [*(source.topic for source in sources), changelog])
        log = KafkaLog(self.cluster, step.name, shard, input_ids=ids, state_format=state_format)
        state = self._state_opener(step.name, shard, ids[changelog], state_format)
        remedy = rebuild_command(self.nation, step.name, shard)
        return Shard(step, log, feed, state, now_ms, remedy=remedy)

    def _state_opener(self, step: str, shard: int, changelog_id: str, state_format: int) -> Callable[[], State]:
        folder = self.settings.state / self.nation / step / str(shard)
        return lambda: open_state(folder, changelog_id, state_format)

    def standbys(self, shard: int) -> Sequence[Standby]:
        """Copies of this shard's states, for when its owner is lost."""
        if not self.settings.standby:
            return ()
        formats = {"intake": intake.STATE_FORMAT, "correlate": correlate.STATE_FORMAT}
        for partner in self.settings.partners(self.nation):
            formats |= {f"receive.{partner}": receive.STATE_FORMAT, topics.settle_step(partner): settle.STATE_FORMAT}
        return [self._standby(step, shard, state_format) for step, state_format in formats.items()]

    def _standby(self, step: str, shard: int, state_format: int) -> Standby:
        changelog = topics.changelog(step)

        def find() -> tuple[KafkaLog, Callable[[], State]]:
            ids = topic_ids(self.cluster, [changelog])
            log = KafkaLog(self.cluster, step, shard, input_ids=ids, state_format=state_format)
            return log, self._state_opener(step, shard, ids[changelog], state_format)

        return Standby(f"{step}-{shard}", find)
