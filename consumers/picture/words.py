"""The words of a text, for searching: the same for what is stored and for what is asked, wherever it is compared."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

# Japanese and Chinese are written without spaces: each character is a word there, so that a part of a text is found.
_CJK: Final = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


def words(text: str) -> list[str]:
    """Letters and digits without case and compatibility forms: ``C2.Example.com`` is c2, example, com."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _WORD.findall(text.lower())


def contains(texts: Iterable[str], asked: str) -> bool:
    """Whether each part of ``asked``, by its blanks, occurs as a run of words in one of the texts. The last word of a
    part may be only the beginning of one."""
    runs = [words(part) for part in asked.split()]
    held = [words(text) for text in texts]
    return all(any(_occurs(run, each) for each in held) for run in runs if run)


def indexed(texts: Iterable[str]) -> str:
    """These texts as FTS5 is given them: its tokenizer then splits at blanks and nowhere else."""
    return " ".join(filter(None, map(_indexed, texts)))


@lru_cache(maxsize=16_384)  # labels repeat
def _indexed(text: str) -> str:
    return " ".join(map(_spelled, words(text)))


def match_of(asked: str) -> str:
    """The question of ``contains`` for FTS5, or a wider one; empty if it has no words."""
    runs = [[_spelled(word) for word in words(part)] for part in asked.split()]
    return " AND ".join(f'"{" ".join(run)}" *' for run in runs if run)


def _spelled(word: str) -> str:
    """In ASCII, so that nothing depends on the Unicode version of SQLite. A word's beginning stays its beginning."""
    return word if word.isascii() else "x" + word.encode().hex()


def _occurs(run: list[str], text: list[str]) -> bool:
    *whole, last = run
    return any(
        text[at : at + len(whole)] == whole and text[at + len(whole)].startswith(last)
        for at in range(len(text) - len(whole))
    )
