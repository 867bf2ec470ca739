"""What is kept back from a partner changes nothing that it receives: no byte, no header, no record, no time.

The real steps, to the partner's inbox and through its own ``receive``, with two partners (docs/adr/0041). The leaks
that were found are put back one by one: each must be seen.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec
import pytest

from consumers.bridge.step import Bridge
from exchange.protocol.record import Output, Record
from schemas.ratings import Ratings
from schemas.vocabulary import EndReason, Outcome, RecordKind
from streams.correlate import further, indicator, releases, review
from streams.correlate.assertion import Assertion
from streams.correlate.further import Group, Key
from streams.correlate.merge import Change
from streams.correlate.national import TAKEN_BACK
from streams.correlate.next_release import Stop
from streams.correlate.releases import Releaser
from streams.correlate.row import Row
from streams.correlate.terms import code_of_terms
from streams.correlate.units import Unit, facets_in, units
from streams.rules.classifier import Judgement
from streams.rules.decide import ReleaseDecision
from streams.rules.engine import Engine
from streams.rules.facets import Facets
from tests.properties.histories import history

MOST: Final = 600  # histories in which a leak must be seen
Leak = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize("seeds", [range(start, start + 25) for start in range(0, 200, 25)], ids=str)
def test_what_is_kept_back_from_a_partner_changes_nothing_that_it_receives(seeds: range) -> None:
    received = 0
    for seed in seeds:
        found = history(seed)
        without, with_them = found.received(with_secrets=False), found.received(with_secrets=True)
        assert with_them == without, f"history({seed})"
        received += len(without)
    assert received > 100


def the_question_is_about_what_is_withheld(patch: pytest.MonkeyPatch) -> None:
    holds_of = review.holds_of

    def of_everything(judgement: Judgement, partner: str, engine: Engine) -> Mapping[Facets | None, bytes]:
        everything = msgspec.msgpack.encode([group.facets for group in judgement.decision.groups])
        return {name: hold + everything for name, hold in holds_of(judgement, partner, engine).items()}

    patch.setattr(review, "holds_of", of_everything)


def a_decision_s_id_leaves_in_a_header(patch: pytest.MonkeyPatch) -> None:
    carried = Bridge._carried

    def with_headers(self: Bridge, record: Record, schema: str) -> Output:
        output = carried(self, record, schema)
        return msgspec.structs.replace(output, headers=(*output.headers, *record.headers))

    patch.setattr(Bridge, "_carried", with_headers)


def only_sources_kept_in_full_have_texts(patch: pytest.MonkeyPatch) -> None:
    tearlines = Unit.tearlines

    def of_named(unit: Unit) -> tuple[str, ...]:
        return tearlines.__get__(unit) if unit.group is None else ()

    patch.setattr(Unit, "tearlines", property(of_named))


def only_sources_kept_in_full_have_labels(patch: pytest.MonkeyPatch) -> None:
    slim = Assertion.slim

    def without_labels(assertion: Assertion) -> Assertion:
        kept: Assertion = slim.__get__(assertion)
        latest = kept.latest
        terms = code_of_terms(latest.marking, latest.confidence, (), latest.withdrawal)
        return msgspec.structs.replace(kept, latest=msgspec.structs.replace(latest, terms=terms))

    patch.setattr(Assertion, "slim", property(without_labels))


def terms_name_the_sources_that_are_kept_in_full(patch: pytest.MonkeyPatch) -> None:
    number = Unit.sum

    def by_name(unit: Unit, key: bytes) -> int:
        return number(unit, key) if unit.group else hash(unit.assertion.sensor)

    patch.setattr(Unit, "sum", by_name)


def a_source_that_is_kept_back_decides_how_a_release_ends(patch: pytest.MonkeyPatch) -> None:
    def taken_back(self: Releaser, row: Row, ever: Sequence[Unit], partner: str, now_ms: int) -> Stop | None:
        if self._ruled(row, ever, partner, now_ms).decision.outcome is not Outcome.RELEASE:
            return None
        if row.withdrawals & TAKEN_BACK:
            return Stop(RecordKind.REVOKED, EndReason.WITHDRAWN)
        return Stop(RecordKind.EXPIRED, EndReason.VALIDITY_ENDED)

    patch.setattr(Releaser, "_taken_back", taken_back)


def what_expired_waits_while_others_keep_it_alive(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(indicator, "_has_expired", lambda _: False)


def groups_are_mixed_whatever_their_tlp(patch: pytest.MonkeyPatch) -> None:
    def capped(groups: Iterable[Group]) -> tuple[Group, ...]:
        plain = [group for group in groups if not group.mixed]
        mixed: dict[Key, Group] = {}
        for group in (*(each for each in groups if each.mixed), *(each.as_mixed() for each in plain[8:])):
            known = mixed.get(group.key)
            mixed[group.key] = group if known is None else known.plus(group)
        return (*plain[:8], *(mixed[key] for key in sorted(mixed)))

    patch.setattr(further, "_capped", capped)


def a_group_that_has_moved_counts_as_lost(patch: pytest.MonkeyPatch) -> None:
    def loses(
        before: Row,
        was: ReleaseDecision,
        row: Row,
        pieces: Sequence[Unit],
        now: ReleaseDecision,
        changes: Iterable[Change],  # as it was
        ratings: Ratings,
    ) -> bool:
        facets, earlier = facets_in(row, pieces, ratings), units(before)
        allowed = {facets[index] for index in now.included}
        kept = {assertion.sensor for assertion in row.assertions}
        found = {
            (piece.assertion.sensor, piece.tally.marking): each for piece, each in zip(pieces, facets, strict=True)
        }
        for piece in (earlier[index] for index in was.included):
            name = piece.assertion.sensor, piece.tally.marking
            if (found.get(name) if name[0] in kept else facets_in(row, (piece,), ratings)[0]) not in allowed:
                return True
        return False

    patch.setattr(releases, "loses", loses)


@pytest.mark.parametrize(
    ("leak", "seen_in"),
    [
        (the_question_is_about_what_is_withheld, 470),
        (a_decision_s_id_leaves_in_a_header, 1),
        (only_sources_kept_in_full_have_texts, 8),
        (only_sources_kept_in_full_have_labels, 8),
        (terms_name_the_sources_that_are_kept_in_full, 47),
        (a_source_that_is_kept_back_decides_how_a_release_ends, 17),
        (what_expired_waits_while_others_keep_it_alive, 417),
        (groups_are_mixed_whatever_their_tlp, 8),
        (a_group_that_has_moved_counts_as_lost, 18),
    ],
)
def test_each_leak_that_was_found_would_be_seen(leak: Leak, seen_in: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """``seen_in`` is a history that shows the leak. It is tried first, and the others if the steps have changed."""
    leak(monkeypatch)
    for seed in (seen_in, *range(MOST)):
        found = history(seed)
        if found.received(with_secrets=False) != found.received(with_secrets=True):
            return
    pytest.fail(f"{leak.__name__}: not seen in {MOST} histories")
