"""One seeded batch of the hunt: each case through the real classification, redaction and guard, held to the oracle."""

from collections import Counter
from functools import lru_cache
from random import Random
from typing import Final, cast

import msgspec

from consumers.bridge import guard
from consumers.bridge.guard import Passed
from exchange.protocol.rows import NO_ROWS
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Codec, Undecodable
from schemas.identity import indicator_id, indicator_key
from schemas.links import all_agreed
from schemas.markings import Marking, SourceMarking, understand
from schemas.records import Content, ReleasedIndicator
from schemas.tearline import TEARLINE
from schemas.vocabulary import TYPE_BY_LABEL
from streams.audit.entry import Versions
from streams.correlate.assertion import Assertion, Tally
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.merge import merge
from streams.correlate.releases import Releaser
from streams.correlate.row import Row
from streams.correlate.statement import Statement
from streams.correlate.work import Work
from streams.enrichment.enrich import Enrichment
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.policy_set import load
from tests.leaks import oracle
from tests.leaks.cases import CANARY, NOW_MS, VALUES, Case, Claim, a_case

HOME: Final = "GBR"
_HEARD_MS: Final = NOW_MS
_FORGED: Final = 0.1  # of the cases: the guard meets a record that no one has decided on
_ENRICHMENTS: Final = {
    (benign, special): Enrichment(benign=benign, special_use="private" if special else "")
    for benign in (False, True)
    for special in (False, True)
}
_ODD_TEARLINES: Final = ("\x1b[2J", "bell\x07", "a\tb", "c1 \x85", "a\r\nb", "long " * 500, "長" * 683, "nul\x00")
_KEYS: Final = {(kind, value): indicator_key(TYPE_BY_LABEL[kind], value) for kind, value in VALUES}


class Found(msgspec.Struct):
    """What a batch has come to. ``leaks`` are in words, with the case that shows each; at most a few are kept."""

    tallies: Counter[str] = msgspec.field(default_factory=Counter)
    leaks: list[str] = []


class Hunter:
    """The real thing, as one worker and one bridge have it."""

    def __init__(self, engine: Engine | None = None) -> None:
        """By another engine than that of the shipped rules, it shows what the hunt would find."""
        self._codec = Codec()
        self._classifier = Classifier(engine or Engine(load(HOME)))
        self._lifetimes = Lifetimes.load()
        self._releasers: dict[str, Releaser] = {}

    def batch(self, seed: int, cases: int) -> Found:
        """So many cases by this seed."""
        random, found = Random(seed), Found()
        for _ in range(cases):
            case = a_case(random)
            self._honest(case, found)
            if random.random() < _FORGED:
                self._forged(case, random, found)
        return found

    def _honest(self, case: Case, found: Found) -> None:
        """A case as correlate and the bridge would have it."""
        record, sent = self.released(case)
        found.tallies["cases"] += 1
        found.tallies["assertions"] += len(case.claims)
        if record is None and sent:
            found.tallies["refused by the guard"] += 1
        found.tallies["left" if record is not None else "stayed"] += 1
        wrong = oracle.leaks(case, None if record is None else cast("dict[str, object]", record["content"]), sent)
        if wrong:
            found.tallies["leaks"] += 1
            found.leaks[3:] = [f"{wrong}: {case}"]

    def released(self, case: Case) -> tuple[ReleasedIndicator | None, bytes]:
        """What of a case has left, with its bytes; bytes alone where the guard has refused them."""
        key, work = _KEYS[case.kind, case.value], Work(NOW_MS)
        self._releaser(case.partner).release(key, None, row_of(case), None, work)
        for output in work.outputs:
            if output.topic == topics.released(case.partner):
                value = output.value or b""
                return self._guarded(value, key, case.partner, output.partition), value
        return None, b""

    def _guarded(self, value: bytes, key: bytes, partner: str, partition: int) -> ReleasedIndicator | None:
        verdict = guard.check(
            value,
            indicator_id(key).encode(),
            self._codec,
            agreed=all_agreed(HOME, partner),
            now_ms=NOW_MS,
            partition=partition,
            shards=1,
        )
        return verdict.record if isinstance(verdict, Passed) else None

    def _forged(self, case: Case, random: Random, found: Found) -> None:
        """The guard alone, as if the policy engine were broken or bribed: the words of a source go out unread."""
        claim = case.claims[0]
        key = _KEYS[case.kind, case.value]
        record = _forgery(case, claim, key, random)
        value = self._codec.encode(RELEASED_INDICATOR, record)
        if random.random() < 0.3:
            value = _damaged(value, random)
        passed = self._guarded(value, key, case.partner, 0)
        found.tallies["forged"] += 1
        if passed is None:
            return
        found.tallies["forged, and may pass"] += 1
        content = passed["content"]
        decoded = self._codec.decode(RELEASED_INDICATOR, value)
        has_room = case.kind in oracle.WITH_ROOM_FOR_A_TEARLINE  # and then an empty one is none
        absent = None if has_room else content and content.get("tearline")
        if (
            content is None
            or isinstance(decoded, Undecodable)
            or oracle.guard_must_refuse(
                content["tlp"], content["pap"], content["caveats"], content["releasable_to"], case.partner
            )
            or oracle.guard_must_refuse_text(content.get("tearline", "") or absent)
        ):
            found.tallies["leaks"] += 1
            found.leaks[3:] = [f"the guard has passed a forgery: {passed}"]

    def _releaser(self, partner: str) -> Releaser:
        found = self._releasers.get(partner)
        if found is None:
            engine = self._classifier.engine
            versions = Versions(engine.version, engine.engine_version, "hunt")
            found = Releaser(HOME, [partner], 60_000, self._lifetimes, 0, self._codec, self._classifier, versions)
            self._releasers[partner] = found
        return found


