"""Checks that need more than one fact: numbers without a gap, silence, a list compared with published reports.

Each holds what it must remember: of a series of reports their numbers, of a comparison the keys of indicators.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from producers.conformance.facts import Fact, FactPlace, Listed, Question, Sent, Span, Statement, Unread, of_partition
from producers.conformance.finding import MET, Finding, no, unknown
from producers.conformance.of_statements import CLOCK_DIFFERENCE_MS, HOUR_MS, is_of_incident
from schemas.canary import CANARY_ID
from schemas.identity import key_of_id

_CANARY: Final = key_of_id(CANARY_ID)
"""A test that the exchange itself makes: no observation of the feed."""


class UniqueIdentity:
    """KKH-IDS-02."""

    of = (Sent,)

    def __init__(self, _: Question) -> None:
        self._digests: dict[tuple[int, int], bytes] = {}

    def take(self, fact: Fact) -> Iterator[Finding]:
        """A report that was sent twice is the same report; other content under its number is not."""
        if not isinstance(fact, Sent):
            return
        known = self._digests.setdefault((fact.epoch, fact.sequence), fact.digest)
        if known == fact.digest:
            yield MET
        else:
            number = f"{fact.epoch}/{fact.sequence}"
            yield no(fact.place, f"{number} was another report before", f"{number} は先に別のレポートで使われている")

    def rest(self) -> Iterator[Finding]:
        """No findings remain."""
        return iter(())


class NoGap:
    """KKH-CMP-03."""

    of = (Sent, Span)

    def __init__(self, _: Question) -> None:
        self._numbers: defaultdict[int, set[int]] = defaultdict(set)
        self._is_whole: dict[str, bool] = {}
        self._first: dict[int, FactPlace] = {}

    def take(self, fact: Fact) -> Iterator[Finding]:
        """Remember the numbers."""
        if isinstance(fact, Span):
            self._is_whole[of_partition(fact.partition)] = fact.begin == 0
        elif isinstance(fact, Sent):
            self._numbers[fact.epoch].add(fact.sequence)
            self._first.setdefault(fact.epoch, fact.place)
        return iter(())

    def rest(self) -> Iterator[Finding]:
        """One finding for each epoch. If nothing of the topic was deleted yet, an epoch begins with 0."""
        for epoch, numbers in self._numbers.items():
            place = self._first[epoch]
            least = 0 if self._is_whole.get(place.where, False) else min(numbers)
            missing = max(numbers) - least + 1 - len(numbers)
            if not missing:
                yield MET
            else:
                at = next(number for number in range(least, max(numbers)) if number not in numbers)
                yield no(
                    place,
                    f"epoch {epoch} lacks {missing} of its reports; the first is {at}",
                    f"エポック {epoch} に欠番が {missing} 件ある（最初は {at}）",
                )


class NotEmpty:
    """KKH-CMP-01."""

    of = (Statement,)

    def __init__(self, _: Question) -> None:
        self._count = 0

    def take(self, fact: Fact) -> Iterator[Finding]:
        """Count what can be used."""
        if isinstance(fact, Statement):
            self._count += not fact.is_withdrawal and fact.refused is None and fact.key != _CANARY
        return iter(())

    def rest(self) -> Iterator[Finding]:
        """At least one."""
        yield MET if self._count else no(None, "has no observation that can be used", "利用できる観測がない")


class NoSilence:
    """KKH-INC-02."""

    of = (Sent,)

    def __init__(self, question: Question) -> None:
        self._most, self._now_ms = question.bounds.silence_hours, question.now_ms
        self._latest: Sent | None = None

    def take(self, fact: Fact) -> Iterator[Finding]:
        """The time since the report before."""
        if isinstance(fact, Sent):
            if self._latest is not None:
                yield self._since(self._latest, fact.published_ms)
            if self._latest is None or fact.published_ms > self._latest.published_ms:
                self._latest = fact

    def rest(self) -> Iterator[Finding]:
        """The time since the last one."""
        if self._latest is not None:
            yield self._since(self._latest, self._now_ms)

    def _since(self, before: Sent, now_ms: int) -> Finding:
        hours = (now_ms - before.published_ms) / HOUR_MS
        if hours <= self._most:
            return MET
        return no(
            before.place,
            f"nothing for {hours:,.1f} h after this report; at most {self._most:g} h",
            f"このレポートの後 {hours:,.1f} 時間無通信（上限 {self._most:g} 時間）",
        )


class IncidentPublished:
    """KKH-INC-01."""

    of = (Statement,)

    def __init__(self, question: Question) -> None:
        self._question = question
        self._first: Statement | None = None

    def take(self, fact: Fact) -> Iterator[Finding]:
        """Remember the first observation of an incident."""
        earliest_ms = self._question.aware_ms - CLOCK_DIFFERENCE_MS  # before, it was about another incident
        is_ours = isinstance(fact, Statement) and fact.refused is None and fact.at_ms >= earliest_ms
        if isinstance(fact, Statement) and is_ours and is_of_incident(fact):
            first = self._first
            self._first = fact if first is None or fact.at_ms < first.at_ms else first
        return iter(())

    def rest(self) -> Iterator[Finding]:
        """Nothing to judge without an incident; one of which the time is not known cannot be judged."""
        aware_ms, most = self._question.aware_ms, self._question.bounds.incident_published_hours
        if not aware_ms:
            if self._first is not None:
                text = "state with --aware-at when you became aware of the incident"
                yield unknown(self._first.place, text, "インシデントを認知した時刻を --aware-at で指定する")
            return
        due_ms = aware_ms + round(most * HOUR_MS)
        if self._first is not None and self._first.at_ms <= due_ms:
            yield MET
        elif self._first is None and self._question.now_ms <= due_ms:
            yield unknown(
                None, f"nothing yet, and {most:g} h have not passed", f"未発行。{most:g} 時間はまだ過ぎていない"
            )
        else:
            place = None if self._first is None else self._first.place
            yield no(place, f"nothing within {most:g} h", f"{most:g} 時間以内の発行がない")


class IncidentTypes:
    """KKH-INC-03."""

    of = (Statement,)

    def __init__(self, question: Question) -> None:
        self._types, self._is_met = question.types, False
        self._first: FactPlace | None = None

    def take(self, fact: Fact) -> Iterator[Finding]:
        """Look for one of the types."""
        if isinstance(fact, Statement) and fact.refused is None and is_of_incident(fact):
            self._first = self._first or fact.place
            self._is_met = self._is_met or fact.kind in self._types
        return iter(())

    def rest(self) -> Iterator[Finding]:
        """One finding if there is an incident."""
        if self._first is not None and self._types:
            names = ", ".join(sorted(each.label for each in self._types))
            yield MET if self._is_met else no(self._first, f"none is of {names}", f"次の種別がない: {names}")


class _Compared:
    """What both comparisons remember."""

    of: tuple[type, ...] = (Statement, Listed, Unread)

    def __init__(self, _: Question) -> None:
        self.listed: dict[bytes, FactPlace] = {}
        self.asserted: dict[bytes, Statement] = {}
        self.unread: list[FactPlace] = []

    def take(self, fact: Fact) -> Iterator[Finding]:
        """Of one report the assertion holds against a withdrawal, as at intake."""
        if isinstance(fact, Listed):
            self.listed.setdefault(fact.key, fact.place)
        elif isinstance(fact, Unread):
            if fact.is_listed:
                self.unread.append(fact.place)
        elif isinstance(fact, Statement) and fact.key not in (b"", _CANARY) and fact.refused is None:
            before = self.asserted.get(fact.key)
            is_same = before is not None and (before.place.where, before.place.at) == (fact.place.where, fact.place.at)
            if before is None or not (is_same and fact.is_withdrawal):
                self.asserted[fact.key] = fact
        return iter(())

    def unreadable(self) -> Iterator[Finding]:
        """The list's statement there is unknown."""
        for place in self.unread:
            yield unknown(place, "a line of the list cannot be read", "リストに読み取れない行がある")


class AllPublished(_Compared):
    """KKH-CMP-04."""

    def rest(self) -> Iterator[Finding]:
        """Each value of the list."""
        yield from self.unreadable()
        for key, place in self.listed.items():
            found = self.asserted.get(key)
            if found is None:
                yield no(place, "was not published", "発行されていない")
            elif found.is_withdrawal:
                yield no(place, "was withdrawn, and is still listed", "リストにあるが取り下げられている")
            else:
                yield MET


class DelistedWithdrawn(_Compared):
    """KKH-WDR-01."""

    def rest(self) -> Iterator[Finding]:
        """Each value that was published. An empty list withdraws nothing: it is an error."""
        yield from self.unreadable()
        if not self.listed:
            yield unknown(None, "the list has no value", "リストに値がない")
            return
        for key, found in self.asserted.items():
            if found.is_withdrawal:
                if key not in self.listed:
                    yield MET
            elif key in self.listed:
                yield MET
            else:
                yield no(found, "has left the list, and was not withdrawn", "リストから消えたが取り下げられていない")
