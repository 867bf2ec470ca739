"""Takes the text out of PDF files, each in a forked process with limits of memory and time.

``python -m producers.pdf.extract`` reads a file's size (8 bytes) and its bytes from standard input, writes the size and
the JSON of ``producers.pdf.text.Extracted``, and so on until standard input ends. Nothing in a file is run, opened or
fetched: scripts, actions and attachments are counted.
"""

import io
import json
import logging
import os
import re
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

SIZE_BYTES: Final = 8
MOST_PAGES: Final = 2000
MOST_CHARACTERS: Final = 16 << 20
_MEMORY_BYTES: Final = 1 << 30
_PROCESSOR_S: Final = 60
_WALL_S: Final = 120.0
_END: Final = b"%%EOF"
_TAIL_BYTES: Final = 2048
_MOST_XMP_BYTES: Final = 1 << 20


class Unreadable(Exception):
    """A file of which the text cannot be taken, and why."""


def main() -> None:
    """Answer until standard input ends."""
    import pypdf  # noqa: F401 - loaded once, before the first fork

    logging.disable(logging.CRITICAL)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while len(stated := source.read(SIZE_BYTES)) == SIZE_BYTES:
        answer = _limited(source.read(int.from_bytes(stated)))
        target.write(len(answer).to_bytes(SIZE_BYTES) + answer)
        target.flush()


def _limited(content: bytes) -> bytes:
    """The answer of a process that has limits, or what ended it."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        _work(content, writing)
    os.close(writing)
    with open(reading, "rb", buffering=0) as pipe:
        answer, is_late = _all_of(pipe, time.monotonic() + _WALL_S)
    if is_late:
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    if is_late or status:
        return _refusal(f"its text takes more than {_PROCESSOR_S} s or {_MEMORY_BYTES >> 20} MiB")
    return answer


def _work(content: bytes, target: int) -> None:
    """The forked process: it writes its answer and ends."""
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_S, _PROCESSOR_S))
        with open(target, "wb") as pipe:
            pipe.write(extracted(content))
        code = 0
    finally:
        os._exit(code)


def _all_of(pipe: BinaryIO, deadline: float) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    while (left := deadline - time.monotonic()) > 0:
        if select.select([pipe], [], [], left)[0]:
            part = pipe.read(1 << 20)
            if not part:
                return b"".join(parts), False
            parts.append(part)
    return b"", True


def _refusal(why: str) -> bytes:
    return json.dumps({"refused": why}).encode()


def extracted(content: bytes) -> bytes:
    """The answer for one file."""
    try:
        return json.dumps(_text_of(content)).encode("utf-8", "replace")
    except Unreadable as error:
        return _refusal(str(error))
    except MemoryError:
        raise
    except Exception as error:  # whatever error a hostile file causes in the library: to us it is damaged
        return _refusal(f"it is damaged: {type(error).__name__}: {str(error)[:200]}")


def _text_of(content: bytes) -> dict[str, Any]:
    from pypdf import PasswordType, PdfReader

    if _END not in content[-_TAIL_BYTES:]:
        raise Unreadable("it is cut off, or damaged at its end: get it again")
    document = PdfReader(io.BytesIO(content), strict=False)
    if document.is_encrypted and document.decrypt("") is PasswordType.NOT_DECRYPTED:
        raise Unreadable("it is encrypted: open it with its password, and save a copy without one")
    if len(document.pages) > MOST_PAGES:
        raise Unreadable(f"it has {len(document.pages)} pages, and {MOST_PAGES} are the most: cut it up")
    pages: list[str] = []
    left = MOST_CHARACTERS
    for page in document.pages:
        pages.append(page.extract_text())
        left -= len(pages[-1])
        if left < 0:
            raise Unreadable(f"it has more than {MOST_CHARACTERS} characters: cut it up")
    if not any(page.strip() for page in pages):
        raise Unreadable("it has no text: if it was scanned, recognise its characters (OCR) first")
    stated = [(str(name).lstrip("/"), str(text)) for name, text in (document.metadata or {}).items()]
    notes = [*_notes(document), *_xmp(document)]
    return {
        "pages": pages,
        "stated": [*stated, *(("", text) for text in notes)],
        "scripts": _scripts(document),
        "attachments": sorted(document.attachments),
    }


def _notes(document: Any) -> Iterator[str]:
    """Texts that readers have written onto pages: they may restrict, too."""
    for page in document.pages:
        for each in page.get("/Annots") or ():
            text = each.get_object().get("/Contents")
            if text:
                yield str(text)


def _xmp(document: Any) -> Iterator[str]:
    """The values of the document's XMP (ISO 16684-1), which PDF 2.0 has in place of its other metadata."""
    stream = document.root_object.get("/Metadata")
    if stream is None:
        return
    text = stream.get_object().get_data()[:_MOST_XMP_BYTES].decode("utf-8", "replace")
    for attribute, element in re.findall(r'="([^"<>]+)"|>([^<>]*\S[^<>]*)<', text):
        yield attribute or element


def _scripts(document: Any) -> int:
    """How many scripts and programs the objects of a document would start."""
    numbers = {number for section in document.xref.values() for number in section} | set(document.xref_objStm)
    return sum(_started_by(document.get_object(number)) for number in numbers)


def _started_by(thing: Any) -> int:
    """The same of one object and those nested in it."""
    if isinstance(thing, dict):
        is_script = thing.get("/S") in ("/JavaScript", "/Launch") or "/JS" in thing
        return int(is_script) + sum(map(_started_by, dict.values(thing)))
    return sum(map(_started_by, thing)) if isinstance(thing, list) else 0


if __name__ == "__main__":
    main()