def row_of(case: Case) -> Row:
    """The row that correlate would make of a case, its words merged in the order in which they came."""
    kind = TYPE_BY_LABEL[case.kind]
    enrichment = _ENRICHMENTS[case.well_known, case.special_use]
    return merge(Row(kind, case.value, enrichment), b"", (_assertion(claim) for claim in case.claims), NO_ROWS).row


def _assertion(claim: Claim) -> Assertion:
    marking = _understood(claim.tlp, claim.pap, claim.releasable_to, claim.caveats)
    secret = f"{CANARY}-{claim.source}"
    statement = Statement.of(
        1,
        claim.sequence,
        _HEARD_MS,
        marking,
        claim.confidence,
        claim.valid_until_ms,
        claim.labels,
        secret,
        (("dest_ip", secret), (TEARLINE, claim.tearline)) if claim.tearline else (("dest_ip", secret),),
    )
    return Assertion(secret, statement, (Tally.under(marking, claim.count, claim.first_seen_ms, claim.last_seen_ms),))


@lru_cache(maxsize=65_536)
def _understood(tlp: str, pap: str, nations: tuple[str, ...] | None, caveats: tuple[str, ...]) -> Marking:
    return understand(SourceMarking(tlp, pap, nations, caveats))


def _forgery(case: Case, claim: Claim, key: bytes, random: Random) -> ReleasedIndicator:
    """A record that is right in everything but what it states of its marking, and its tearline: a source's words."""
    tearline = random.choice(_ODD_TEARLINES) if random.random() < 0.1 else claim.tearline
    content: Content = {
        "type": case.kind,
        "value": case.value,
        "tlp": claim.tlp,
        "pap": claim.pap,
        "releasable_to": sorted(set(claim.releasable_to or ())),
        "caveats": sorted(set(claim.caveats)),
        "confidence": claim.confidence,
        "labels": sorted(claim.labels),
        "first_seen_ms": claim.first_seen_ms,
        "last_seen_ms": claim.last_seen_ms,
        "sightings": claim.count,
        "valid_until_ms": claim.valid_until_ms,
        "release_expires_ms": 0,
        "registered_domain": "",
        "asn": 0,
        "country": "",
    }
    if tearline:
        content["tearline"] = tearline
    return {
        "id": indicator_id(key),
        "kind": "content",
        "version": NOW_MS,
        "recalled_through": 0,
        "origin": HOME,
        "hops": [HOME],
        "reason": "",
        "content": content,
    }


def _damaged(value: bytes, random: Random) -> bytes:
    place = int(random.random() * len(value))
    middle = bytes([value[place] ^ (1 << int(random.random() * 8))])
    return value[:place] + random.choice((middle, b"", middle * 2)) + value[place + 1 :]
