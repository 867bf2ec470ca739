"""Ends the processes that we started when we die, even by ``kill -9``.

A small shell process holds the reading end of a pipe from us, and acts when the pipe closes. (The kernel's
parent-death signal would be simpler, but it fires when the *thread* that started the child ends.) A parent
that forks without exec passes the pipe on, and the guard then waits for the last holder.
"""

import subprocess
from collections.abc import Sequence


class Guard:
    """Runs ``last_words`` if this process ends before the guard is dismissed."""

    def __init__(self, last_words: Sequence[str]) -> None:
        self._shell = subprocess.Popen(
            ["sh", "-c", 'read -r _; "$@"', "sh", *last_words],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # the terminal's Ctrl-C must not end it first
        )

    def dismiss(self) -> None:
        """End the guard without acting. Before the pipe closes: by then the process id may be another's."""
        self._shell.kill()
        self._shell.wait()
        if self._shell.stdin is not None:
            self._shell.stdin.close()
