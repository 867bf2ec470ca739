"""Receivers that take everything and do nothing with it: the cost of an output without that of its receiver.

They answer as a webhook, a Splunk collector and KV store, and an index of Elasticsearch do.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_ANSWERS: Final = {  # by the end of the path
    "/_bulk": (200, json.dumps({"errors": False}).encode()),
    "/_mapping": (404, b"{}"),
    "/services/collector/event": (200, b'{"text":"Success","code":0}'),
    "/hook": (204, b""),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def _take(self) -> None:
        left = int(self.headers.get("content-length") or 0)
        while left > 0:
            left -= len(self.rfile.read(min(left, 1 << 20)))
        status, body = next((each for end, each in _ANSWERS.items() if self.path.endswith(end)), (200, b"{}"))
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _take


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = socket.SOMAXCONN


@contextmanager
def sink() -> Iterator[str]:
    """The URL of one until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
