"""The stages as an agent calls them that takes one observation at a time: the pipeline's own pure functions."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from bench.single import decode
from bench.stand import HOME, PARTNER
from schemas.codec import Codec
from schemas.identity import indicator_id
from schemas.markings import SourceMarking, understand
from schemas.normalise import Invalid
from schemas.records import Content
from schemas.vocabulary import IndicatorType, Outcome
from streams.audit import entry as audit
from streams.correlate.assertion import Assertion, Tally
from streams.correlate.content import content_for, digest_of
from streams.correlate.included import Included
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.national import national
from streams.correlate.released import released
from streams.correlate.row import Row, Sent
from streams.correlate.statement import Statement
from streams.correlate.units import facets_in, units
from streams.enrichment.installed import installed_enricher
from streams.intake.collapse import Normaliser
from streams.intake.validate import CLOCK_TOLERANCE_MS, MAX_COUNT
from streams.rules.classifier import Classifier, Judgement
from streams.rules.engine import Engine
from streams.rules.policy_set import load

LIFETIMES: Final = Lifetimes.load()
SOURCE: Final = "bench.observations.v1"
KEYED: Final = "bench.observations.keyed.v1"


class FurtherSources(dict[bytes, bytes]):
    """The rows of an indicator's sources beyond the first ones: in memory, the work's indicators have few."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The row of each key."""
        return [self.get(key) for key in keys]


class Stages:
    """The stages, called for one observation at a time. They are the pipeline's own pure functions."""

    def __init__(self) -> None:
        self._codec, self._normaliser = Codec(), Normaliser()
        self._classifier = Classifier(Engine(load(HOME)))
        self.enricher = installed_enricher()
        engine = self._classifier.engine
        self._versions = audit.Versions(engine.version, engine.engine_version, self.enricher.version)
        self._heads: dict[int, audit.Head] = {}
        self._markings: dict[tuple[object, ...], Any] = {}

    def read(self, data: bytes, appended_ms: int) -> tuple[IndicatorType, str, Assertion] | str:
        """Decode, validate and normalise; why not, if it cannot be used."""
        try:
            record = decode(data)
        except (ValueError, IndexError, EOFError) as error:
            return str(error)
        first, last = record["first_seen_ms"], record["last_seen_ms"]
        if not 0 <= first <= last <= appended_ms + CLOCK_TOLERANCE_MS or not 1 <= record["count"] <= MAX_COUNT:
            return "a time or count is out of range"
        known = self._normaliser(record["kind"], record["value"])
        if isinstance(known, Invalid):
            return known.detail
        marking = self._understood(record)
        last = min(last or first or appended_ms, appended_ms)
        statement = Statement.of(
            record["epoch"],
            record["sequence"],
            appended_ms,
            marking,
            record["confidence"],
            record["valid_until_ms"],
            tuple(sorted(record["labels"])),
            record["description"],
            tuple(sorted(record["context"].items())),
        )
        tally = Tally.under(marking, record["count"], min(first or last, last), last)
        return IndicatorType(known.kind), known.value, Assertion(record["sensor"], statement, (tally,))

    def _understood(self, record: dict[str, Any]) -> Any:
        nations = record["releasable_to"]
        words = (record["tlp"], record["pap"], None if nations is None else tuple(nations), tuple(record["caveats"]))
        found = self._markings.get(words)
        if found is None:
            found = self._markings[words] = understand(SourceMarking(*words))
        return found

    def emit(
        self, key: bytes, row: Row, shard: int, now_ms: int
    ) -> tuple[Row, tuple[bytes, bytes | None, bytes | None]]:
        """The row after a new version, and the national, released and audit records; None for those not written."""
        version = max(row.version + 1, now_ms)
        _, reported = national(self._codec, key, row, version, LIFETIMES, now_ms)
        pieces = units(row)
        judgement = self._classifier.decide(facets_in(row, pieces, self._classifier.ratings), PARTNER)
        content = None
        if judgement.decision.outcome is Outcome.RELEASE:
            content = content_for(
                Included.of(row, pieces, judgement.decision), judgement.decision.obligations, PARTNER, LIFETIMES, now_ms
            )
        sent = row.sent_to(PARTNER)
        released = audited = None
        digest = b"" if content is None else digest_of(content)
        if content is not None and digest != sent.digest:
            sent = msgspec.structs.replace(sent, kind="content", version=max(sent.version + 1, now_ms), digest=digest)
            released = self._released(key, sent, content)
        elif content is None and sent.kind == "content":
            sent = Sent(PARTNER, "recalled", max(sent.version + 1, now_ms), recalled_through=sent.version)
            released = self._released(key, sent, None)
        if judgement.digest != sent.decision:
            sent = msgspec.structs.replace(sent, decision=judgement.digest)
            audited = self._audited(key, judgement, shard, now_ms, sent.version if released is not None else 0)
        row = row.with_sent(sent)
        row = msgspec.structs.replace(row, version=version, emitted_ms=now_ms, pending=False)
        return row, (reported, released, audited)

    def _released(self, key: bytes, sent: Sent, content: Content | None) -> bytes:
        reason = "marking-tightened" if content is None else ""
        return released(self._codec, indicator_id(key), HOME, sent, reason, content)

    def _audited(self, key: bytes, judgement: Judgement, shard: int, now_ms: int, released_version: int) -> bytes:
        head = self._heads.get(shard, audit.Head())
        _, value = audit.entry(
            self._codec,
            head,
            judgement.decision,
            key,
            nation=HOME,
            shard=shard,
            partner=PARTNER,
            at_ms=now_ms,
            versions=self._versions,
            released_version=released_version,
        )
        self._heads[shard] = audit.after(head, value)
        return value
