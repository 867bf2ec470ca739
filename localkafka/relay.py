"""A link on one machine that can be long, narrow or broken: a TCP relay in front of a broker's second address.

The kernel's ``netem`` is not available everywhere. Unlike a real link the relay has no window of its own: it shows how
long a protocol waits, not the capacity of a line. Without instructions it loses nothing.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Final, Self, TypeVar

from localkafka.requests import Kind, Requests

_CHUNK: Final = 256 << 10
_NARROW_CHUNK: Final = 8 << 10
_HELD_BYTES: Final = 64 << 20  # per direction: more than a quarter of a second of anything measured here
_CALL_S: Final = 10.0
_LOOPBACK: Final = "127.0.0.1"
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset instead of an end of stream

_Result = TypeVar("_Result")


class Way(Enum):
    """A direction: OUT is from the client that connected."""

    OUT = "out"
    BACK = "back"


class _End(Enum):
    """How one direction of a connection ends."""

    OF_STREAM = 0
    RESET = 1


@dataclass(eq=False, slots=True)
class _Connection:
    """Both sockets of one. ``is_doomed``: the awaited request has passed, its response will not."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    requests: Requests = field(default_factory=Requests)
    is_doomed: bool = False

    def reset(self) -> None:
        for writer in (self.near, self.far):
            found = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


@dataclass(frozen=True, slots=True)
class _Trap:
    """Cut when a request of this kind passes: on its way out, or its response on the way back."""

    kind: Kind
    is_answer: bool
    sprung: threading.Event


