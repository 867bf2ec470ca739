"""Remembers what short texts mean: feeds repeat their tags a million times, and their descriptions never.

What is remembered is bounded in number and in length, so no input can fill the memory with it.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, Final, ParamSpec, TypeVar, cast

LONGEST: Final = 128
"""Characters of a text that is remembered, and of what else decides its meaning (the name of its column). Longer ones
would fill the memory, and do not come again."""

_Where = ParamSpec("_Where")
_Answer = TypeVar("_Answer")
_OfText = Callable[Concatenate[str, _Where], _Answer]


class Answers(dict[str, _Answer]):
    """The answers of a pure function of a text, looked up without a call: ``answers[text]``."""

    def __init__(self, function: Callable[[str], _Answer], size: int) -> None:
        super().__init__()
        self._function, self._size = function, size

    def __missing__(self, text: str) -> _Answer:
        answer = self._function(text)
        if len(text) <= LONGEST:
            if len(self) >= self._size:
                self.clear()
            self[text] = answer
        return answer


def remembered(size: int) -> Callable[[_OfText[_Where, _Answer]], _OfText[_Where, _Answer]]:
    """Decorates a pure function of texts: its last ``size`` answers for short ones are kept."""

    def decorate(function: _OfText[_Where, _Answer]) -> _OfText[_Where, _Answer]:
        kept = cast(_OfText[_Where, _Answer], lru_cache(size)(function))  # typeshed forgets the parameters

        def answer(text: str, /, *where: _Where.args, **named: _Where.kwargs) -> _Answer:
            is_short = len(text) <= LONGEST and sum(map(len, cast(tuple[str, ...], where))) <= LONGEST
            return (kept if is_short else function)(text, *where, **named)

        return wraps(function)(answer)

    return decorate
