"""The words of a report's line that may be values: as people write them into prose, beside punctuation and Japanese.

These are read, too: other marks of defanging (`` [.] ``, ``［．］``, ``<.>``, ``ttp://``), hashes in groups of digits,
values with commas between them, links of Markdown and AsciiDoc, and values with Japanese words directly beside them. If
it is not certain where a value ends, the word is returned whole with the problem.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

import msgspec

from schemas.normalise import detect

_OPEN, _CLOSE = r"[\[(（［{｛【〔<＜]", r"[\])）］}｝】〕>＞]"
_NEXT_TO: Final = r"[\w\])}>］）】-]"
# In this order: each makes one form of a mark the usual one.
_HEX: Final = "[0-9A-Fa-f]"
_FORMS: Final = (
    (re.compile(rf"(?<={_NEXT_TO}) ?{_OPEN} ?(?:[.．。｡]|dot) ?{_CLOSE}(?=\w)", re.IGNORECASE), "[.]"),
    (re.compile(rf"(?<={_NEXT_TO}) {_OPEN} ?(?:[.．。｡]|dot) ?{_CLOSE} (?=\w)", re.IGNORECASE), "[.]"),
    (re.compile(rf"(?<={_NEXT_TO}) ?{_OPEN} ?(?:[@＠]|at) ?{_CLOSE}(?=\w)", re.IGNORECASE), "[@]"),
    (re.compile(rf"(?<={_NEXT_TO}) {_OPEN} ?(?:[@＠]|at) ?{_CLOSE} (?=\w)", re.IGNORECASE), "[@]"),
    (re.compile(r"(?<=[A-Za-z0-9-])\\\.(?=[A-Za-z0-9])"), "[.]"),
    (re.compile(r"(?<![A-Za-z])(?:h\*\*p|h__p|h--p|ttp|htxp|hxtp)(s?)(?=\[?:)", re.IGNORECASE), r"hxxp\1"),
    (re.compile(r"\b(h(?:xx|tt)p)[\[(]s[\])](?=\[?:)", re.IGNORECASE), r"hxxps"),
    (re.compile(r"\b(hxxps?\[?:\]?//) (?=\S)", re.IGNORECASE), r"\1"),
    (re.compile(r"\]\(|\]\[(?![.:@/])|\blink:"), " "),  # a link of Markdown, and its text
    (re.compile(rf"(?<!{_HEX})(?<!{_HEX} )(?:{_HEX}{{8}} ){{3,15}}{_HEX}{{8}}(?! ?{_HEX})"), None),
    (re.compile(rf"(?<!{_HEX})(?<!{_HEX} )(?:{_HEX}{{4}} ){{7,31}}{_HEX}{{4}}(?! ?{_HEX})"), None),
)
# What each of the forms has; most lines have none of it.
_MAY_HAVE_FORM: Final = re.compile(
    r"[\[(（［{｛【〔<＜\\]|h..p|h.{4}p|ttp|link:|[0-9A-F]{4} [0-9A-F]{4}", re.IGNORECASE
)
_KNOWN: Final = frozenset({"[.]", "(.)", "{.}", "[dot]", "(dot)", "[at]", "(at)", "[@]"})
_HASH_DIGITS: Final = frozenset({40, 64, 128})
_NAMES_A_HASH: Final = re.compile(r"md5|ja3|imp ?hash", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[\s|`\"'<>*“”‘’、。，；：（）「」『』〈〉《》【】〔〕［］｛｝！？／→⇒]+")
_BEFORE: Final = "([{-–—=:,;#+_~・･●○■□◆◇※▶►▪◦‣·•"  # punctuation, bullets, and the marks of Markdown and AsciiDoc
_BEHIND: Final = ".,;:!?…+_~"
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
_MARK: Final = re.compile(r"\[(?:\.|dot|:|@|at|://|/|//)\]|\[\.|\.\]", re.IGNORECASE)
_LABELLED_HASH: Final = re.compile(
    r"[A-Za-z0-9_-]{2,20}[:=(\[]+([0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{128})\W*"
)
_JAPANESE: Final = "[\u3041-\u30ff\u3400-\u9fff\uff66-\uff9f々〆]"
_HIRAGANA: Final = "[\u3041-\u309f]"
_HEAD: Final = re.compile(rf"{_JAPANESE}+(?=[A-Za-z0-9])")
_TAIL: Final = re.compile(rf"(?<=[A-Za-z0-9/_=&%-]){_JAPANESE}+$")
_PARTICLE: Final = re.compile(_HIRAGANA)
_ENDS_IN_PARTICLE: Final = re.compile(f"{_HIRAGANA}$")
_PARTICLES: Final = re.compile(rf"(?<=[A-Za-z0-9/]){_JAPANESE}{{0,8}}{_HIRAGANA}(?=[A-Za-z0-9])")
_DIGITS_IN_PAIRS: Final = re.compile(r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){15,63}")
_LISTED: Final = re.compile("[,;]")
PAIRS: Final = (
    "digits in pairs may be the hash of a file or the fingerprint of a certificate: write a file's without the marks"
)
BESIDE: Final = "Japanese words are directly beside it, and may be part of it: put a blank between them, or encode it"


class Word(msgspec.Struct, frozen=True, gc=False):
    """A word without the punctuation around it. ``problem`` is why its limits are not known."""

    text: str
    problem: str = ""


def words_of(line: str) -> Iterator[Word]:
    """The words of a line."""
    for form, usual in _FORMS if _MAY_HAVE_FORM.search(line) else ():
        line = form.sub(partial(_usual, usual), line)
    for token in _BETWEEN.split(line):
        text = _trimmed(token)
        if text.isascii():
            yield from _of_ascii(text)
        elif _MARK.search(text) or "hxxp" in text.lower():
            yield from _beside_japanese(text)
        elif text:
            yield Word(text)


def _of_ascii(text: str) -> Iterator[Word]:
    if not text:
        return
    hashed = _LABELLED_HASH.fullmatch(text)
    if hashed is not None:
        yield Word(hashed[1])
    elif _DIGITS_IN_PAIRS.fullmatch(text):
        yield Word(text, PAIRS)
    elif _LISTED.search(text) and _MARK.search(text) and all(map(detect, parts := _LISTED.split(text))):
        yield from map(Word, parts)
    else:
        yield Word(text)


def _beside_japanese(text: str) -> Iterator[Word]:
    """The value within Japanese words, which are written without blanks: particles are hiragana."""
    for part in _PARTICLES.split(text):
        head, tail = _HEAD.match(part), _TAIL.search(part)
        start, end = head.end() if head else 0, tail.start() if tail else len(part)
        is_certain = (head is None or _ENDS_IN_PARTICLE.search(head[0])) and (tail is None or _PARTICLE.match(tail[0]))
        if is_certain or (detect(part) is None and detect(_trimmed(part[start:end])) is not None):
            yield from _of_ascii(_trimmed(part[start:end]))
        else:
            yield Word(part, BESIDE)


def _usual(usual: str | None, found: re.Match[str]) -> str:
    """A mark in its usual form, if refanging does not know it as it is; a hash without the blanks in it.

    32 digits in groups are a hash only in a line that names one: they may be a dump of memory.
    """
    if usual is None:
        digits = found[0].replace(" ", "")
        is_hash = len(digits) in _HASH_DIGITS or (len(digits) == 32 and _NAMES_A_HASH.search(found.string))
        return digits if is_hash else found[0]
    return found[0] if found[0].lower() in _KNOWN else found.expand(usual)


def _trimmed(token: str) -> str:
    """A word without the punctuation around it; a bracket that belongs to it stays."""
    token = token.lstrip(_BEFORE) if not token.startswith(("[.", "(.")) else token
    end, missing = len(token), {last: token.count(last) - token.count(opening) for last, opening in _PAIRS.items()}
    while end and (token[end - 1] in _BEHIND or missing.get(token[end - 1], 0) > 0):
        end -= 1
        if token[end] in missing:
            missing[token[end]] -= 1
    token = token[:end]
    return _without_label(token)


def _without_label(token: str) -> str:
    """A URL without the text of a link that AsciiDoc writes behind it (``hxxp://bad[.]example[the server]``)."""
    masked = _MARK.sub(lambda mark: "." * len(mark[0]), token)
    place = masked.find("[")
    return token[:place] if place > 0 and "?" not in masked[:place] and ":" in masked[:place] else token
