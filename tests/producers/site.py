"""A real HTTP server of one feed, with its validators."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.producers.http_server import Answering, running


@dataclass
class Site:
    """A server's answers, and the requests that it got."""

    content: bytes = b"a.example.com\nb.example.com\nc.example.com\n"
    headers: dict[str, str] = field(default_factory=lambda: {"ETag": '"1"'})
    status: int = 200
    length: int | None = None
    requests: list[dict[str, str]] = field(default_factory=list)
    address: str = ""

    def change(self, content: bytes, tag: str) -> None:
        """Publish another content."""
        self.content, self.headers = content, {"ETag": tag}


@contextmanager
def a_site() -> Iterator[Site]:
    """A site, for as long as a test needs it."""
    answers = Site()

    class Handler(Answering):
        def do_GET(self) -> None:
            answers.requests.append(dict(self.headers))
            known = self.headers.get("If-None-Match") == answers.headers.get("ETag", "none")
            dated = self.headers.get("If-Modified-Since") == answers.headers.get("Last-Modified", "none")
            status = 304 if answers.status == 200 and (known or dated) else answers.status
            length = {} if answers.length is None else {"Content-Length": str(answers.length)}
            self.answer(status, answers.headers | length, b"" if status == 304 else answers.content)

    with running(Handler) as port:
        answers.address = f"http://127.0.0.1:{port}/feeds/list.txt"
        yield answers
