"""The text of a report: Markdown, AsciiDoc and plain text unchanged, of HTML and mails the visible text.

Nothing is fetched and nothing is run: scripts, styles, links' targets and attachments are not text.
"""

import email
import email.policy
import re
from collections.abc import Iterator
from contextlib import suppress
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Final

import msgspec

from producers.readers.encodings import misread

_HTML: Final = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_HEADER: Final = re.compile(rb"([!-9;-~]+):[^\n]*\n(?:[ \t][^\n]*\n)*")
_OF_A_MAIL: Final = frozenset(
    {
        *(b"received", b"return-path", b"delivered-to", b"from", b"to", b"cc", b"date", b"subject", b"message-id"),
        *(b"mime-version", b"reply-to", b"sender"),
    }
)
_MOST_HEADERS: Final = 64
_LONGEST_UNENDED: Final = 4_096
_UNREADABLE: Final = "\ufffd"
_SEEN_BY_SOME: Final = frozenset({"noscript", "template"})
_UNSEEN: Final = frozenset({"script", "style", "template", "noscript"})
_NAMES_OF_BLOCKS: Final = (
    "p div li ul ol dl dt dd br hr pre blockquote title address option textarea button select label legend svg iframe"
    " object table caption thead tbody tfoot tr td th h1 h2 h3 h4 h5 h6 nav section article header footer main aside"
    " figure figcaption details summary form"
)
_BLOCKS: Final = frozenset(_NAMES_OF_BLOCKS.split())
_TABLES: Final = frozenset({"table", "dl"})
_ROWS: Final = frozenset({"tr", "dt"})
_CELLS: Final = frozenset({"td", "th", "dt", "dd"})


# Attributes with text that is shown to some readers.
_SHOWN_INSTEAD: Final = ("alt", "title", "aria-label")
# Names by which a page shows a label without text: of a picture, a class, a property.
_NAMES_A_LABEL: Final = re.compile(r"tlp|traffic.?light|(?<![a-z])pap(?![a-z])", re.IGNORECASE)
# Headers that are a text. Others have words such as ``Internal`` that mean something else.
_TEXTS_OF_A_MAIL: Final = frozenset({"subject", "comments", "keywords", "thread-topic", "content-description"})
_FRONT: Final = re.compile(r"\A(---|\+\+\+)[ \t]*\r?\n(.{0,65536}?)^(?:\1|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_SETTING: Final = re.compile(r"^[\"']?([\w .-]{1,40}?)[\"']?[ \t]*[:=][ \t]*(\S.*)$", re.MULTILINE)
_ATTRIBUTE: Final = re.compile(r"^:([\w -]{1,40}):[ \t]+(\S.*)$", re.MULTILINE)  # AsciiDoc, reStructuredText


class Stated(msgspec.Struct, frozen=True):
    """Something beside the text: the name of a header or of a ``meta`` element (empty of a comment), and its text.

    ``may_be_heading``: a text that is nothing but ``Internal`` is a marking, and not a value of something else.
    """

    name: str
    text: str
    may_be_heading: bool = True


class Prose(msgspec.Struct):
    """Lines with their numbers, the texts beside them, the names of attachments, and the cells of tables by rows.

    ``values`` are the places in ``lines`` of cells that have others beside them: such a cell is no heading.
    """

    lines: list[tuple[int, str]] = msgspec.field(default_factory=list)
    stated: list[Stated] = msgspec.field(default_factory=list)
    attachments: list[str] = msgspec.field(default_factory=list)
    tables: list[list[list[str]]] = msgspec.field(default_factory=list)
    values: set[int] = msgspec.field(default_factory=set)


def is_mail(content: bytes) -> bool:
    """Whether bytes begin with the headers of a mail (RFC 5322)."""
    at = known = 0
    for number in range(_MOST_HEADERS):
        found = _HEADER.match(content, at)
        is_known = found is not None and (found[1].lower() in _OF_A_MAIL or found[1][:2].lower() == b"x-")
        if found is None or (number == 0 and not is_known):
            break
        at, known = found.end(), known + is_known
    return known > 1


def is_html(text: str) -> bool:
    """Whether a text is a page."""
    return _HTML.match(text) is not None


def prose_of(content: bytes, text: str) -> Prose:
    """The text of a document. ``text`` is ``content`` decoded."""
    if is_mail(content):
        return _of_mail(content)
    if is_html(text):
        return _of_html(text)
    return Prose(list(enumerate(text.splitlines(), 1)), list(_settings(text)))


def _settings(text: str) -> Iterator[Stated]:
    """The front matter of Markdown, and the attributes of AsciiDoc."""
    front = _FRONT.match(text)
    for name, value in (*_SETTING.findall(front[2] if front else ""), *_ATTRIBUTE.findall(text)):
        yield Stated(name, value.strip().strip("\"'"), may_be_heading=False)


def _of_mail(content: bytes) -> Prose:
    message = email.message_from_bytes(content, policy=email.policy.default)
    prose = Prose()
    for part in message.walk():
        prose.stated += [
            _header(name, raw, str(value)) for (name, raw), value in zip(part.raw_items(), part.values(), strict=True)
        ]
        if part.is_multipart():
            continue
        is_text = part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment"
        if not is_text:
            prose.attachments.append(part.get_filename() or part.get_content_type())
            continue
        text = _text_of(part)
        inner = _of_html(text) if part.get_content_subtype() == "html" else Prose(list(enumerate(text.splitlines(), 1)))
        at = len(prose.lines)
        prose.lines += [(at + number, line) for number, (_, line) in enumerate(inner.lines, 1)]
        prose.stated += inner.stated
        prose.tables += inner.tables
        prose.values |= {at + place for place in inner.values}
    return prose


def _header(name: str, raw: str, decoded: str) -> Stated:
    """A header. One with bytes that RFC 2047 would encode is in UTF-8, or cannot be read."""
    if not raw.isascii():
        decoded = raw.encode("ascii", "surrogateescape").decode("utf-8", "replace")
    return Stated(name, decoded, may_be_heading=name.lower() in _TEXTS_OF_A_MAIL)


def _text_of(part: EmailMessage) -> str:
    """The text of a part, in the encoding that the mail states, ISO-2022-JP or UTF-8; else it has U+FFFD."""
    try:
        text = str(part.get_content())
    except (LookupError, ValueError):
        text = _UNREADABLE
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes) or not (_UNREADABLE in text or misread(text, "utf-8")):
        return text
    for encoding in ("iso2022_jp", "utf-8"):
        with suppress(UnicodeDecodeError):
            return payload.decode(encoding)
    return payload.decode("utf-8", "replace")


