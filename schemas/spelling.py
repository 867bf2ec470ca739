"""The possible meanings of a person's misspelt word, for messages."""

from collections.abc import Iterable, Sequence
from typing import Final

_FEWEST: Final = 3
_MOST: Final = 3


def near(text: str, known: Iterable[str]) -> list[str]:
    """The known words with the fewest letters to correct, about one for each four at most; else those that begin so.

    Case and leading dashes do not count. A letter that is missing, too much or another one is one correction, and so
    are two letters in the wrong order: the optimal string alignment distance.
    """
    wanted, words = _form(text), list(dict.fromkeys(known))
    costs = {word: _distance(wanted, _form(word)) for word in words}
    least = min(costs.values(), default=0)
    if words and least <= _allowed(wanted):
        return [word for word in words if costs[word] == least][:_MOST]
    return [word for word in words if len(wanted) >= _FEWEST and _form(word).startswith(wanted)][:_MOST]


def suggestion(text: str, known: Iterable[str]) -> str:
    """``; did you mean `X`?`` or ``; did you mean `X` or `Y`?``; empty if no known word is near."""
    return any_of(near(text, known))


def any_of(words: Sequence[str]) -> str:
    """The same of words that may be meant."""
    return f"; did you mean {' or '.join(f'`{word}`' for word in words)}?" if words else ""


def _form(word: str) -> str:
    return word.lstrip("-").lower()


def _allowed(text: str) -> int:
    return max(1, (len(text) + 2) // 4)


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    before: list[int] = []
    last = list(range(len(other) + 1))
    for at, letter in enumerate(one):
        row = [at + 1]
        for to, wanted in enumerate(other):
            cost = min(last[to + 1] + 1, row[to] + 1, last[to] + (letter != wanted))
            if at and to and letter == other[to - 1] and one[at - 1] == wanted:
                cost = min(cost, before[to - 1] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
