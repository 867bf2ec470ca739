"""One process of the exchange under test: started, killed, paused, and started again by whoever supervises it."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from bench.role import resident_bytes
from tests.polling import eventually

STOP_S: Final = 20.0


class Role:
    """``kakehashi <arguments>`` with a log of its own. ``name`` is unique in a test."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        folder: Path,
        launcher: Sequence[str] = (),
    ) -> None:
        """``launcher`` stands before the command, and becomes it."""
        self.name = name
        self.log = folder / f"{name}.log"
        self.starts = 0
        self.file_limit = resource.RLIM_INFINITY
        self._command = [*launcher, sys.executable, "-m", "kakehashi", *arguments]
        self._arguments, self._environ = arguments, environ
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False

    def behind(self, launcher: Sequence[str], name: str, folder: Path) -> "Role":
        """One like this one, with another name and launcher."""
        return Role(name, self._arguments, self._environ, folder, launcher)

    def start(self) -> None:
        """Start it; what it states goes to the end of its log."""
        self.starts += 1
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self._environ),
                start_new_session=True,
            )
        if self.file_limit != resource.RLIM_INFINITY:
            self.limit()

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs. Negative: by that signal."""
        return None if self._process is None else self._process.poll()

    @property
    def resident_bytes(self) -> int | None:
        """How much memory it holds; None if it does not run."""
        if self._process is None or self._process.poll() is not None:
            return None
        with suppress(FileNotFoundError, ProcessLookupError):  # it ends just now
            return resident_bytes(self._process.pid)
        return None

    @property
    def runs(self) -> bool:
        """Whether it runs, paused or not."""
        return self._process is not None and self._process.poll() is None

    def limit(self) -> None:
        """Let its files grow up to ``file_limit`` bytes, as if the disk were full, or as they like."""
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):  # it ends just now
                resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (self.file_limit, resource.RLIM_INFINITY))

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)
            self._paused = False

    def pause(self) -> None:
        """Stop it where it stands; it does not know that time continues."""
        self._signal(signal.SIGSTOP)
        self._paused = True

    def wake(self) -> None:
        """Let a paused one continue."""
        if self._paused:
            self._signal(signal.SIGCONT)
            self._paused = False

    def stop(self) -> int:
        """End it in good order; its exit code. By force if it does not end in time."""
        self.wake()
        if self._process is None:
            return 0
        self._signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait(STOP_S)

    @property
    def logged_bytes(self) -> int:
        """How long its log is by now."""
        return self.log.stat().st_size if self.log.exists() else 0

    def has_logged(self, words: str, since: int = 0) -> bool:
        """Whether its log has these words, from byte ``since`` on."""
        return self.log.exists() and words.encode() in self.log.read_bytes()[since:]

    def await_logged(self, words: str, within_s: float, since: int = 0) -> float:
        """Wait until it reports it; how many seconds that took. Fails where it ends instead."""
        began = time.monotonic()

        def announced() -> bool:
            if not self.runs:
                raise AssertionError(f"{self.name} ended with {self.exit_code}:\n{self.tail()}")
            return self.has_logged(words, since)

        eventually(announced, within_s, f"{self.name} says {words!r}\n{self.tail()}")
        return time.monotonic() - began

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, number)
