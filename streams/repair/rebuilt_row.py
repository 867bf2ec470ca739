"""A row of correlate, rebuilt from its records: the national record, the partners' releases and the decisions.

The records are incomplete. Open questions are decided so that nothing is ever released that the lost row would have
withheld: data whose marking is not known is under the strictest that it may have had, and
a source's late statements cannot loosen its marking (``Floor``). Counts that cannot be rebuilt are lost, and reported.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import msgspec

from schemas.identity import indicator_key
from schemas.marking_records import marking_of
from schemas.markings import UNMARKED, Marking, joined
from schemas.records import Content, Indicator, ReleasedIndicator, SourceRecord
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType, Outcome, RecordKind
from streams.correlate.assertion import UNKNOWN_EPOCH, Assertion, Tally
from streams.correlate.content import content_for, digest_of, end_of, terms_of
from streams.correlate.included import Included
from streams.correlate.lifecycle import MAX_VALIDITY_MS, Lifetimes
from streams.correlate.officers import NO_DECISIONS, OfficerDecisions
from streams.correlate.review import Ruling, ruled, units_marked
from streams.correlate.row import Floor, Row, Sent
from streams.correlate.statement import Statement
from streams.correlate.terms import MARKS, mark_of
from streams.correlate.units import Unit, facets_in, units
from streams.enrichment.enrich import Enricher
from streams.repair.rebuilt_decision import Decided, says_of, with_officers
from streams.rules.classifier import Classifier

BEFORE_ALL: Final = UNKNOWN_EPOCH  # the order of a statement that is not known
AFTER_ALL: Final = (1 << 63) - 1
_UNKNOWN_RULES: Final = bytes(8)  # the digest of no rules: a release under other rules is then a withdrawal

Seen = tuple[int, int, int]
"""How often, first and last: the part of a release that comes from counts."""


class Counted(msgspec.Struct, frozen=True, gc=False):
    """The latest report of a sensor that may have been counted, and the sensor's first epoch if that is known."""

    epoch: int
    sequence: int = AFTER_ALL
    first_epoch: int = UNKNOWN_EPOCH


class LastRelease(msgspec.Struct, frozen=True, gc=False):
    """A partner's latest release of an indicator. ``seen`` is of its content, None if it has none."""

    sent: Sent
    seen: Seen | None = None


class Rebuilt(msgspec.Struct, frozen=True, gc=False):
    """A row, and its losses: sources that the record does not name, and sources whose counts had to be put under
    a stricter marking than they may have come with."""

    row: Row
    sources: int
    tightened: int


@dataclass(frozen=True, slots=True)
class World:
    """The inputs of a rebuilt row. ``counted`` is what intake has counted of a sensor that may be in the row."""

    partners: tuple[str, ...]
    enricher: Enricher
    classifier: Classifier
    lifetimes: Lifetimes
    counted: Callable[[str], Counted]


def last_release_of(record: ReleasedIndicator, partner: str, decision_id: str) -> LastRelease:
    """The release that a partner's latest released record states."""
    content = record["content"]
    sent = Sent(
        partner,
        record["kind"],
        record["version"],
        recalled_through=record["recalled_through"],
        decision_id=decision_id,
    )
    if content is None:
        return LastRelease(sent)
    # In the order of the contract's fields, which is the order that a digest is made in.
    stated = cast("dict[str, object]", content)
    ordered = cast("Content", {name: stated[name] for name in Content.__annotations__ if name in stated})
    sent = msgspec.structs.replace(sent, digest=digest_of(ordered), ends_ms=end_of(ordered))
    return LastRelease(sent, _seen(ordered))


