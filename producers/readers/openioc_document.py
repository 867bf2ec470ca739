"""An OpenIOC document as a tree of conjunctions and alternatives, with all that it states beside them.

Versions 1.0 (``ioc`` with ``definition``) and 1.1 (``OpenIOC`` with ``metadata`` and ``criteria``). A document type
definition is refused: it could define entities that grow without end, and no OpenIOC has one.
"""

from typing import Final
from xml.parsers import expat

import msgspec

from producers.inputs import UTF_8, OpenInput, is_wide
from producers.readers.document import MAX_DOCUMENT_BYTES, whole
from producers.readers.reading import Rejected
from schemas.vocabulary import RejectReason

ROOTS: Final = ("ioc", "OpenIOC")
_CHUNK_BYTES: Final = 64 << 10
_MOST_NESTED: Final = 100
_INDICATOR: Final = "Indicator"
_ITEM: Final = "IndicatorItem"
_SEVERAL: Final = "it has several elements Context or Content, so what it compares is unknown"


class Item(msgspec.Struct):
    """One comparison: where its element begins, what it is about, and the text to compare with.

    ``problem`` is why it cannot be known which.
    """

    line: int
    id: str
    condition: str
    is_negated: bool
    search: str = ""
    content: str = ""
    problem: str = ""


class Branch(msgspec.Struct):
    """``AND`` or ``OR`` of its parts."""

    is_conjunction: bool
    parts: "list[Item | Branch]" = msgspec.field(default_factory=list)


class Said(msgspec.Struct, frozen=True):
    """A text beside the criteria: the element or attribute that it is in, its ``rel`` or ``name``, and itself.

    ``around`` are the names of what it is in: elements, and their ``rel`` or ``name``.
    """

    element: str
    role: str
    text: str
    around: tuple[str, ...] = ()


class Document(msgspec.Struct):
    """A document. ``texts`` are all texts but those of the items, in order, comments too."""

    id: str = ""
    modified: str = ""
    root: Branch = msgspec.field(default_factory=lambda: Branch(is_conjunction=False))
    texts: list[Said] = msgspec.field(default_factory=list)


def parsed(source: OpenInput, encoding: str) -> Document | Rejected:
    """An input as a document, or why it is invalid. It is read in pieces, up to the size of a document."""
    # What is wide was transcoded, whatever it declares.
    content, builder = bytearray(), _Builder(UTF_8 if is_wide(encoding) else None)
    while chunk := source.stream.read(_CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_DOCUMENT_BYTES:
            return whole(
                source, RejectReason.TOO_LARGE, f"more than {MAX_DOCUMENT_BYTES} bytes: cut it up", bytes(content)
            )
        problem = builder.feed(chunk, is_last=False)
        if problem:
            return whole(source, RejectReason.UNDECODABLE, problem, bytes(content))
    problem = source.damage or builder.feed(b"", is_last=True)
    if problem:
        reason = RejectReason.TRUNCATED if source.damage else RejectReason.UNDECODABLE
        return whole(source, reason, problem, bytes(content))
    return builder.document


class _Refused(Exception):
    """The document has forbidden content."""


class _Builder:
    """Makes the document of the parser's events."""

    def __init__(self, encoding: str | None) -> None:
        self.document = Document()
        self._branches = [self.document.root]
        self._path: list[tuple[str, str]] = []
        self._item: Item | None = None
        self._text: list[str] = []
        parser = self._parser = expat.ParserCreate(encoding, namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text.append
        parser.CommentHandler = self._comment
        parser.ProcessingInstructionHandler = lambda target, text: self._comment(f"{target} {text}")
        parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, chunk: bytes, *, is_last: bool) -> str:
        """Take the next bytes; what is wrong with them, or nothing."""
        try:
            self._parser.Parse(chunk, is_last)
        except (
            expat.ExpatError,
            _Refused,
            ValueError,
            LookupError,
        ) as error:  # LookupError: an unknown encoding
            return f"not OpenIOC: {error}"
        if self._branches[0] is not self.document.root:
            return "not OpenIOC: its elements do not fit together"
        return "not OpenIOC: it has no criteria" if is_last and not self.document.root.parts else ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        element = name.rpartition(" ")[2]
        if not self._path and element not in ROOTS:
            raise _Refused(f"its root is {element[:40]!r}")
        if len(self._path) >= _MOST_NESTED:
            raise _Refused(f"its elements are nested more than {_MOST_NESTED} deep")
        named = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        if not self._path:
            self.document.id, self.document.modified = named.get("id", ""), named.get("last-modified", "")
        if element == _INDICATOR:
            branch = Branch(is_conjunction=named.get("operator", "").upper() != "OR")
            self._branches[-1].parts.append(branch)
            self._branches.append(branch)
        elif element == _ITEM:
            negated = named.get("negate", "").lower() in ("true", "1") or named.get("condition", "").endswith("not")
            line = self._parser.CurrentLineNumber
            self._item = Item(line, named.get("id", ""), named.get("condition", "").lower(), negated)
            self._branches[-1].parts.append(self._item)
        elif element == "Context" and self._item is not None:
            self._item.problem = self._item.problem or (_SEVERAL if self._item.search else "")
            self._item.search = named.get("search", "")
        self._said_so_far()
        self._path.append((element, named.get("rel", "") or named.get("name", "")))
        self.document.texts += [Said(element, key, value) for key, value in named.items() if key not in _PLAIN]

    def _said_so_far(self) -> None:
        """Keep the text before an element that is within it."""
        text = "".join(self._text).strip()
        self._text.clear()
        if text and self._path:
            self.document.texts.append(Said(*self._path[-1], text))

    def _end(self, _name: str) -> None:
        element, role = self._path.pop()
        text = "".join(self._text).strip()
        self._text.clear()
        if element == _INDICATOR:
            self._branches.pop()
        elif element == _ITEM:
            self._item = None
        elif element == "Content" and self._item is not None:
            self._item.problem = self._item.problem or (_SEVERAL if self._item.content else "")
            self._item.content = text
        elif text:
            around = tuple(name for names in reversed(self._path) for name in names if name)
            self.document.texts.append(Said(element, role, text, around))

    def _comment(self, text: str) -> None:
        self.document.texts.append(Said("comment", "", text.strip()))

    def _doctype(self, *_: object) -> None:
        raise _Refused("it has a document type definition")


_PLAIN: Final = frozenset(
    {
        *("id", "ref-id", "last-modified", "published-date", "operator", "condition", "document", "search", "type"),
        *("preserve-case", "negate", "rel", "name", "href", "schemaLocation"),
    }
)
