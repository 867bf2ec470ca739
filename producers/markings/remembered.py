"""Remembers what short texts mean: feeds repeat their tags a million times, and their descriptions never."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, Final, ParamSpec, TypeVar, cast

LONGEST: Final = 128
"""Characters of a text that is remembered. Longer ones would fill the memory, and do not come again."""

_Where = ParamSpec("_Where")
_Answer = TypeVar("_Answer")
_OfText = Callable[Concatenate[str, _Where], _Answer]


def remembered(size: int) -> Callable[[_OfText[_Where, _Answer]], _OfText[_Where, _Answer]]:
    """Decorates a pure function of a text: its last ``size`` answers for short texts are kept."""

    def decorate(function: _OfText[_Where, _Answer]) -> _OfText[_Where, _Answer]:
        kept = cast(_OfText[_Where, _Answer], lru_cache(size)(function))  # typeshed forgets the parameters

        def answer(text: str, /, *where: _Where.args, **named: _Where.kwargs) -> _Answer:
            return (kept if len(text) <= LONGEST else function)(text, *where, **named)

        return wraps(function)(answer)

    return decorate
