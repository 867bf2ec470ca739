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
from collections.abc import Mapping
from pathlib import Path

_STYLES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_a_terminal(
    *arguments: str, within: Path, environ: Mapping[str, str], columns: int = 80, styled: bool = False
) -> tuple[int, str]:
    """Exit code and all output of `kakehashi ARGUMENTS`, on a terminal so wide; without styles if not ``styled``."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    kept = {name: value for name, value in environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-m", "kakehashi", *arguments],
        cwd=within,
        env=kept | {"TERM": "xterm-256color"},
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    seen = bytearray()
    with contextlib.suppress(OSError):  # EIO: its side of the terminal is closed
        while read := os.read(ours, 1 << 16):
            seen += read
    os.close(ours)
    exit_code = process.wait(60)
    text = seen.decode().replace("\r\n", "\n")
    return exit_code, text if styled else _STYLES.sub("", text)
