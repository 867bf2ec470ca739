"""What a sensor states about an indicator in one report, and how much of its texts is kept. Pure."""

from collections.abc import Iterable

import msgspec

from schemas.markings import Marking
from schemas.tearline import TEARLINE
from streams.correlate.terms import MAX_LABELS, SHORT_TEXT, TERMS, TEXTS, code_of_terms, code_of_texts
from streams.rules.facets import ConfidenceBand


class Statement(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a sensor states about an indicator in one report. ``valid_until_ms`` 0: not stated.

    ``appended_ms`` is when the broker appended the report: the one time here that no sensor's clock can bend. ``terms``
    and ``texts`` are bytes (``streams.correlate.terms``). ``authenticated`` means that the report was signed by its
    sensor's key.
    """

    epoch: int
    sequence: int
    appended_ms: int
    terms: bytes
    valid_until_ms: int = 0
    texts: bytes = b""
    authenticated: bool = False

    @classmethod
    def of(
        cls,
        epoch: int,
        sequence: int,
        appended_ms: int,
        marking: Marking,
        confidence: int = -1,
        valid_until_ms: int = 0,
        labels: tuple[str, ...] = (),
        description: str = "",
        context: tuple[tuple[str, str], ...] = (),
        withdrawal: int = 0,
        authenticated: bool = False,
    ) -> "Statement":
        """A statement of these terms and texts."""
        terms, texts = code_of_terms(marking, confidence, labels, withdrawal), code_of_texts(description, context)
        return cls(epoch, sequence, appended_ms, terms, valid_until_ms, texts, authenticated)

    @property
    def marking(self) -> Marking:
        """Its marking."""
        return TERMS[self.terms].marking

    @property
    def confidence(self) -> int:
        """0 to 100; -1 if it states none."""
        return TERMS[self.terms].confidence

    @property
    def band(self) -> ConfidenceBand:
        """The band of its confidence."""
        return TERMS[self.terms].band

    @property
    def labels(self) -> tuple[str, ...]:
        """Its labels by name."""
        return TERMS[self.terms].labels

    @property
    def withdrawal(self) -> int:
        """The code of ``schemas.vocabulary.Withdrawal`` by which the source ended its assertion, 0 if it asserts."""
        return TERMS[self.terms].withdrawal

    @property
    def description(self) -> str:
        """A text for people."""
        return TEXTS[self.texts].description

    @property
    def context(self) -> tuple[tuple[str, str], ...]:
        """Names and texts, by name."""
        return TEXTS[self.texts].context

    @property
    def tearline(self) -> str:
        """The text in its context that the source wrote for release; empty if there is none."""
        return TEXTS[self.texts].tearline

    def under(self, marking: Marking) -> "Statement":
        """This with another marking."""
        terms = code_of_terms(marking, self.confidence, self.labels, self.withdrawal)
        return msgspec.structs.replace(self, terms=terms)

    def merge(self, other: "Statement") -> "Statement":
        """The later of the two. Statements of one report are joined: it may have been redriven in parts.

        Of the labels the first ones by name are kept, of the contexts the one with the greater tearline, which is the
        same in every order, and whether they were shortened before or are after.
        """
        mine, its = (self.epoch, self.sequence), (other.epoch, other.sequence)
        if mine != its:
            return self if mine > its else other
        if self == other:
            return self
        return Statement.of(
            self.epoch,
            self.sequence,
            max(self.appended_ms, other.appended_ms),
            self.marking.join(other.marking),
            max(self.confidence, other.confidence),
            max(self.valid_until_ms, other.valid_until_ms),
            tuple(sorted({*self.labels, *other.labels})[:MAX_LABELS]),
            max(self.description, other.description),
            max(self, other, key=lambda each: (each.tearline, each.context)).context,
            min(self.withdrawal, other.withdrawal),
            self.authenticated and other.authenticated,
        )

    @property
    def shortened(self) -> "Statement":
        """This with short texts; a tearline is kept whole, since a part of it may state the opposite."""
        if len(self.terms) <= SHORT_TEXT and len(self.texts) <= SHORT_TEXT:  # characters are no more than bytes
            return self
        terms = TERMS[self.terms]
        return msgspec.structs.replace(
            self,
            terms=code_of_terms(terms.marking, terms.confidence, terms.kept_labels, terms.withdrawal),
            texts=code_of_texts(self.description[:SHORT_TEXT], _short(self.context)),
        )

    @property
    def slim(self) -> "Statement":
        """This without texts but the tearline, and with few labels."""
        terms = TERMS[self.terms]
        code = self.terms
        if terms.kept_labels != terms.labels:
            code = code_of_terms(terms.marking, terms.confidence, terms.kept_labels, terms.withdrawal)
        tearline = self.tearline
        texts = code_of_texts("", ((TEARLINE, tearline),)) if tearline else b""
        return msgspec.structs.replace(self, terms=code, texts=texts)


def last_of_each(statements: Iterable[Statement]) -> list[Statement]:
    """Of those with equal terms and validity the last one: it ends last, and its confidence has decayed least."""
    last: dict[tuple[bytes, int], Statement] = {}
    terms, valid_until_ms, appended_ms = None, 0, 0
    for statement in statements:
        if statement.terms != terms or statement.valid_until_ms != valid_until_ms:  # most are like the one before
            terms, valid_until_ms = statement.terms, statement.valid_until_ms
            appended_ms = last.setdefault((terms, valid_until_ms), statement).appended_ms
        if statement.appended_ms > appended_ms:
            appended_ms = statement.appended_ms
            last[terms, valid_until_ms] = statement
    return [*last.values()]


def _short(context: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The first ``SHORT_TEXT`` characters of the entries, and the tearline."""
    room, kept, cut = SHORT_TEXT, [], False
    for name, text in context:
        if name == TEARLINE:
            kept.append((name, text))
        elif not cut:
            kept.append((name[:room], text[: max(0, room - len(name))]))
            room -= len(name) + len(text)
            cut = room <= 0
    return tuple(kept)
