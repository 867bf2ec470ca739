"""The formats: finds the readers of this package, and the one that an input is for."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

import producers.readers
from producers.inputs import OpenInput
from producers.markings.understanding import of_file_names
from producers.readers.bounded import bounded
from producers.readers.document import whole
from producers.readers.limits import limited
from producers.readers.reader import Head, Reader
from producers.readers.reading import Defaults, Reading
from producers.readers.stix_1 import advice_on_stix_1
from producers.unpacking import is_packed
from schemas.vocabulary import RejectReason

AUTO: Final = "auto"
_OTHER_ARCHIVE: Final = "it is an archive of a kind that is not read (7z, RAR, compress, lzma): unpack it first"
_BINARIES: Final = (
    (b"7z\xbc\xaf\x27\x1c", _OTHER_ARCHIVE),
    (b"Rar!\x1a\x07", _OTHER_ARCHIVE),
    (b"\x1f\x9d", _OTHER_ARCHIVE),
    (b"\x5d\0\0", _OTHER_ARCHIVE),
    (b"PK\x05\x06", "it is a zip archive without files"),
    (
        b"\xd0\xcf\x11\xe0",
        "it is a file of Outlook or of an older Office: save a mail as .eml, a table as CSV, a text as PDF",
    ),
)
"""First bytes of files that are not read. Office's newer files are zip archives of several files."""


@cache
def readers() -> Mapping[str, Reader]:
    """All readers by their names, in alphabetical order.

    Raises RuntimeError if two modules declare one name.
    """
    found: dict[str, Reader] = {}
    for module in iter_modules(producers.readers.__path__):
        reader = getattr(import_module(f"{producers.readers.__name__}.{module.name}"), "READER", None)
        if not isinstance(reader, Reader):
            continue  # shared by readers
        if reader.name in found:
            raise RuntimeError(f"two modules of producers.readers declare the format {reader.name!r}: rename one")
        found[reader.name] = reader
    return dict(sorted(found.items()))


@cache
def on_request() -> Mapping[str, str]:
    """The rules whose pieces an operator may ask for, and what is taken of them, in alphabetical order."""
    found = {rule: taken for reader in readers().values() for rule, taken in reader.on_request.items()}
    return dict(sorted(found.items()))


def recognised(head: Head) -> str | None:
    """The format of an input that begins like this; ``None`` if no reader recognises it.

    The most specific evidence decides, then the evidence nearest to the beginning, then the alphabet.
    """
    evidence = [(found, name) for name, reader in readers().items() if (found := reader.recognise(head)) is not None]
    return min(evidence, key=lambda one: (-one[0].specificity, one[0].at, one[1]))[1] if evidence else None


def readings_of(source: OpenInput, name: str | Reader, defaults: Defaults) -> tuple[Iterator[Reading], Reader | None]:
    """The readings of an input and its reader. An input that no reader can read is one refusal.

    ``name`` is the format that the operator states, or ``auto``; or a reader that is not one of the formats. What the
    names of the input state about sharing holds for all of its observations, whatever its format.
    """
    if not source.head:
        reason = source.damage or "the file is empty: does the program that writes it still run?"
        return iter([whole(source, RejectReason.UNKNOWN_FORMAT, reason)]), None
    if source.wide_bom:
        advice = "the file is in UTF-16 or UTF-32: use --encoding utf-16 or utf-32"
        return iter([whole(source, RejectReason.UNREADABLE_LINE, advice)]), None
    if binary := _binary(source.head):
        return iter([whole(source, RejectReason.UNKNOWN_FORMAT, binary)]), None
    found: str | Reader | None = name
    if name == AUTO:
        found = recognised(Head(source.head, source.name, defaults.encoding))
    if found is None:
        return iter([whole(source, RejectReason.UNKNOWN_FORMAT, _advice_on(source.head))]), None
    reader = found if isinstance(found, Reader) else readers()[found]
    readings = limited(reader.read(source, defaults), defaults, of_file_names(source.names))
    return bounded(readings), reader


def _binary(head: bytes) -> str:
    """What to do about a file of a kind that is known by its first bytes and is not read; empty of any other."""
    if head[257:262] == b"ustar":
        return "it is a tar archive: unpack it first, and produce its folder"
    return next((advice for magic, advice in _BINARIES if head.startswith(magic)), "")


def _advice_on(head: bytes) -> str:
    """What to do about an input that no reader recognises by its first bytes."""
    if advice := advice_on_stix_1(head):
        return advice
    if is_packed(head):
        return "it is an archive within an archive: unpack it first"
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        return "it begins with nothing but blank lines: does the program that writes it still run?"
    if b"\0" in head:
        halves = (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2]))
        wide = [name for name, zeros, others in halves if _are_mostly(zeros) and others.count(0) * 8 < len(others)]
        return f"it is no text in UTF-8, but may be in UTF-16: try --encoding {wide[0]}" if wide else "it is no text"
    if head.lstrip()[:1] in (b"{", b"["):
        return (
            "it is JSON of a form that no reader knows: write its values as a list, or as CSV with names of columns "
            "(with jq), and state the marking that the source gives them"
        )
    return f"it is not recognised as {', '.join(readers())}: name its format with --format"


def _are_mostly(zeros: bytes) -> bool:
    """Whether every second byte is zero, as of ASCII in UTF-16; a list in Japanese has some, too."""
    return zeros.count(0) * 2 > len(zeros)
