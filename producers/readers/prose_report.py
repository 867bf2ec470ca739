"""Reads reports in prose: Markdown, AsciiDoc, plain text, HTML, mails. Nothing of them is published without a review.

Of prose only what its author has marked as dangerous is taken: values that are defanged (``hxxp``, ``[.]``), and hashes
that can be of a file alone. Links, names and addresses that are not defanged are the report's own: its publisher, its
references, its readers. Each value counts once for a report, at its first position.

``--dry-run`` is the list for the reviewer; ``--reviewed`` names the file with the values that the reviewer agrees to.
"""

import re
from collections.abc import Iterator
from typing import Final

from producers.inputs import UTF_8, OpenInput, is_wide
from producers.markings.marked import Marked, joined
from producers.markings.properties import is_about_sharing, scheme_of
from producers.markings.understanding import of_field, of_file_names, of_prose, of_running_text, of_tag
from producers.readers.document import whole
from producers.readers.encodings import advice_on
from producers.readers.prose_text import Prose, Stated, is_html, is_mail, prose_of
from producers.readers.reader import Head, Reader, Recognition, Specificity
from producers.readers.reading import Defaults, LeftOut, Reading, Seen, rejected
from producers.readers.type_words import AMBIGUOUS, TYPES, folded
from schemas.normalise import Invalid, canonical, detect
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import IndicatorType, RejectReason

MAX_REPORT_BYTES: Final = 16 << 20
_PROSE: Final = "prose"
_PLAIN: Final = "not-defanged"
_REPEATED: Final = "repeated"
_ATTACHMENT: Final = "attachment"
_NOT_REVIEWED: Final = "not-reviewed"
_EXTENSIONS: Final = (".md", ".markdown", ".adoc", ".asciidoc", ".rst", ".eml", ".html", ".htm")
_KEYWORDS: Final = frozenset({"keywords", "tags", "labels"})
_BETWEEN: Final = re.compile(r"[\s|`\"'<>*“”‘’、。「」]+")
_DEFANGED: Final = re.compile(
    r"\b(?:hxxp|hxtp|fxp|h\*\*p|meow)s?\b|\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)|\[:\]|\[at\]|\(at\)|\[@\]|\[://\]|\[\.|\.\]",
    re.IGNORECASE,
)
_HASH: Final = re.compile(r"(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{128})")
_LINK: Final = re.compile(r"[a-z][a-z0-9+.-]{1,10}://\S|\d{1,3}(?:\.\d{1,3}){3}", re.IGNORECASE)
_BEFORE: Final = "([{-–—=:,;#+_~"  # punctuation, and the marks of Markdown and AsciiDoc
_BEHIND: Final = ".,;:!?…+_~"
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
_MD5_DIGITS: Final = 32