class Relay:
    """``port`` on the loopback leads to ``target_port``. Works in a thread of its own, from ``start`` to ``close``.

    Its methods may be called from any thread. ``restore`` ends all faults.
    """

    def __init__(self, port: int, target_port: int, round_trip_s: float = 0.0) -> None:
        self.port = port
        self._target, self._delay_s = target_port, round_trip_s / 2
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"relay-{port}", daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: dict[_Connection, asyncio.Task[None]] = {}
        self._flows = {way: asyncio.Event() for way in Way}
        self._bytes_per_s = 0.0
        self._free_at = dict.fromkeys(Way, 0.0)
        self._trap: _Trap | None = None

    # -- faults -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin. Raises OSError if the port is taken."""
        self._thread.start()
        self.restore()

    def restore(self) -> None:
        """Carry everything again: held bytes continue, and new connections are accepted."""
        self._do(self._restore())

    def cut(self) -> None:
        """Reset every connection, and refuse new ones."""
        self._do(self._cut())

    def cut_at(self, kind: Kind, *, answer: bool) -> threading.Event:
        """Cut when the next request of this kind passes; the event is set then.

        The request does not arrive; with ``answer`` it arrives, but the broker's response does not.
        """
        trap = _Trap(kind, answer, threading.Event())
        self._do(self._arm(trap))
        return trap.sprung

    def hold(self, *ways: Way) -> None:
        """Carry nothing on these ways any more, silently: connections stay open, new ones are accepted."""
        self._do(self._hold(ways))

    def throttle(self, bytes_per_s: float) -> None:
        """Carry no more than this, each way, over all connections."""
        self._do(self._throttle(bytes_per_s))

    def close(self) -> None:
        """Cut everything, and end."""
        if not self._thread.is_alive():
            return
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_S)
        self._loop.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- in its own thread --------------------------------------------------------------------------------------

    def _do(self, what: Coroutine[None, None, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(_CALL_S)

    async def _restore(self) -> None:
        self._trap, self._bytes_per_s = None, 0.0
        self._free_at = dict.fromkeys(Way, 0.0)
        for flow in self._flows.values():
            flow.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, _LOOPBACK, self.port)

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in self._connections:
            connection.reset()

    async def _arm(self, trap: _Trap) -> None:
        self._trap = trap

    async def _hold(self, ways: tuple[Way, ...]) -> None:
        for way in ways:
            self._flows[way].clear()

    async def _throttle(self, bytes_per_s: float) -> None:
        self._bytes_per_s = bytes_per_s

    async def _close(self) -> None:
        await self._restore()  # a task that waits on a held way must see that its connection is closed
        await self._cut()
        if self._connections:
            await asyncio.wait(self._connections.values(), timeout=_CALL_S / 2)

    async def _connected(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        try:
            far_in, far_out = await asyncio.open_connection(_LOOPBACK, self._target)
        except OSError:
            near_out.close()
            return
        connection = _Connection(near_out, far_out)
        task = asyncio.current_task()
        if task is None or self._server is None:  # it was cut while this connection opened
            connection.reset()
            return
        self._connections[connection] = task
        try:
            async with asyncio.TaskGroup() as ways:
                for source, target, way in ((near_in, far_out, Way.OUT), (far_in, near_out, Way.BACK)):
                    under_way: asyncio.Queue[tuple[float, bytes | _End]] = asyncio.Queue()
                    room = asyncio.Semaphore(_HELD_BYTES // _CHUNK)
                    ways.create_task(self._take(source, under_way, room))
                    ways.create_task(self._deliver(connection, target, way, under_way, room))
        except* OSError:  # either side has gone: so has the connection
            connection.reset()
        finally:
            del self._connections[connection]
            for writer in (near_out, far_out):
                writer.close()

    async def _take(
        self,
        source: asyncio.StreamReader,
        under_way: "asyncio.Queue[tuple[float, bytes | _End]]",
        room: asyncio.Semaphore,
    ) -> None:
        """Take bytes in order, each with the same delay; the end, too, which does not pass a held way."""
        last: bytes | _End = _End.OF_STREAM
        try:
            while chunk := await source.read(_CHUNK):
                await room.acquire()
                under_way.put_nowait((self._loop.time() + self._delay_s, chunk))
        except OSError:
            last = _End.RESET
        under_way.put_nowait((self._loop.time() + self._delay_s, last))

    async def _deliver(
        self,
        connection: _Connection,
        target: asyncio.StreamWriter,
        way: Way,
        under_way: "asyncio.Queue[tuple[float, bytes | _End]]",
        room: asyncio.Semaphore,
    ) -> None:
        while True:
            due, chunk = await under_way.get()
            if (wait := due - self._loop.time()) > 0:
                await asyncio.sleep(wait)
            await self._flows[way].wait()
            if chunk is _End.OF_STREAM:
                target.write_eof()  # the other direction may continue
                return
            if chunk is _End.RESET:
                connection.reset()
                return
            if not isinstance(chunk, bytes):
                raise AssertionError(f"{chunk} cannot be delivered")
            await self._pass(connection, target, way, chunk)
            room.release()

    async def _pass(self, connection: _Connection, target: asyncio.StreamWriter, way: Way, chunk: bytes) -> None:
        if way is Way.BACK and connection.is_doomed:
            await self._spring()
            return
        if way is Way.OUT:
            places = [begin for begin, kind in connection.requests.starts(chunk) if self._is_trapped(kind)]
            if places and self._trap is not None:
                if not self._trap.is_answer:
                    await self._send(target, way, chunk[: places[0]])
                    await self._spring()
                    return
                connection.is_doomed = True
        await self._send(target, way, chunk)

    def _is_trapped(self, kind: int) -> bool:
        return self._trap is not None and self._trap.kind == kind

    async def _spring(self) -> None:
        trap, self._trap = self._trap, None
        await self._cut()
        if trap is not None:
            trap.sprung.set()

    async def _send(self, target: asyncio.StreamWriter, way: Way, chunk: bytes) -> None:
        size = _NARROW_CHUNK if self._bytes_per_s else _CHUNK
        for begin in range(0, len(chunk), size):
            piece = chunk[begin : begin + size]
            if self._bytes_per_s:
                self._free_at[way] = max(self._free_at[way], self._loop.time()) + len(piece) / self._bytes_per_s
                await asyncio.sleep(self._free_at[way] - self._loop.time())
            target.write(piece)
            await target.drain()
