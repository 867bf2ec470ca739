"""The text of a report: Markdown, AsciiDoc and plain text unchanged, of HTML and mails the visible text.

Nothing is fetched and nothing is run: scripts, styles, links' targets and attachments are not text.
"""

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Final

import msgspec

_HTML: Final = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_HEADER: Final = re.compile(rb"([!-9;-~]+):[^\n]*\n(?:[ \t][^\n]*\n)*")
_OF_A_MAIL: Final = frozenset(
    {
        *(b"received", b"return-path", b"delivered-to", b"from", b"to", b"cc", b"date", b"subject", b"message-id"),
        *(b"mime-version", b"reply-to", b"sender"),
    }
)
_MOST_HEADERS: Final = 64
_UNSEEN: Final = frozenset({"script", "style", "template", "noscript"})
_BLOCKS: Final = frozenset({"p", "div", "li", "tr", "td", "th", "br", "h1", "h2", "h3", "h4", "pre", "title", "table"})


# Attributes with text that is shown to some readers.
_SHOWN_INSTEAD: Final = ("alt", "title", "aria-label")


class Stated(msgspec.Struct, frozen=True):
    """Something beside the text: the name of a header or of a ``meta`` element (empty of a comment), and its text."""

    name: str
    text: str


class Prose(msgspec.Struct):
    """Lines with their numbers, the texts beside them, and the names of attachments."""

    lines: list[tuple[int, str]] = msgspec.field(default_factory=list)
    stated: list[Stated] = msgspec.field(default_factory=list)
    attachments: list[str] = msgspec.field(default_factory=list)


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
    return Prose(list(enumerate(text.splitlines(), 1)))


def _of_mail(content: bytes) -> Prose:
    message = email.message_from_bytes(content, policy=email.policy.default)
    prose = Prose()
    prose.stated += [Stated(name, str(value)) for name, value in message.items()]
    for part in message.walk():
        if part.is_multipart():
            continue
        is_text = part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment"
        if not is_text:
            prose.attachments.append(part.get_filename() or part.get_content_type())
            continue
        inner = _of_html(_text_of(part)) if part.get_content_subtype() == "html" else None
        lines = _text_of(part).splitlines() if inner is None else [line for _, line in inner.lines]
        prose.stated += [] if inner is None else inner.stated
        at = len(prose.lines)
        prose.lines += [(at + number, line) for number, line in enumerate(lines, 1)]
    return prose


def _text_of(part: EmailMessage) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _of_html(text: str) -> Prose:
    page = _Page()
    page.feed(text)
    page.close()
    return Prose([(number, line) for number, line in page.lines() if line.strip()], page.stated)


class _Page(HTMLParser):
    """Collects the visible text of a page, with the line of the source that it begins on."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stated: list[Stated] = []
        self._found: list[tuple[int, str]] = [(1, "")]
        self._unseen = 0

    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines of text."""
        for number, text in self._found:
            for offset, line in enumerate(text.split("\n")):
                yield number + offset, line

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A block begins a line of its own; ``meta`` states something."""
        self._unseen += tag in _UNSEEN
        named = dict(attrs)
        if tag == "meta":
            self.stated.append(Stated(named.get("name") or named.get("property") or "", named.get("content") or ""))
        self.stated += [Stated("", text) for name in _SHOWN_INSTEAD if (text := named.get(name))]
        if tag in _BLOCKS:
            self._found.append((self.getpos()[0], ""))

    def handle_endtag(self, tag: str) -> None:
        """An invisible part may end."""
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))

    def handle_data(self, data: str) -> None:
        """A piece of text."""
        if not self._unseen:
            number, text = self._found[-1]
            self._found[-1] = (number if text else self.getpos()[0], text + data)

    def handle_comment(self, data: str) -> None:
        """A comment may restrict, too."""
        self.stated.append(Stated("", data))