def _read(source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
    content = source.stream.read(MAX_REPORT_BYTES + 1)
    if len(content) > MAX_REPORT_BYTES:
        yield whole(source, RejectReason.TOO_LARGE, f"more than {MAX_REPORT_BYTES} bytes: cut it up", content)
        return
    if source.damage:
        yield whole(source, RejectReason.TRUNCATED, source.damage, content)
        return
    encoding = UTF_8 if is_wide(defaults.encoding) or is_mail(content) else defaults.encoding
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode(encoding, "replace" if is_mail(content) else "strict")
    except UnicodeDecodeError as error:
        detail = f"byte {error.start + 1} is not {encoding}{advice_on(content[max(0, error.start - 40) :][:80])}"
        yield whole(source, RejectReason.UNREADABLE_LINE, detail, content)
        return
    prose = prose_of(content, text)
    source.records = max((number for number, _ in prose.lines), default=0)
    yield from readings_of_prose(prose, source, defaults)


def readings_of_prose(prose: Prose, source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
    """The reading of each word of a report that is a value, and of each line and attachment without any."""
    marked = _marking(prose, source.names)
    seen = set[tuple[IndicatorType, str]]()
    last = 0
    for number, line in prose.lines:
        last = number
        if not line.strip():
            continue
        place, is_empty = SourcePlace(source.name, number), True
        for token in filter(None, map(_trimmed, _BETWEEN.split(line))):
            reading = _reading(token, place, marked, seen, defaults)
            if reading is not None:
                is_empty = False
                yield reading
        if is_empty:
            yield LeftOut(place, _PROSE)
    for attachment in prose.attachments:
        yield LeftOut(SourcePlace(source.name, max(1, last)), _ATTACHMENT, attachment)


def _reading(
    token: str, place: SourcePlace, marked: Marked, seen: set[tuple[IndicatorType, str]], defaults: Defaults
) -> Reading | None:
    """The reading of a word; ``None`` if it is just a word."""
    is_hash, is_defanged = _HASH.fullmatch(token) is not None, _DEFANGED.search(token) is not None
    if not is_hash and not is_defanged:
        return LeftOut(place, _PLAIN, token) if _LINK.match(token) else None
    kind = detect(token)
    if is_hash and len(token) == _MD5_DIGITS:
        stated = TYPES.get(folded(defaults.columns[0]), ()) if len(defaults.columns) == 1 else ()
        if len(stated) != 1:
            return rejected(place, RejectReason.UNKNOWN_TYPE, f"{token}: {AMBIGUOUS}", token.encode())
        kind = stated[0]
    known = None if kind is None else canonical(kind, token)
    if known is None or isinstance(known, Invalid):
        detail = f"{token[:80]!r} is defanged, and no indicator of a type that the exchange carries"
        return rejected(place, RejectReason.UNKNOWN_TYPE, detail, token.encode())
    if known in seen:
        return LeftOut(place, _REPEATED, token)
    seen.add(known)
    if defaults.reviewed is not None and known[1] not in defaults.reviewed:
        return LeftOut(place, _NOT_REVIEWED, known[1])
    whole_marking = marked.with_default(defaults.marking)
    observation = Observation(
        kind=known[0],
        value=token,
        confidence=defaults.confidence if marked.confidence is None else marked.confidence,
        marking=whole_marking.marking,
        labels=tuple(dict.fromkeys((*marked.labels, *defaults.labels))),
    )
    return Seen(place, observation, whole_marking.origins)


def _trimmed(token: str) -> str:
    """A word without the punctuation around it; a bracket that belongs to it stays."""
    token = token.lstrip(_BEFORE) if not token.startswith(("[.", "(.")) else token
    while token:
        last = token[-1]
        opening = _PAIRS.get(last)
        if last in _BEHIND or (opening is not None and token.count(opening) < token.count(last)):
            token = token[:-1]
        else:
            break
    return token


def _marking(prose: Prose, names: tuple[str, ...]) -> Marked:
    """What a report states about sharing anywhere in it: it counts for all of it."""
    of_lines = (_of_line(line, f"line {number}") for number, line in prose.lines if line.strip())
    return of_file_names(names).join(joined((*map(_of_stated, prose.stated), *of_lines)))


def _of_line(line: str, where: str) -> Marked:
    """A line in capitals may be a heading by itself (``INTERNAL``); another one may be a cell of a table."""
    return of_prose(line, where) if line.isupper() or not line.isascii() else of_running_text(line, where)


def _of_stated(stated: Stated) -> Marked:
    where = stated.name or "comment"
    if stated.name and is_about_sharing(stated.name):
        scheme = scheme_of(stated.name)
        return of_field(f"{scheme}:{stated.text}" if scheme else stated.text, where)
    if stated.name.lower() in _KEYWORDS:
        return joined(of_tag(tag, where) for tag in stated.text.split(",") if tag.strip())
    return of_prose(stated.text, where)


def _recognise(head: Head) -> Recognition | None:
    """A mail or a page by its beginning, other reports by the extensions of their names."""
    if is_mail(head.start) or is_html(head.start[:4096].decode("utf-8", "replace")):
        return Recognition(Specificity.WORDS)
    is_named = b"\0" not in head.content and any(map(head.has_extension, _EXTENSIONS))
    return Recognition(Specificity.WORDS, len(head.start)) if is_named else None


LEAVES_OUT: Final = {
    _PROSE: "lines without any",
    _PLAIN: "links and addresses that are not defanged: the report's own",
    _REPEATED: "values that were there before",
    _NOT_REVIEWED: "values that the reviewed list does not have",
    _ATTACHMENT: "attachments, which are not opened",
}

READER: Final = Reader(
    name="prose-report",
    reads="reports in Markdown, AsciiDoc, text, HTML, and mails: defanged values, and hashes of files. Published only "
    "with `--reviewed`",
    leaves_out=LEAVES_OUT,
    example=b"From: analyst@example.com\nSubject: made up\n\nSee https://www.example.com/report.\n"
    b"It calls hxxp://bad[.]example[.]com/gate.php, and 198.51.100[.]7 too.\n",
    recognise=_recognise,
    read=_read,
    grows=False,
    is_reviewed=True,
)
