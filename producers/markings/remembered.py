"""Remembers what short texts mean: feeds repeat their tags a million times, and their descriptions never."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, Final, ParamSpec, TypeVar

LONGEST: Final = 128
"""Characters of a text that is remembered. Longer ones would fill the memory, and do not come again."""

_More = ParamSpec("_More")
_Answer = TypeVar("_Answer")
_OfText = Callable[Concatenate[str, _More], _Answer]


def remembered(size: int) -> Callable[[_OfText[_More, _Answer]], _OfText[_More, _Answer]]:
    """Decorates a pure function of a text: its last ``size`` answers for short texts are kept."""

    def decorate(function: _OfText[_More, _Answer]) -> _OfText[_More, _Answer]:
        kept = lru_cache(size)(function)

        @wraps(function)
        def answer(text: str, *more: _More.args, **named: _More.kwargs) -> _Answer:
            if len(text) > LONGEST:
                return function(text, *more, **named)
            return kept(text, *more, **named)

        return answer

    return decorate
