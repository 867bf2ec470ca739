"""What the observations of a report become, decided by the code of intake and correlate, without Kafka.

A report → intake's checks, canonical values and joins → enrichment → the nation's rules, for each partner.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from schemas.markings import Marking, Tlp
from schemas.observation import SourcePlace
from schemas.quarantine import Refused
from schemas.records import SensorReport
from schemas.vocabulary import EndReason, IndicatorType, Outcome, RejectReason
from streams.blocks import Observed, blocks, observed
from streams.correlate.content import content_for, end_of
from streams.correlate.included import Included
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.row import Row
from streams.correlate.units import facets_in, units
from streams.enrichment.enrich import Enricher
from streams.intake.collapse import Normaliser, collapse, normalise
from streams.intake.columns import Arrived, Dictionaries, columns_of
from streams.intake.validate import DETAILS, reasons
from streams.rules.classifier import Classifier

REFUSE: Final = "refuse"
SKIP: Final = "skip"
WITHDRAW: Final = "withdraw"
OUTCOMES: Final = (str(Outcome.RELEASE), str(Outcome.HOLD), str(Outcome.WITHHOLD), WITHDRAW, REFUSE, SKIP)
"""What may become of a piece of input. Of the outcomes for several partners the last one here is the strictest."""
_NO_PARTNER: Final = "no-partner"
_ALSO: Final = "other lines with this value"


class Ruled(msgspec.Struct, frozen=True):
    """The outcome for one partner. ``reason`` is the rule that decides; several are divided by commas."""

    outcome: str
    reason: str


class Fate(msgspec.Struct, frozen=True):
    """What one piece of an input would become.

    ``outcome`` is one of ``OUTCOMES``. ``withdraw``: the source does not assert the value any more, so nothing is
    released and an earlier release ends. For several partners it is the strictest one, and ``partners`` has each.
    ``reason`` is the rule or the code that decides. ``value`` is canonical; as the source wrote it if it is refused.
    """

    file: str
    line: int
    value: str
    type: str
    outcome: str
    reason: str
    detail: str = ""
    marking: str = ""
    marking_from: str = ""
    partners: Mapping[str, Ruled] = {}


def marking_words(marking: Marking) -> str:
    """A marking in one line: ``TLP:AMBER PAP:RED to GBR,JPN + UK EYES ONLY``; recipients if they were stated."""
    words = [marking.tlp.label or "unmarked", marking.pap.label]
    if marking.releasable_to or (marking.releasable_to is not None and marking.tlp < Tlp.AMBER):
        words.append(f"to {','.join(marking.releasable_to) or 'nobody'}")
    return " + ".join((" ".join(filter(None, words)), *map(str, marking.caveats)))


@dataclass(frozen=True, slots=True)
class Origin:
    """What an observation of a report comes from; ``reason`` is why it is withdrawn, if it is."""

    place: SourcePlace
    marking_from: tuple[str, ...] = ()
    reason: str = ""


class Judge:
    """Decides the observations of a report as intake and correlate do, as if nothing was known before."""

    def __init__(
        self, partners: Sequence[str], classifier: Classifier, enricher: Enricher, lifetimes: Lifetimes, now_ms: int
    ) -> None:
        self.now_ms = now_ms
        self._partners, self._classifier = tuple(partners), classifier
        self._enricher, self._lifetimes = enricher, lifetimes
        self._normaliser = Normaliser()

    def fates(self, report: SensorReport, origins: Sequence[Origin]) -> list[Fate]:
        """One for each observation of the report, in order; ``origins`` has what each comes from."""
        dictionaries = Dictionaries()
        columns = columns_of(report, dictionaries)
        refused = reasons(columns, dictionaries, self.now_ms)
        known, invalid = normalise(columns, refused, self._normaliser)
        marked = [dictionaries.markings[max(code, 0)] for code in columns.marking]
        why = {index: (reason, DETAILS[reason]) for index, reason in refused.items()}
        why |= {index: (answer.reason, answer.detail) for index, answer in invalid}
        found = {
            index: self._refused(report, index, origins[index], marked[index], *reason) for index, reason in why.items()
        }
        decided: dict[bytes, tuple[Marking, Mapping[str, Ruled]]] = {}
        collapsed = collapse(0, known, columns, self.now_ms, dictionaries)
        for _, block in blocks(collapsed, dictionaries, [Arrived(report, self.now_ms)], 1):
            rows = observed(block)
            if isinstance(rows, Refused):  # a defect of ours
                raise RuntimeError(rows.detail)
            decided |= {each.key: (each.assertion.latest.marking, self._ruled(each)) for each in rows}
        for index, about in enumerate(known):
            if about is not None:
                marking, partners = decided[about.key]
                places = (*origins[index].marking_from, *((_ALSO,) if marking != marked[index] else ()))
                kind = IndicatorType(about.kind)
                found[index] = self._decided(origins[index], kind, about.value, marking, places, partners)
        return [found[index] for index in range(len(origins))]

    def _refused(
        self, report: SensorReport, index: int, origin: Origin, marking: Marking, reason: RejectReason, detail: str
    ) -> Fate:
        return Fate(
            origin.place.file,
            origin.place.line,
            report["values"][index],
            IndicatorType(report["kinds"][index]).label,
            REFUSE,
            str(reason),
            detail,
            marking_words(marking),
            "; ".join(origin.marking_from),
        )

    def _decided(
        self,
        origin: Origin,
        kind: IndicatorType,
        value: str,
        marking: Marking,
        places: Iterable[str],
        partners: Mapping[str, Ruled],
    ) -> Fate:
        at = (origin.place.file, origin.place.line, value, kind.label)
        if origin.reason:
            return Fate(*at, WITHDRAW, origin.reason)
        strictest = max(partners.values(), key=lambda each: OUTCOMES.index(each.outcome), default=None)
        if strictest is None:
            strictest = Ruled(str(Outcome.WITHHOLD), _NO_PARTNER)
        words = (marking_words(marking), "; ".join(places))
        return Fate(*at, strictest.outcome, strictest.reason, "", *words, partners)

    def _ruled(self, seen: Observed) -> Mapping[str, Ruled]:
        if seen.assertion.latest.withdrawal:
            return {}
        row = Row(seen.kind, seen.value, self._enricher.enrich(seen.kind, seen.value), (seen.assertion,))
        pieces = units(row)
        facets = facets_in(row, pieces, self._classifier.ratings)
        found = {}
        for partner in self._partners:
            decision = self._classifier.decide(facets, partner).decision
            found[partner] = Ruled(str(decision.outcome), ",".join(decision.rules))
            if decision.outcome is Outcome.RELEASE:
                content = content_for(
                    Included.of(row, pieces, decision), decision.obligations, partner, self._lifetimes, self.now_ms
                )
                if 0 < end_of(content) <= self.now_ms:
                    found[partner] = Ruled(WITHDRAW, str(EndReason.VALIDITY_ENDED))
        return found
