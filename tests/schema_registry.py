"""A schema registry with Confluent's REST interface, in memory: ``python -m tests.schema_registry --first-id 1``.

As much of it as an exchange asks for (Confluent Schema Registry API reference: Subjects, Schemas, Config). It prints
its port. It gives ids in the order in which schemas come, as the real one does: two of them give other ids for the
same schema wherever they are filled in another order.
"""

import argparse
import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from fastavro.schema import SchemaParseException, parse_schema, to_parsing_canonical_form

_MEDIA_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_SUBJECT_UNKNOWN, _SCHEMA_UNKNOWN, _INVALID = 40401, 40403, 42201


class Schemas:
    """What is registered."""

    def __init__(self, first_id: int) -> None:
        self._next = first_id
        self.by_id: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self.subjects: dict[str, list[int]] = {}

    def register(self, subject: str, text: str) -> int:
        """The id; the same for the same schema, under whatever subject. Raises SchemaParseException."""
        form = to_parsing_canonical_form(parse_schema(json.loads(text)))
        if form not in self._ids:
            self._ids[form], self.by_id[self._next] = self._next, text
            self._next += 1
        versions = self.subjects.setdefault(subject, [])
        if self._ids[form] not in versions:
            versions.append(self._ids[form])
        return self._ids[form]

    def lookup(self, subject: str, text: str) -> int | None:
        """The id, None if it is not registered under the subject."""
        form = to_parsing_canonical_form(parse_schema(json.loads(text)))
        number = self._ids.get(form)
        return number if number in self.subjects[subject] else None


def handler(schemas: Schemas, user_info: str) -> type[BaseHTTPRequestHandler]:
    """The handler of one registry."""
    expected = f"Basic {base64.b64encode(user_info.encode()).decode()}" if user_info else None

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer is one packet

        def do_POST(self) -> None:
            body = self._body()
            match self.path.split("/")[1:]:
                case ["subjects", subject, "versions"]:
                    try:
                        self._answer(200, {"id": schemas.register(subject, body["schema"])})
                    except SchemaParseException as error:
                        self._answer(422, {"error_code": _INVALID, "message": str(error)})
                case ["subjects", subject]:
                    self._looked_up(subject, body["schema"])
                case _:
                    self._answer(404, {"error_code": 404, "message": "HTTP 404 Not Found"})

        def _looked_up(self, subject: str, text: str) -> None:
            if subject not in schemas.subjects:
                self._answer(404, {"error_code": _SUBJECT_UNKNOWN, "message": f"Subject '{subject}' not found."})
                return
            number = schemas.lookup(subject, text)
            if number is None:
                self._answer(404, {"error_code": _SCHEMA_UNKNOWN, "message": "Schema not found"})
            else:
                version = schemas.subjects[subject].index(number) + 1
                self._answer(200, {"subject": subject, "id": number, "version": version, "schema": text})

        def do_PUT(self) -> None:
            self._answer(200, self._body())

        def do_GET(self) -> None:
            number = self.path.rpartition("/")[2]
            if self.path == "/subjects":
                self._answer(200, sorted(schemas.subjects))
            elif number.isdigit() and int(number) in schemas.by_id:
                self._answer(200, {"schema": schemas.by_id[int(number)]})
            else:
                self._answer(404, {"error_code": _SCHEMA_UNKNOWN, "message": "Schema not found"})

        def _body(self) -> Any:
            return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, status: int, body: object) -> None:
            if expected is not None and self.headers.get("Authorization") != expected:
                status, body = 401, {"error_code": 401, "message": "Unauthorized"}
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", _MEDIA_TYPE)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler


@contextmanager
def running(first_id: int = 1, user_info: str = "") -> Iterator[str]:
    """The URL of a registry in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.schema_registry", "--first-id", str(first_id)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"REGISTRY_USER_INFO": user_info},
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--first-id", type=int, default=1)
    options = parser.parse_args()
    made = handler(Schemas(options.first_id), os.environ.get("REGISTRY_USER_INFO", ""))
    with ThreadingHTTPServer(("127.0.0.1", 0), made) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
