"""What a check finds in one fact."""

import enum
from typing import Final, NamedTuple

from producers.conformance.facts import FactPlace, Statement
from producers.conformance.standard import Text


class Answer(enum.Enum):
    """Whether a requirement is met."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"


class Finding(NamedTuple):
    """One answer; if it is not ``MET``, where and why. The text never holds a value of the feed."""

    answer: Answer
    place: FactPlace | None = None
    why: Text | None = None
    about: Statement | None = None


MET: Final = Finding(Answer.MET)


def no(found: Statement | FactPlace | None, en: str, ja: str) -> Finding:
    """The requirement is not met."""
    return _finding(Answer.NOT_MET, found, en, ja)


def unknown(found: Statement | FactPlace | None, en: str, ja: str) -> Finding:
    """Whether it is met cannot be known."""
    return _finding(Answer.UNKNOWN, found, en, ja)


def _finding(answer: Answer, found: Statement | FactPlace | None, en: str, ja: str) -> Finding:
    if isinstance(found, Statement):
        return Finding(answer, found.place, Text(en, ja), found)
    return Finding(answer, found, Text(en, ja))
