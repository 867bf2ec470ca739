"""Asks the process that takes the text out of PDF files."""

import atexit
import os
import subprocess
import sys
from threading import Lock
from typing import Final

import msgspec

from producers.pdf.extract import SIZE_BYTES


class Extracted(msgspec.Struct, frozen=True):
    """The text of each page, what is stated beside it (a name and a text), and what was neither run nor opened.

    ``refused`` is why there is none.
    """

    pages: list[str] = msgspec.field(default_factory=list)
    stated: list[tuple[str, str]] = msgspec.field(default_factory=list)
    scripts: int = 0
    attachments: list[str] = msgspec.field(default_factory=list)
    refused: str = ""


class _Extractor:
    """The process, which is started for the first file and ends with this one. A fork of this one starts its own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def text_of(self, content: bytes) -> Extracted:
        with self._lock:
            if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
                self._owner = os.getpid()
                command = (sys.executable, "-m", "producers.pdf.extract")
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                )
            asking, answering = self._process.stdin, self._process.stdout
            if asking is None or answering is None:
                raise RuntimeError("a process with pipes has none")
            try:
                asking.write(len(content).to_bytes(SIZE_BYTES) + content)
                asking.flush()
                size = int.from_bytes(answering.read(SIZE_BYTES))
                return msgspec.json.decode(answering.read(size), type=Extracted)
            except (OSError, msgspec.DecodeError):
                self._process = None
                return Extracted(refused="the process that takes its text out has ended: produce it again")

    def close(self) -> None:
        """End it."""
        if self._process is not None and self._owner == os.getpid():
            self._process.communicate()


_EXTRACTOR: Final = _Extractor()
atexit.register(_EXTRACTOR.close)


def text_of(content: bytes) -> Extracted:
    """The text of a PDF file. A file that is hostile, damaged or encrypted is refused with a reason."""
    return _EXTRACTOR.text_of(content)
