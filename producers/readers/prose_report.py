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
from producers.markings.marked import Marked
from producers.readers.document import whole
from producers.readers.encodings import advice_on, misread
from producers.readers.prose_marking import marking_of
from producers.readers.prose_text import Prose, is_html, is_mail, prose_of
from producers.readers.prose_words import Word, words_of
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
_EXTENSIONS: Final = (".md", ".markdown", ".adoc", ".asciidoc", ".rst", ".eml", ".html", ".htm", ".xhtml")
_DEFANGED: Final = re.compile(
    r"\b(?:hxxp|fxp|meow)s?\b|\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)|\[:\]|\[at\]|\(at\)|\[@\]|\[://\]|\[\.|\.\]",
    re.IGNORECASE,
)
_HASH: Final = re.compile(r"(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{128})")
_LINK: Final = re.compile(r"[a-z][a-z0-9+.-]{1,10}://\S|\d{1,3}(?:\.\d{1,3}){3}", re.IGNORECASE)
_DOTTED: Final = re.compile(r"[A-Za-z0-9-]\.[A-Za-z]")
_NAMED_HASH: Final = re.compile(
    r"\b(?:md5|ja3s?|imp ?hash|ntlm|tlsh|ssdeep|rich ?hash|pe ?hash|vhash)\b", re.IGNORECASE
)
_HASH_TYPES: Final = {"md5": IndicatorType.FILE_MD5, "ja3": IndicatorType.JA3, "imphash": IndicatorType.IMPHASH}
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
    problem = "" if is_mail(content) else misread(text, encoding)
    if problem:
        yield whole(source, RejectReason.UNREADABLE_LINE, f"the report is misread: {problem}", content)
        return
    prose = prose_of(content, text)
    source.records = max((number for number, _ in prose.lines), default=0)
    yield from readings_of_prose(prose, source, defaults)


def readings_of_prose(prose: Prose, source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
    """The reading of each word of a report that is a value, and of each line and attachment without any."""
    marked = marking_of(prose, source.names)
    seen = set[tuple[IndicatorType, str]]()
    last = 0
    for number, line in prose.lines:
        last = number
        if not line.strip():
            continue
        place, is_empty = SourcePlace(source.name, number), True
        hash_type = _type_of_hashes(line)
        for word in words_of(line):
            reading = _reading(word, hash_type, place, marked, seen, defaults)
            if reading is not None:
                is_empty = False
                yield reading
        if is_empty:
            yield LeftOut(place, _PROSE)
    for attachment in prose.attachments:
        yield LeftOut(SourcePlace(source.name, max(1, last)), _ATTACHMENT, attachment)


def _reading(
    word: Word,
    hash_type: IndicatorType | None,
    place: SourcePlace,
    marked: Marked,
    seen: set[tuple[IndicatorType, str]],
    defaults: Defaults,
) -> Reading | None:
    """The reading of a word; ``None`` if it is just a word. ``hash_type``: that of 32 digits, if the line names it."""
    token = word.text
    if word.problem:
        return rejected(place, RejectReason.UNKNOWN_TYPE, f"{token[:80]!r}: {word.problem}", token.encode())
    is_hash, is_defanged = _HASH.fullmatch(token) is not None, _DEFANGED.search(token) is not None
    if not is_hash and not is_defanged:
        return LeftOut(place, _PLAIN, token) if _is_link(token) else None
    kind = detect(token)
    if is_hash and len(token) == _MD5_DIGITS:
        stated = TYPES.get(folded(defaults.columns[0]), ()) if len(defaults.columns) == 1 else ()
        kind = stated[0] if len(stated) == 1 else hash_type
        if kind is None:
            return rejected(place, RejectReason.UNKNOWN_TYPE, f"{token}: {AMBIGUOUS}", token.encode())
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


def _type_of_hashes(line: str) -> IndicatorType | None:
    """The type of 32 digits in a line that names one kind of them alone."""
    named = {_HASH_TYPES.get(name.lower().replace(" ", "")) for name in _NAMED_HASH.findall(line)}
    return named.pop() if len(named) == 1 else None


def _is_link(token: str) -> bool:
    """Whether a word is a link, an address or a name that is not defanged."""
    if _LINK.match(token):
        return True
    return _DOTTED.search(token) is not None and detect(token) in (IndicatorType.DOMAIN_NAME, IndicatorType.EMAIL_ADDR)


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
