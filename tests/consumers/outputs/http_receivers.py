"""HTTP receivers for tests, on real sockets: a webhook, Splunk's two, an index; they misbehave on request."""

import json
import socket
import ssl
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Final
from urllib.parse import unquote

from tests.link.certificates import Issued

Reply = tuple[int, bytes]
_NUMBERS: Final = count(1)


class Received:
    """What one receiver got. ``answers`` are what it does with the next requests, before it behaves again: a status,
    ``reset``, ``hang``, ``drip``, or ``lost``: it takes the request, and resets the connection instead of answering."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: deque[int | str] = deque()
        self.held: dict[str, dict[str, Any]] = {}
        self.refuses: Callable[[dict[str, Any]], bool] = lambda _: False
        self.meta: dict[str, Any] | None = None
        self.let_go = threading.Event()

    def take(self, kind: str, method: str, path: str, body: bytes) -> Reply:
        """As the real one does."""
        if kind == "webhook":
            return self._webhook(body)
        if kind == "splunk":
            return self._splunk(path, body)
        if kind == "kvstore":
            return self._collection(method, path, body)
        return self._index(method, path, body)

    def _collection(self, method: str, path: str, body: bytes) -> Reply:
        """The calls of a KV store's collection that the output makes, by Splunk's REST reference."""
        place, _, query = path.partition("?query=")
        if method == "GET":
            return (404, b"") if self.meta is None else (200, json.dumps(self.meta).encode())
        if method == "DELETE":
            asked = json.loads(unquote(query))
            wanted = asked.get("$or", [asked])
            self.held = {
                key: each
                for key, each in self.held.items()
                if not any(condition.items() <= each.items() for condition in wanted)
            }
            return 200, b""
        assert place.endswith("/batch_save")
        records = json.loads(body)
        if any(self.refuses(each) for each in records):
            return 400, b"no"
        for each in records:
            if "ledger" in each:
                self.meta = each
            else:
                self.held[each["_key"]] = each
        return 200, json.dumps([each["_key"] for each in records]).encode()

    def _webhook(self, body: bytes) -> Reply:
        events = json.loads(body)["events"]
        if any(self.refuses(each) for each in events):
            return 422, b"no"
        for each in events:
            self._apply(each)
        return 204, b""

    def _splunk(self, path: str, body: bytes) -> Reply:
        if path.endswith("/ack"):
            return 200, json.dumps({"acks": {str(each): True for each in json.loads(body)["acks"]}}).encode()
        for line in body.decode().split("\n"):
            self._apply(json.loads(line)["event"])
        return 200, b'{"text":"Success","code":0,"ackId":7}'

    def _apply(self, event: dict[str, Any]) -> None:
        if event["action"] == "put":
            self.held[f"{event['indicator']['origin']}/{event['indicator']['id']}"] = event["indicator"]
        else:
            self.held.pop(f"{event['origin']}/{event['id']}", None)

    def _index(self, method: str, path: str, body: bytes) -> Reply:
        """The calls of an index that the output makes, by the reference of Elasticsearch and OpenSearch."""
        if path.endswith("/_mapping") and method == "GET":
            found = {"index": {"mappings": {"_meta": self.meta}}}
            return (404, b"{}") if self.meta is None else (200, json.dumps(found).encode())
        if path.endswith("/_bulk"):
            return self._bulk(body)
        if "/_delete_by_query" in path:
            self.held.clear()
        elif method == "PUT":
            content = json.loads(body)
            self.meta = content.get("mappings", content)["_meta"]
        return 200, b"{}"

    def _bulk(self, body: bytes) -> Reply:
        lines, items = iter(body.decode().splitlines()), list[dict[str, Any]]()
        for line in lines:
            [(action, head)] = json.loads(line).items()
            if action == "delete":
                status = 200 if self.held.pop(head["_id"], None) is not None else 404
            else:
                document = json.loads(next(lines))
                status = 400 if self.refuses(document) else 201
                if status == 201:
                    self.held[head["_id"]] = document
            items.append({action: {"_id": head["_id"], "status": status}})
        errors = any(each["status"] >= 300 for item in items for each in item.values())
        return 200, json.dumps({"errors": errors, "items": items}).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    received: dict[str, Received]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was cut is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def _handle(self) -> None:
        parts = self.path.split("/")
        name = parts[3] if parts[1] == "servicesNS" else parts[1]  # of Splunk's app
        received = self.server.received[name]
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        received.requests.append((self.command, self.path, dict(self.headers.items()), body))
        what = received.answers.popleft() if received.answers else "ok"
        if what == "hang":
            received.let_go.wait(30)
            return
        if what == "reset":
            self._reset()
            return
        if what == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not received.let_go.wait(0.05):
                self.wfile.write(b"x")
            return
        status, content = (
            received.take(name.partition("-")[0], self.command, self.path, body)
            if what in ("ok", "lost")
            else (what, b"no")
        )
        if what == "lost":
            self._reset()
            return
        self.send_response(int(status))
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _handle

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.connection.close()


@contextmanager
def http_server(issued: Issued | None = None) -> Iterator[tuple[str, dict[str, Received]]]:
    """A server on this machine, over TLS with a certificate; its URL, and what it receives by the first part of the
    path: ``webhook-1``, ``splunk-2`` or ``index-3``."""
    server = _started(issued)
    try:
        yield _url(server, issued), server.received
    finally:
        for each in server.received.values():
            each.let_go.set()
        server.shutdown()
        server.server_close()


@cache
def _lasting() -> _Server:
    return _started(None)


def fresh(kind: str) -> tuple[str, Received]:
    """The URL of a receiver that nothing was sent to, on a server that stays until the tests end."""
    server, name = _lasting(), f"{kind}-{next(_NUMBERS)}"
    return f"{_url(server, None)}/{name}", server.received[name]


def _started(issued: Issued | None) -> _Server:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.received = defaultdict(Received)
    if issued is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.certificate, issued.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


def _url(server: _Server, issued: Issued | None) -> str:
    return f"http{'' if issued is None else 's'}://localhost:{server.server_address[1]}"