def row_of(
    record: Indicator,
    releases: Sequence[LastRelease],
    decided: Mapping[str, Decided],
    world: World,
    now_ms: int,
    by_officers: OfficerDecisions = NO_DECISIONS,
) -> Rebuilt:
    """The row that the last record on ``indicator.national`` stands for. ``by_officers`` are the vetoes that are known.

    Raises KeyError or ValueError if the record is not one of ours.
    """
    kind = TYPE_BY_LABEL[record["type"]]
    emitted_ms = min(record["version"], now_ms)
    markings = {marking for each in decided.values() for marking in each.markings}
    assertions = [_assertion(source, kind, record, emitted_ms, world) for source in record["sources"]]
    missing = record["source_count"] - len(assertions)
    row = Row(
        kind,
        record["value"],
        world.enricher.enrich(kind, record["value"]),
        tuple(sorted(assertions, key=lambda each: each.sensor)),
        version=record["version"],
        emitted_ms=emitted_ms,
        expired=record["kind"] == "expired",
        floors=tuple(_floors(record, markings, world.counted, now_ms)),
        rules=max(decided.values(), key=lambda each: each.sequence).rules if decided else _UNKNOWN_RULES,
        generation=record["version"],  # rows of further sources that are older are not of this row
    )
    row = with_officers(row, by_officers, decided, world.classifier, now_ms)
    row, tightened = _with_safe_tallies(row, releases, markings, world, now_ms)
    row = _with_sent(indicator_key(kind, record["value"]), row, releases, decided, world, now_ms)
    due_ms = row.next_end(world.lifetimes, emitted_ms)
    return Rebuilt(msgspec.structs.replace(row, due_ms=due_ms), missing, tightened)


def _assertion(
    source: SourceRecord, kind: IndicatorType, record: Indicator, emitted_ms: int, world: World
) -> Assertion:
    marking = marking_of(source["marking"])
    statement = Statement.of(
        BEFORE_ALL,
        BEFORE_ALL,
        _appended_ms(source["valid_until_ms"], record["valid_until_ms"], kind, emitted_ms, world.lifetimes),
        marking,
        source["confidence"],
        source["valid_until_ms"],
        tuple(source["labels"]),
        source["description"],
        tuple(sorted(source["context"].items())),
    )
    tally = Tally.under(marking, source["sightings"], source["first_seen_ms"], source["last_seen_ms"])
    return Assertion(source["sensor"], statement, (tally,), first_epoch=world.counted(source["sensor"]).first_epoch)


def _appended_ms(stated_ms: int, end_ms: int, kind: IndicatorType, emitted_ms: int, lifetimes: Lifetimes) -> int:
    """The latest possible time of the source's report, so that the indicator still ends when it should."""
    if not stated_ms:
        return min(emitted_ms, end_ms - lifetimes.by_type[kind].lifetime_ms)
    return min(emitted_ms, end_ms - MAX_VALIDITY_MS) if stated_ms > end_ms else emitted_ms


def _floors(
    record: Indicator, markings: set[Marking], counted: Callable[[str], Counted], now_ms: int
) -> Iterable[Floor]:
    """Of each source that the record names, and of any other: it may have been in the row without a record that counts
    it, since a source that adds nothing waits for the roll-up. Its marking then was one of those in the record."""
    for source in record["sources"]:
        strictest = _strictest(marking_of(source["marking"]), markings)
        latest = counted(source["sensor"])
        yield Floor(source["sensor"], strictest, latest.epoch, latest.sequence)
    yield Floor("", _strictest(marking_of(record["marking"]), markings), now_ms, AFTER_ALL)


def _with_safe_tallies(
    row: Row, releases: Sequence[LastRelease], markings: set[Marking], world: World, now_ms: int
) -> tuple[Row, int]:
    """The row with each source's counts under a marking that is strict enough, and how many that has changed.

    A source's counts are kept by the marking they came with, which the record does not contain. They are all of its
    current one if the released content is exactly what would be released then. Otherwise some may be of any stricter
    marking that the last decision saw: then all but one are, the one of its current statement.
    """
    proven = _proven(row, releases, world, now_ms)
    released_ms = max((each.sent.version for each in releases if each.seen is not None), default=0)
    assertions = [each if each.sensor in proven else _tightened(each, markings, released_ms) for each in row.assertions]
    changed = sum(mine is not before for mine, before in zip(assertions, row.assertions, strict=True))
    return msgspec.structs.replace(row, assertions=tuple(assertions)), changed


def _strictest(mine: Marking, markings: set[Marking]) -> Marking:
    """The strictest marking that a source may have stated, whose latest one is ``mine``: of those that the last
    decisions saw. Without a decision that has seen its own no one knows what else there was."""
    return joined(each for each in markings if mine.join(each) == each) if mine in markings else mine.join(UNMARKED)


