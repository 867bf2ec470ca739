"""Runs the real command line on a real pseudo-terminal, as a person's terminal does."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_STYLES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def started(
    *arguments: str, within: Path, environ: Mapping[str, str], columns: int = 80
) -> contextlib.AbstractContextManager[tuple[subprocess.Popen[bytes], int]]:
    """`kakehashi ARGUMENTS` in a session of its own."""
    return session([sys.executable, "-m", "kakehashi", *arguments], within=within, environ=environ, columns=columns)


@contextlib.contextmanager
def session(
    command: Sequence[str], *, within: Path, environ: Mapping[str, str], columns: int = 80
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A command in a session whose terminal is so wide, and our end of that terminal. Killed at the end."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    kept = {name: value for name, value in environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command],
        cwd=within,
        env=kept | {"TERM": "xterm-256color"},
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def lines_of(screen: int) -> Iterator[str]:
    """What appears on a terminal, without styles, until its program ends."""
    for read in _reads(screen):
        yield plain(read.decode(errors="replace"))


def plain(text: str) -> str:
    """Without styles and carriage returns."""
    return _STYLES.sub("", text).replace("\r\n", "\n")


def on_a_terminal(*arguments: str, within: Path, environ: Mapping[str, str], columns: int = 80) -> tuple[int, str]:
    """Exit code and all output of `kakehashi ARGUMENTS`, without styles."""
    with started(*arguments, within=within, environ=environ, columns=columns) as (process, screen):
        seen = b"".join(_reads(screen))
        return process.wait(60), plain(seen.decode())


def _reads(screen: int) -> Iterator[bytes]:
    with contextlib.suppress(OSError):  # EIO: its side of the terminal is closed
        while read := os.read(screen, 1 << 16):
            yield read