def _of_html(text: str) -> Prose:
    page = _Page()
    page.feed(text)
    page.close()
    if page.is_cut:
        page.stated.append(Stated("a part of the page that does not end", _UNREADABLE))
    kept = [(line, is_value) for line, is_value in page.lines() if line[1].strip()]
    values = {place for place, (_, is_value) in enumerate(kept) if is_value}
    return Prose([line for line, _ in kept], page.stated, [], page.tables, values)


class _Page(HTMLParser):
    """Collects the visible text of a page, with the line of the source that it begins on."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stated: list[Stated] = []
        self.tables: list[list[list[str]]] = []
        self._open: list[list[list[str]]] = []
        self._found: list[tuple[int, str]] = [(1, "")]
        self._rows: list[list[tuple[int, int]]] = [[]]  # of each text in a row: its cell, and its place in ``_found``
        self._cell, self._in_cell = 0, False
        self._unseen = 0
        self._has_long_rest = False
        self._for_some = False  # the invisible part is shown if scripts are not run

    @property
    def is_cut(self) -> bool:
        """Whether an invisible part or a long tag or comment has no end: text behind it may be meant otherwise."""
        return self._unseen > 0 or self._has_long_rest

    def lines(self) -> Iterator[tuple[tuple[int, str], bool]]:
        """The lines of text, and whether each is of a cell that has others beside it."""
        values = {place for row in self._rows if len({cell for cell, _ in row}) > 1 for _, place in row}
        for place, (number, text) in enumerate(self._found):
            for offset, line in enumerate(text.split("\n")):
                yield (number + offset, line), place in values

    def parse_html_declaration(self, i: int) -> int:
        """A marked section (``<![if !mso]>``) is a comment (WHATWG HTML, 13.2.5.42); the module may raise at it."""
        is_section = self.rawdata.startswith("<![", i)
        return self.parse_bogus_comment(i) if is_section else super().parse_html_declaration(i)

    def close(self) -> None:
        """A long part that does not end is text: the module would search it to its end from each of its marks."""
        if self.rawdata.startswith("<") and len(self.rawdata) > _LONGEST_UNENDED:
            rest, self.rawdata, self._has_long_rest = self.rawdata, "", True
            self.handle_data(rest)
        super().close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A block begins a line of its own; ``meta`` states something."""
        self._unseen += tag in _UNSEEN
        self._for_some = self._for_some or tag in _SEEN_BY_SOME
        named = dict(attrs)
        if tag == "meta":
            self.stated.append(Stated(named.get("name") or named.get("property") or "", named.get("content") or ""))
        self.stated += [Stated("", text) for name in _SHOWN_INSTEAD if (text := named.get(name))]
        for name, text in attrs:
            if text and name not in _SHOWN_INSTEAD and tag not in ("meta", "a") and _NAMES_A_LABEL.search(name + text):
                self.stated.append(Stated(name, text, may_be_heading=False))
        if tag in _BLOCKS:
            self._found.append((self.getpos()[0], ""))
            self._begin(tag)

    def _begin(self, tag: str) -> None:
        """A table, a row or a cell begins; the end of rows and cells may be left out, and cells may be in no table."""
        if tag in _ROWS or tag in _TABLES or not (self._open or tag in _CELLS):
            self._end_row()
        if tag in _CELLS:
            self._cell, self._in_cell = self._cell + 1, True
        if tag in _TABLES:
            self._open.append([])
            self.tables.append(self._open[-1])
        if tag in _ROWS and self._open:
            self._open[-1].append([])
        if tag in _CELLS and self._open and self._open[-1]:
            self._open[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """An invisible part may end; what is behind a block is in a line of its own."""
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        self._for_some = self._for_some and self._unseen > 0
        if tag in _BLOCKS:
            self._found.append((self.getpos()[0], ""))
        self._in_cell = self._in_cell and tag not in _CELLS
        if tag in _TABLES:
            self._end_row()
            del self._open[-1:]

    def _end_row(self) -> None:
        self._rows.append([])
        self._in_cell = False

    def handle_data(self, data: str) -> None:
        """A piece of text."""
        if self._unseen:
            self.stated += [Stated("", data)] if self._for_some and self.cdata_elem is None else []
            return
        number, text = self._found[-1]
        self._found[-1] = (number if text else self.getpos()[0], text + data)
        if self._in_cell and data.strip():
            self._rows[-1].append((self._cell, len(self._found) - 1))
        if self._open and self._open[-1] and self._open[-1][-1]:
            self._open[-1][-1][-1] += data

    def handle_comment(self, data: str) -> None:
        """A comment may restrict, too."""
        self.stated.append(Stated("", data))
