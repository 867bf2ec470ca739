"""How a long-running role logs: a line an event as text or JSON, nothing that a terminal obeys, repetition summed up.

A Kafka client without a broker reports the same error up to a hundred times a second: the first line is written at
once, and after ``SUM_UP_S`` one line with the number of the others.
"""

import json
import logging
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

SUM_UP_S: Final = 30.0
FOREIGN: Final = ("aiokafka", "faust", "mode")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_FACT: Final = re.compile(r"([a-z_]+)=(\S+)")


def visible(text: str) -> str:
    """The text with each character that a terminal or a log viewer obeys as its escape: one event is one line."""
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


class TextLines(logging.Formatter):
    """Lines of time, level, event and its facts. A traceback has lines of its own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # the library's name
        """The line, without control characters."""
        return visible(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # the library's name
        """A traceback, without control characters."""
        return "\n".join(visible(line) for line in super().formatException(ei).splitlines())  # type: ignore[arg-type]


class JsonLines(logging.Formatter):
    """One JSON object a line: ``time`` (RFC 3339), ``level``, ``logger``, ``message``, and the facts of an event by
    their names under ``facts``; ``error`` is a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        message = record.getMessage()
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        facts = dict(_FACT.findall(message))
        if facts:
            line["facts"] = facts
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


@dataclass
class Repetition:
    """Which lines are written and which only counted. ``at_s`` is the time of a line, on any clock that only grows."""

    _since: dict[tuple[str, int, str], float] = field(default_factory=dict)
    _more: dict[tuple[str, int, str], int] = field(default_factory=dict)

    def is_first(self, key: tuple[str, int, str], at_s: float) -> bool:
        """Whether to write this line; otherwise it is counted."""
        if key in self._since:
            self._more[key] = self._more.get(key, 0) + 1
            return False
        self._since[key] = at_s
        return True

    def due(self, at_s: float) -> list[tuple[tuple[str, int, str], int, float]]:
        """Each line whose time is over, how often it was repeated, and in how many seconds.

        One that was repeated stays counted; one that was not is written again the next time.
        """
        found = []
        for key, since in list(self._since.items()):
            if at_s - since < SUM_UP_S:
                continue
            more = self._more.pop(key, 0)
            if more:
                found.append((key, more, min(at_s - since, SUM_UP_S)))
                self._since[key] = at_s
            else:
                del self._since[key]
        return found


class SummingHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic for type checkers only
    """Writes to standard error. Warnings that are repeated are counted, and written as one line at intervals.

    Lines of our own are the same if their text is; those of a library if their template is, whatever node or error they
    name.
    """

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self._repetition, self._guard = Repetition(), threading.Lock()
        self._shown = dict[tuple[str, int, str], str]()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, or count it."""
        if record.levelno >= logging.WARNING and not record.exc_info:
            is_foreign = record.name.startswith(FOREIGN)
            key = record.name, record.levelno, str(record.msg) if is_foreign else record.getMessage()
            with self._guard:
                if not self._repetition.is_first(key, record.created):
                    return
                if is_foreign:
                    self._shown[key] = record.getMessage()  # templates are few
        super().emit(record)

    def sum_up(self, at_s: float) -> None:
        """Write the counted lines whose time is over."""
        with self._guard:
            due = self._repetition.due(at_s)
        for (name, level, text), more, seconds in due:
            first = self._shown.get((name, level, text), text)
            words = f"log.repeated times={more} in_s={seconds:.0f}: {first}"
            super().emit(logging.LogRecord(name, level, "", 0, words, None, None))

    def close(self) -> None:
        """Write all counted lines, at the end of the process."""
        self.sum_up(float("inf"))
        super().close()


def start(level: str, log_format: str) -> None:
    """Log to standard error from now on; ``log_format`` is ``text`` or ``json``."""
    handler = SummingHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for noisy in FOREIGN:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    threading.Thread(target=_sum_up, args=(handler,), name="log-repetition", daemon=True).start()


def _sum_up(handler: SummingHandler) -> None:
    never = threading.Event()
    while not never.wait(SUM_UP_S / 6):
        handler.sum_up(time.time())