def _proven(row: Row, releases: Sequence[LastRelease], world: World, now_ms: int) -> set[str]:
    """The sources that are in a release which has their counts as a whole."""
    pieces, sensors = units(row), set[str]()
    for each in releases:
        ruling = _ruled(row, pieces, each.sent.partner, world, now_ms)
        content = _content(_included(row, pieces, ruling), each.sent.partner, ruling, world, now_ms)
        if each.seen is not None and content is not None and _seen(content) == each.seen:
            sensors |= {pieces[index].assertion.sensor for index in ruling.decision.included}
    return sensors


def _ruled(row: Row, pieces: Sequence[Unit], partner: str, world: World, now_ms: int) -> Ruling:
    judgement = world.classifier.decide(facets_in(row, pieces, world.classifier.ratings), partner)
    return ruled(world.classifier, row, pieces, partner, judgement, row.officers or NO_DECISIONS, now_ms)


def _included(row: Row, pieces: Sequence[Unit], ruling: Ruling) -> Included | None:
    """The data that may be shared; None if there is none."""
    if ruling.decision.outcome is not Outcome.RELEASE:
        return None
    marked = pieces if ruling.review is None else units_marked(pieces, ruling.review.assigned)
    return Included.of(row, marked, ruling.decision)


def _content(included: Included | None, partner: str, ruling: Ruling, world: World, now_ms: int) -> Content | None:
    """The shared content, redacted; None if there is none."""
    if included is None:
        return None
    approved = None if ruling.review is None else ruling.review.labels
    return content_for(included, ruling.decision.obligations, partner, world.lifetimes, now_ms, approved=approved)


def _tightened(assertion: Assertion, markings: set[Marking], released_ms: int) -> Assertion:
    """The assertion with counts that may be of a stricter marking under that one.

    One sighting is of the current statement, under its own marking: it keeps released what is released. Its time is not
    known; every known time may be of the stricter data, but the time of the last release.
    """
    mine, [tally] = assertion.latest.marking, assertion.tallies
    if tally.count == 1:
        return assertion
    strictest = _strictest(mine, markings)
    if strictest == mine:
        return assertion
    rest: tuple[Tally, ...]
    if released_ms:
        stricter = msgspec.structs.replace(tally, mark=mark_of(strictest), count=tally.count - 1)
        rest = (Tally.under(mine, 1, released_ms, released_ms), stricter)
    else:
        rest = (msgspec.structs.replace(tally, mark=mark_of(strictest)),)
    return msgspec.structs.replace(assertion, tallies=tuple(sorted(rest, key=lambda each: MARKS[each.mark].stable)))


def _with_sent(
    key: bytes,
    row: Row,
    releases: Sequence[LastRelease],
    decided: Mapping[str, Decided],
    world: World,
    now_ms: int,
) -> Row:
    """The row with each partner's latest release. A decision that would be the same is not made again."""
    pieces, by_partner = units(row), {each.sent.partner: each.sent for each in releases}
    for partner in world.partners:
        sent, last = by_partner.get(partner, Sent(partner)), decided.get(partner)
        ruling = _ruled(row, pieces, partner, world, now_ms)
        included = _included(row, pieces, ruling)
        content = _content(included, partner, ruling, world, now_ms)
        if last is not None:
            same = last.says == says_of(ruling, world.classifier.engine)
            sent = msgspec.structs.replace(sent, decision=ruling.digest if same else b"", decision_id=last.decision_id)
        if content is not None and sent.kind == RecordKind.EXPIRED:
            # An ended release stays ended until there is something new.
            sent = msgspec.structs.replace(sent, digest=digest_of(content))
        if sent.kind:
            # The sources of a release are known only if the same release would be made again.
            terms = _UNKNOWN_RULES
            if included is not None and content is not None and digest_of(content) == sent.digest:
                terms = terms_of(key, included, ruling.decision.obligations)
            sent = msgspec.structs.replace(sent, terms=terms)
        row = row.with_sent(sent)
    return row


def _seen(content: Content) -> Seen:
    return content["sightings"], content["first_seen_ms"], content["last_seen_ms"]
