"""Redis as far as a queue needs it: its plain protocol over a socket (https://redis.io/docs/latest/develop/reference/
protocol-spec/), so that the project depends on no client of a rival's broker."""

import socket
import time
from types import TracebackType
from typing import Self

from exchange.errors import BrokerUnavailable


class RedisLists:
    """One connection to a server on this machine, database 2, where IntelMQ keeps its queues."""

    def __init__(self, port: int, within_s: float = 10.0) -> None:
        """Raises BrokerUnavailable if no one answers in time."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
            except OSError as error:
                if time.monotonic() > deadline:
                    raise BrokerUnavailable(f"no Redis at 127.0.0.1:{port}: {error}") from error
                time.sleep(0.05)
            else:
                break
        self._answers = self._socket.makefile("rb")
        self._ask(b"SELECT", b"2")

    def push(self, queue: str, message: bytes) -> None:
        """Put a message at the end of a queue."""
        self._ask(b"LPUSH", queue.encode(), message)

    def waiting(self, queue: str) -> int:
        """How many messages a queue has."""
        return int(self._ask(b"LLEN", queue.encode())[1:])

    def _ask(self, *words: bytes) -> bytes:
        parts = [b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)]
        self._socket.sendall(b"".join(parts))
        answer = self._answers.readline().rstrip()
        if answer[:1] not in (b"+", b":"):
            raise BrokerUnavailable(f"Redis answers {answer!r} to {words[0].decode()}")
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._answers.close()
        self._socket.close()
