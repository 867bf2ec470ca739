"""A distance on one machine: a TCP relay that holds all bytes for half a round trip each way, and loses none.

The kernel's ``netem`` is not everywhere. Unlike a real link it has no limit of bandwidth, and no window of its own:
what is measured behind it is how much a protocol waits, not what a line carries.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Final

_CHUNK: Final = 256 << 10
_HELD_BYTES: Final = 64 << 20  # per direction: more than a quarter of a second of anything measured here


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, delay_s: float) -> None:
    """Bytes in order, each as long under way; the end of the stream, too."""
    loop, room = asyncio.get_running_loop(), asyncio.Semaphore(_HELD_BYTES // _CHUNK)
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, chunk = await under_way.get()
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            if not chunk:
                return
            target.write(chunk)
            await target.drain()
            room.release()

    delivering = asyncio.create_task(deliver())
    try:
        while chunk := await source.read(_CHUNK):
            await room.acquire()
            under_way.put_nowait((loop.time() + delay_s, chunk))
        under_way.put_nowait((loop.time() + delay_s, b""))
        await delivering
        target.write_eof()  # the other direction may go on
    except OSError:
        target.close()  # either side has gone: so has the connection
    finally:
        delivering.cancel()


async def _relay(port: int, target_port: int, delay_s: float, ready: threading.Event, over: asyncio.Event) -> None:
    async def connected(near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        try:
            far_in, far_out = await asyncio.open_connection("127.0.0.1", target_port)
        except OSError:
            near_out.close()
            return
        try:
            await asyncio.gather(_carry(near_in, far_out, delay_s), _carry(far_in, near_out, delay_s))
        finally:
            near_out.close()
            far_out.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    ready.set()
    await over.wait()
    server.close()


@contextlib.contextmanager
def distance(port: int, target_port: int, round_trip_s: float) -> Iterator[None]:
    """Until the block ends, ``port`` on the loopback leads to ``target_port``, so far away."""
    ready = threading.Event()
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        over = asyncio.Event()
        stop.append((asyncio.get_running_loop(), over))
        await _relay(port, target_port, round_trip_s / 2, ready, over)

    thread = threading.Thread(target=asyncio.run, args=(main(),), daemon=True)
    thread.start()
    if not ready.wait(10):
        raise OSError(f"nothing listens on 127.0.0.1:{port}")
    try:
        yield
    finally:
        loop, over = stop[0]
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
