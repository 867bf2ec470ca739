"""Suricata's command socket for tests, after its source: ``python -m … SOCKET RULES`` runs one in its own process.

After Suricata 8.0's ``src/unix-manager.c`` (protocol), ``src/runmode-unix-socket.c`` (answers), ``src/datasets.c``
(sets that only rules declare are hidden while the rules are loaded again) and ``src/util-thash.c`` (memcap, use).
"""

import base64
import ipaddress
import itertools
import json
import re
import selectors
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_MOST_BYTES: Final = 4_095
_DATASET: Final = re.compile(r"dataset:isset,([^,]+),type ([^,]+),load ([^,]+),")
_LOOKS_S: Final = 0.02
_TIMES: Final = itertools.count(1)  # no two loads of a machine have the same


class SuricataSocket:
    """What a Suricata with these rules answers. ``fault`` is what it does with the next commands; ``before`` is called
    before each of them.

    Faults: ``hang`` (no answer), ``half`` (a half answer, then the end), ``reset`` (the end), ``text`` (no JSON),
    ``bare`` (answers without a newline), ``late`` (the newline comes with the next answer), ``busy`` (no entry can be
    removed), ``refuse`` (no version is taken). A load takes ``load_s``, and does not end if that is None.
    """

    def __init__(self, path: Path, rules: Path) -> None:
        self._path, self._rules = path, rules
        self.sets: dict[str, tuple[str, set[object]]] = {}
        self.commands: list[str] = []
        self.fault, self.loads, self._loaded, self.memcap = "", 0, 0, 1 << 30
        self.load_s: float | None = 0.0  # how long a load takes; None: for ever
        self._loading: threading.Thread | None = None
        self._stopping = threading.Event()
        self.before: Callable[[str, dict[str, str]], None] = lambda *_: None
        self._waits, self._pending = selectors.DefaultSelector(), b""
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._load()

    def start(self) -> "SuricataSocket":
        """Answer, in a thread, one command after the other. The socket comes when the rules are loaded."""
        self._path.unlink(missing_ok=True)
        self._server.bind(str(self._path))
        self._server.listen(1)
        self._waits.register(self._server, selectors.EVENT_READ)
        self._thread.start()
        return self

    def stop(self) -> None:
        """As if it had ended: its sets are gone."""
        self._stopping.set()
        self._thread.join(10)
        for each in list(self._waits.get_map().values()):
            each.fileobj.close()  # type: ignore[union-attr]
        self._waits.close()
        self._path.unlink(missing_ok=True)

    def has(self, name: str, value: str) -> bool:
        """Whether a value is in a set."""
        type, values = self.sets.get(name, ("", set()))
        return bool(type) and _decoded(type, value) in values

    def _serve(self) -> None:
        while not self._stopping.is_set():
            for key, _ in self._waits.select(_LOOKS_S):
                if key.fileobj is self._server:
                    self._accept()
                else:
                    self._run(key.fileobj)  # type: ignore[arg-type]

    def _accept(self) -> None:
        client, _ = self._server.accept()
        message = json.loads(client.recv(201))
        if message.get("version") not in ("0.1", "0.2") or self.fault == "refuse":
            client.close()
            return
        self._send(client, {"return": "OK"})
        self._waits.register(client, selectors.EVENT_READ)

    def _run(self, client: socket.socket) -> None:
        received = client.recv(_MOST_BYTES)
        if not received or len(received) >= _MOST_BYTES or not received.endswith(b"\n"):
            self._close(client)
            return
        try:
            command = json.loads(received)
            name = command["command"]
            assert isinstance(name, str)
        except (ValueError, KeyError, AssertionError):
            self._close(client)
            return
        if self.fault in ("hang", "half", "reset", "text"):
            if self.fault == "half":
                client.sendall(b'{"return":"O')
            if self.fault == "text":
                client.sendall(b"OK\n")
            if self.fault in ("half", "reset"):
                self._close(client)
            return
        self.commands.append(name)
        self.before(name, command.get("arguments", {}))
        answer: dict[str, Any] = {}
        is_ok = self._answers(name, command.get("arguments"), answer)
        self._send(client, answer | {"return": "OK" if is_ok else "NOK"})

    def _send(self, client: socket.socket, answer: dict[str, Any]) -> None:
        text = json.dumps(answer, separators=(",", ":")).encode()
        before, self._pending = self._pending, b""
        if self.fault == "late":
            self._pending = b"\n"
        elif self.fault != "bare":
            text += b"\n"
        client.sendall(before + text)

    def _close(self, client: socket.socket) -> None:
        self._waits.unregister(client)
        client.close()

    def _answers(self, command: str, arguments: Any, answer: dict[str, Any]) -> bool:
        on_sets: dict[str, Callable[[set[object], object, dict[str, Any]], bool]] = {
            "dataset-add": self._add,
            "dataset-remove": self._remove,
            "dataset-lookup": self._lookup,
        }
        if command == "ruleset-reload-time":
            answer["message"] = [{"id": 0, "last_reload": f"2026-11-30T12:00:00.{self._loaded:06}+0000"}]
            return True
        if command == "ruleset-reload-nonblocking":
            return self._reload(answer)
        if command not in on_sets:
            answer["message"] = "Unknown command"
            return False
        return self._on_set(on_sets[command], arguments, answer)

    def _on_set(
        self, work: Callable[[set[object], object, dict[str, Any]], bool], arguments: Any, answer: dict[str, Any]
    ) -> bool:
        for name in ("setname", "settype", "datavalue"):
            if not isinstance(arguments.get(name), str):
                answer["message"] = f"{name} is not a string"
                return False
        if arguments["settype"] not in ("md5", "sha256", "string", "ipv4", "ip"):
            answer["message"] = "unknown settype"
            return False
        type, values = self.sets.get(arguments["setname"], ("", set()))
        if type != arguments["settype"]:
            answer["message"] = "set not found or wrong type"
            return False
        return work(values, _decoded(type, arguments["datavalue"]), answer)

    def _add(self, values: set[object], value: object, answer: dict[str, Any]) -> bool:
        if value is None or (value not in values and len(values) >= self.memcap):
            answer["message"] = "failed to add data"
            return False
        answer["message"] = "data already in set" if value in values else "data added"
        values.add(value)
        return True

    def _remove(self, values: set[object], value: object, answer: dict[str, Any]) -> bool:
        if value is None or value not in values:
            answer["message"] = "failed to remove data"
            return False
        if self.fault == "busy":
            answer["message"] = "data is busy, try again"
            return True
        values.discard(value)
        answer["message"] = "data removed"
        return True

    def _lookup(self, values: set[object], value: object, answer: dict[str, Any]) -> bool:
        answer["message"] = "item found in set" if value in values else "item not found in set"
        return value in values

    def _reload(self, answer: dict[str, Any]) -> bool:
        if self._loading is not None and self._loading.is_alive():
            answer["message"] = "Reload already in progress"
            return False
        self.sets = {}

        def load() -> None:
            wait_s = self.load_s
            if not self._stopping.wait(wait_s):
                self._load()

        self._loading = threading.Thread(target=load, daemon=True)
        self._loading.start()
        answer["message"] = "done"
        return True

    def _load(self) -> None:
        found = {}
        text = self._rules.read_text("utf-8") if self._rules.exists() else ""
        for name, type, file in _DATASET.findall(text):
            lines = (self._rules.parent / file).read_text("utf-8").splitlines()
            found[name] = (type, {_decoded(type, line) for line in lines})
            assert None not in found[name][1], f"{file} has a line that is not of the type {type}"
        self.sets = found
        self.loads, self._loaded = self.loads + 1, next(_TIMES)


def _decoded(type: str, text: str) -> object:
    """The value, None if it is not of the type."""
    try:
        if type == "string":
            return base64.b64decode(text, validate=True) or None
        if type == "ipv4":
            return ipaddress.IPv4Address(text)
        if type == "ip":
            return ipaddress.ip_address(text)
        return bytes.fromhex(text) if len(text) == {"md5": 32, "sha256": 64}[type] else None
    except ValueError:
        return None


def main() -> None:
    """Load the rules; with the first line on standard input listen; until it is killed."""
    server = SuricataSocket(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.write("loaded\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        server.start()
        sys.stdout.write("listens\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
