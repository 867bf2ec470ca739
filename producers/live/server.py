"""Asks a server by HTTP with credentials from a file: over TLS, in bounded size, at the one address that was given."""

import base64
import ssl
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from exchange.errors import ConfigurationError, Refused
from producers.fetch import AGENT, TIMEOUT_S, answering, must_be_whole

_OTHERS: Final = 0o007


class Answer(NamedTuple):
    """An answer's headers and body."""

    headers: Message
    content: bytes


class TooLarge(Refused):
    """An answer exceeds the limit of bytes."""


class Server:
    """A server, and the right to ask it."""

    def __init__(self, authorization: str, authorities: Path | None) -> None:
        """``authorities`` is a PEM file with the certificates to trust, the system's without it."""
        self._authorization = authorization
        self._tls = HTTPSHandler(context=trusting(authorities))

    def ask(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        most_bytes: int,
        body: bytes | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> Answer:
        """The answer to a GET, or a POST with a ``body``.

        Raises TransientError if the server does not answer, asks to come later or breaks off, ConfigurationError if it
        refuses, and TooLarge.
        """
        authorized = {"Authorization": self._authorization} if self._authorization else {}
        request = Request(url, body, {"User-Agent": AGENT, **authorized, **headers})  # noqa: S310 - of two schemes
        with answering(url), build_opener(_NoRedirects, self._tls).open(request, timeout=timeout_s) as answer:
            content, stated = answer.read(most_bytes + 1), answer.headers
        if len(content) > most_bytes:
            raise TooLarge(f"{url} answers with more than {most_bytes} bytes: they were not taken")
        must_be_whole(url, stated, len(content))
        return Answer(stated, content)


def trusting(authorities: Path | None) -> ssl.SSLContext:
    """How a server's certificate is checked. Raises ConfigurationError if the file has no certificates."""
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{authorities} cannot be read as certificates (PEM): {error}") from error


def secret_in(credentials: Path) -> str:
    """The one line of a file that others cannot read. Raises ConfigurationError."""
    try:
        if credentials.stat().st_mode & _OTHERS:
            raise ConfigurationError(f"{credentials} can be read by everyone: chmod 0600 {credentials}")
        text = credentials.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the credentials {credentials} cannot be read: {error}") from error
    if "\n" in text or not text.isprintable() or not text:
        raise ConfigurationError(f"{credentials}: one line with user:password or a token")
    return text


def authorization_of(credentials: Path | None) -> str:
    """The header for the credentials in a file: ``user:password``, or a token. Raises ConfigurationError."""
    if credentials is None:
        return ""
    text = secret_in(credentials)
    return f"Basic {base64.b64encode(text.encode()).decode()}" if ":" in text else f"Bearer {text}"


class _NoRedirects(HTTPRedirectHandler):
    """Follows no redirection: credentials are for one address."""

    def redirect_request(self, *_: Any) -> None:
        return None
