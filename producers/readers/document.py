"""Reads inputs that are one JSON document: bounded, and cut into raw parts, so that a bad part stays alone."""

import json
import re
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final, TypeVar

import msgspec

from producers.inputs import UTF_8, OpenInput, is_wide
from producers.readers.encodings import advice_on
from producers.readers.reading import KEPT_BYTES, Rejected, excerpt_of, rejected
from producers.readers.stix_1 import advice_on_stix_1
from schemas.observation import SourcePlace
from schemas.vocabulary import RejectReason

MAX_DOCUMENT_BYTES: Final = 64 << 20
MAX_DOCUMENT_COMMAS: Final = 4 << 20
"""One for every 16 bytes of the largest document: more parts than any has that states something in each."""
_MARGIN: Final = 100
_CHUNK_BYTES: Final = 64 << 10
_SHORT: Final = 64 << 10
_MAY_BEGIN_VALUE: Final = (b'":', b" :", b"\t:", b"\n:", b"\r:")  # RFC 8259, section 2: quote or blanks, and a colon
_JSON_IN: Final = msgspec.json.Decoder()
_JSON_OUT: Final = msgspec.json.Encoder()
_LONE_SURROGATES: Final = re.compile("[\ud800-\udfff]")

Shape = TypeVar("Shape")


def document(source: OpenInput, encoding: str, shape: type[Shape]) -> Shape | Rejected:
    """The whole input decoded to ``shape``, or why it is invalid."""
    content = source.stream.read(MAX_DOCUMENT_BYTES + 1)
    place = SourcePlace(source.name, 0)
    if len(content) > MAX_DOCUMENT_BYTES:
        return whole(source, RejectReason.TOO_LARGE, f"more than {MAX_DOCUMENT_BYTES} bytes: cut it up", content)
    if content.count(b",") > MAX_DOCUMENT_COMMAS:
        return rejected(place, RejectReason.TOO_LARGE, f"more than {MAX_DOCUMENT_COMMAS} commas: cut it up", content)
    if source.damage:
        return rejected(place, RejectReason.TRUNCATED, f"{source.damage}: get the file again", content)
    try:
        text = content if is_wide(encoding) else content.decode(encoding).encode()
        text = text.removeprefix(b"\xef\xbb\xbf")
        _walked(text, _MARGIN)
        return _parsed(text, shape)
    except UnicodeDecodeError as error:
        detail = f"byte {error.start + 1} is not {encoding}{advice_on(content[max(0, error.start - 40) :][:80])}"
        return rejected(place, RejectReason.UNREADABLE_LINE, detail, content)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        advice = advice_on_stix_1(content[:_SHORT]) or f"not JSON: {why_invalid(error)}"
        return rejected(place, RejectReason.UNDECODABLE, advice, content)


def why_invalid(error: Exception) -> str:
    """What is wrong with a JSON text, in an operator's words."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    text = str(error)
    return "a number in it has thousands of digits" if "integer string conversion" in text else text


def _walked(text: bytes, margin: int) -> None:
    """Raise RecursionError if a reader ``margin`` frames further down could not read its deepest part."""
    if margin:
        _walked(text, margin - 1)
    else:
        with suppress(ValueError):  # invalid JSON is found by the code that parses it
            _repeats(text)


def _parsed(text: bytes, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(text, type=shape)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(_listed(text), type=shape)
        # Half a surrogate pair, as JavaScript leaves behind if it cuts a string in an emoji, is grammatical JSON
        # (RFC 8259, section 8.2). It must not cost the document its other parts.
        if repeated_keys(text):
            raise ValueError("it has half a surrogate pair and an object with the same key twice") from None
        loose = json.dumps(json.loads(text), ensure_ascii=False)
        return msgspec.json.decode(_LONE_SURROGATES.sub("\ufffd", loose).encode(UTF_8), type=shape)


def _listed(text: bytes) -> bytes:
    """Several documents, one a line (NDJSON), as a list of them. Raises msgspec.DecodeError if a line is none."""
    parts = msgspec.json.Decoder(msgspec.Raw).decode_lines(text)
    return b"[" + b",".join(map(bytes, parts)) + b"]"


def repeated_keys(text: bytes | msgspec.Raw) -> int:
    """How many members of objects in a JSON text have a name that was there before in the same object.

    RFC 8259, section 4, leaves open which of them counts, so what a source meant by them is unknown.
    """
    content = bytes(text)
    return 0 if len(content) <= _SHORT and _has_distinct_keys(content) else _repeats(content)


def _repeats(content: bytes) -> int:
    count = 0

    def members(pairs: list[tuple[str, object]]) -> None:
        nonlocal count
        count += len(pairs) - len(dict(pairs))

    json.loads(content, object_pairs_hook=members, parse_int=str, parse_float=str, parse_constant=str)
    return count


def _has_distinct_keys(content: bytes) -> bool:
    """Whether no key can be there twice, found in a fifth of the time. If it does not find out, the answer is no.

    What is written again as it was has all of its members. Otherwise: without a backslash no string has a quote in it,
    so a colon behind a quote or a blank is at most a member more than there are, and one behind a quote in what is
    written again is a member that was kept.
    """
    try:
        again = _JSON_OUT.encode(_JSON_IN.decode(content))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    if again == content:
        return True
    may_begin = sum(map(content.count, _MAY_BEGIN_VALUE))
    return b"\\" not in content and may_begin == again.count(_MAY_BEGIN_VALUE[0])


def plain(raw: bytes | msgspec.Raw) -> Any:
    """A JSON text as dictionaries and lists. Numbers are their digits: no number is too large to be read."""
    return json.loads(bytes(raw), parse_int=str, parse_float=str, parse_constant=str)


def whole(source: OpenInput, reason: RejectReason, detail: str, beginning: bytes = b"") -> Rejected:
    """The refusal of an input as a whole; the rest is read for its digest, in bounded memory."""
    place = SourcePlace(source.name, 0)
    while len(beginning) <= KEPT_BYTES and (chunk := source.stream.read(_CHUNK_BYTES)):
        beginning += chunk
    if len(beginning) <= KEPT_BYTES:
        return rejected(place, reason, detail, beginning)
    digest, size = sha256(beginning), len(beginning)
    while chunk := source.stream.read(_CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return Rejected(place, reason, detail, None, size, digest.digest(), excerpt_of(beginning))
