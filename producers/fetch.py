"""Fetches a feed by HTTP: only if it has changed, in bounded size, and never half of it.

The content is kept beside the spool, with the validators that the server has stated. If it has not changed since, the
kept content is read again, and its digest shows that it was read before: so a run that was killed between fetching and
reading loses nothing. RFC 9110, sections 8.8, 13.1 and 15.4.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from email.utils import parsedate_to_datetime
from hashlib import sha256
from http.client import HTTPException, HTTPMessage
from pathlib import Path, PurePosixPath
from typing import IO, Final
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from exchange.errors import ConfigurationError, Refused, TransientError
from producers.disk import write, writing

MOST_BYTES: Final = 1 << 30
TIMEOUT_S: Final = 60.0
_MOST_ASKED_S: Final = 86_400.0
SCHEMES: Final = ("http://", "https://")
_CHUNK_BYTES: Final = 1 << 20
_NOT_MODIFIED: Final = 304
_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_HTML: Final = (b"<!doctype html", b"<html")
AGENT: Final = "kakehashi"


class AskedLater(TransientError):
    """A server that answers, but not now. ``after_s`` are the seconds that it asks for: a day at most, 0 if none."""

    def __init__(self, text: str, retry_after: str) -> None:
        super().__init__(text)
        self.after_s = min(_MOST_ASKED_S, max(0.0, _seconds(retry_after)))


def _seconds(retry_after: str) -> float:
    """RFC 9110, section 10.2.3: seconds, or a date; 0 if it is neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:12])
    with suppress(ValueError):
        return parsedate_to_datetime(retry_after).timestamp() - time.time()
    return 0


class Declined(ConfigurationError):
    """A server that answers with another ``status`` than that of content."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


def has_scheme(name: str) -> bool:
    """Whether an input's name has the form of a URL, of whatever scheme."""
    scheme, colon, _ = name.partition("://")
    return bool(colon) and len(scheme) > 1 and all(each.isalnum() or each in "+.-" for each in scheme)


def is_url(name: str) -> bool:
    """Whether an input's name is the address of a feed."""
    return name.lower().startswith(SCHEMES)


def fetched(url: str, folder: Path, *, most_bytes: int = MOST_BYTES, timeout_s: float = TIMEOUT_S) -> Path:
    """The file with the feed's present content, kept in ``folder``.

    Raises TransientError if the server does not answer, asks to come later, or breaks off; ConfigurationError if it
    does not have the feed, or refuses it to us; Refused if the answer is too large, or a page instead of a feed; and
    TransientError if the disk does not take it. The kept content is then unchanged.
    """
    place = folder / sha256(url.encode()).hexdigest()[:16]
    address = PurePosixPath(unquote(urlsplit(url).path))
    content = place / _safe(address.parent.name) / (_safe(address.name) or "feed")  # both may state a marking
    with writing(place):
        content.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    stated = place / "stated.json"
    request = Request(url, headers={"User-Agent": AGENT, **_conditions(content, stated)})  # noqa: S310 - of two schemes
    with answering(url, known=_NOT_MODIFIED), build_opener(_Redirects).open(request, timeout=timeout_s) as answer:
        _take(answer, answer.headers, content, url, most_bytes)
        write(stated, [json.dumps(_said(answer.headers)).encode()])
    return content


def _safe(name: str) -> str:
    """A part of an address as a file's name."""
    return _UNSAFE.sub("-", name)[-80:].lstrip(".")


@contextmanager
def answering(url: str, *, known: int = 0) -> Iterator[None]:
    """What urllib raises in this block, as our errors. An answer with the status ``known`` only ends the block."""
    try:
        yield
    except HTTPError as error:
        with error:
            if error.code != known:
                raise _failure(url, error) from error
    except (HTTPException, OSError) as error:  # of TLS and of the connection; those of files are ``writing``'s
        reason = error.reason if isinstance(error, URLError) else error
        raise TransientError(f"{url} does not answer: {reason}. Run it again") from error


def must_be_whole(url: str, headers: Message, size: int) -> None:
    """Raises TransientError if the answer has another size than its headers state."""
    stated = headers["Content-Length"]
    if stated is not None and stated.isdigit() and int(stated) != size:
        raise TransientError(f"{url} broke off after {size} of {stated} bytes: run it again")


class _Redirects(HTTPRedirectHandler):
    """Follows redirections, but never from https to http."""

    max_redirections = 5

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if req.full_url.lower().startswith("https://") and not newurl.lower().startswith("https://"):
            raise ConfigurationError(
                f"{req.full_url} leads to {newurl[:200]}, which is not encrypted: it is not followed"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _conditions(content: Path, stated: Path) -> dict[str, str]:
    """The headers that ask for the feed only if it has changed."""
    if not content.exists():
        return {}
    with suppress(OSError, ValueError):
        said = json.loads(stated.read_text("utf-8"))
        names = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
        return {names[name]: str(value) for name, value in said.items() if name in names}
    return {}


def _said(headers: Message) -> dict[str, str]:
    return {name: str(headers[name]) for name in ("ETag", "Last-Modified") if headers[name]}


def _take(answer: IO[bytes], headers: Message, content: Path, url: str, most_bytes: int) -> None:
    size, beginning = 0, b""
    part = content.with_name("part")
    with writing(part), part.open("wb") as file:
        while chunk := _chunk(answer, url):
            beginning = beginning or chunk[:1024]
            size += len(chunk)
            if size > most_bytes:
                raise Refused(f"{url} has more than {most_bytes} bytes: it was not taken")
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    must_be_whole(url, headers, size)
    if beginning.lstrip().lower().startswith(_HTML):
        raise Refused(f"{url} is a web page, not a feed: open it in a browser to see what it says. Nothing was taken")
    with writing(content):
        part.rename(content)


def _chunk(answer: IO[bytes], url: str) -> bytes:
    with answering(url):
        return answer.read(_CHUNK_BYTES)


def _failure(url: str, error: HTTPError) -> TransientError | ConfigurationError:
    """What an error status means, and what to do."""
    if error.code in _LATER:
        wait = error.headers["Retry-After"]
        when = f", and asks to come again after {wait[:40]}" if wait else ""
        return AskedLater(f"{url} answers {error.code} {error.reason}{when}. Run it again later", wait or "")
    return Declined(
        f"{url} answers {error.code} {error.reason}: is the address right, and may you have it?", error.code
    )
