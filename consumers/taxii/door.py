"""Every request passes here first: it is authenticated, limited in rate, and counted with its answer."""

import base64
import binascii
import logging
import time
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consumers.taxii.clients import Client, Clients
from consumers.taxii.limits import Limits
from consumers.taxii.refusal import Refusal, unauthorised, unavailable
from consumers.taxii.sending import refused

_log = logging.getLogger(__name__)
_STRANGERS_A_MINUTE: Final = 60
_NOBODY: Final = ""

Counted = Callable[[str, int, int, float], None]
"""Called for each request with the client, empty if it is not known, the status, objects and seconds."""


class Door:
    """The whole server as an ASGI application."""

    def __init__(self, inside: ASGIApp, clients: Clients, limits: Limits, counted: Counted = lambda *_: None) -> None:
        self._inside, self._clients, self._limits, self._counted = inside, clients, limits, counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError("only HTTP is served")
        began_s, name, status = time.monotonic(), _NOBODY, 0

        async def noting(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            client = self._client(scope)
            name = client.name
            scope["state"]["client"] = client
            if not scope["path"].endswith("/"):
                scope["path"] += "/"
            with self._limits.one(f"client {name}", client.requests_a_minute):
                await self._inside(scope, receive, noting)
        except Refusal as refusal:
            await refused(refusal)(scope, receive, noting)
        finally:
            seconds, state = time.monotonic() - began_s, scope["state"]
            objects, error_id = state.get("objects", 0), state.get("error_id", "")
            self._counted(name, status, objects, seconds)
            _log.info(
                "taxii.request client=%s status=%d objects=%d seconds=%.3f error=%s",
                *(name, status, objects, seconds, error_id),
            )

    def _client(self, scope: Scope) -> Client:
        """Who asks. Raises a Refusal: 401, 429 to an address that fails too often, 503 if no one can be known."""
        client = self._known(scope)
        if client is not None:
            return client
        if self._clients.trouble:
            raise unavailable("the server's list of clients cannot be read now")
        address = (scope.get("client") or ("",))[0]
        self._limits.spend(f"address {address}", _STRANGERS_A_MINUTE)
        raise unauthorised()

    def _known(self, scope: Scope) -> Client | None:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) > 1:
            return None
        if given:
            name, token = _credentials(given[0])
            return self._clients.by_token(token, name) if token else None
        certificate = scope["state"].get("certificate")
        return self._clients.by_certificate(certificate) if certificate else None


def _credentials(header: bytes) -> tuple[str, str]:
    """A name, empty if there is none, and a token: of Basic (RFC 7617), Bearer (RFC 6750) or ``Token``."""
    scheme, _, text = header.decode("latin-1").strip().partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return "", text.strip()
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, token = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return name, token
