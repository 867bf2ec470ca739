"""One connection: uvicorn's, with limits of time, TAXII's error object for what is not HTTP, and the certificate."""

import asyncio
from http import HTTPStatus
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from consumers.taxii.media import TAXII
from consumers.taxii.refusal import Refusal

HEAD_BYTES: Final = 32 * 1024
_HEAD_S: Final = 20.0
_LEAVES_S: Final = 2.0


class Connection(H11Protocol):
    """A request's head has to come within a time, of a connection that is new or was used before. ``state`` has the
    client's certificate in DER, and what cuts the connection."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        self.app_state = {**self.app_state, "abort": transport.abort, "certificate": certificate}
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._forget_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes of a request, unless an earlier one was no HTTP: they are dropped until the client has gone."""
        if not self._is_refused:
            super().data_received(data)

    def on_response_complete(self) -> None:
        """An answer was handed on: the next request may come."""
        super().on_response_complete()
        self._expect_head()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or whose head is too long, and read on for a moment, so that the answer arrives."""
        del msg  # uvicorn's own
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # amid an answer
            self.transport.abort()
            return
        is_long = len(self.conn.trailing_data[0]) > HEAD_BYTES
        refusal = (
            Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"line and headers have at most {HEAD_BYTES} bytes")
            if is_long
            else Refusal(HTTPStatus.BAD_REQUEST, "this is not HTTP/1.1")
        )
        self._is_refused = True
        headers = [(b"content-type", TAXII.encode()), (b"connection", b"close")]
        for event in (
            h11.Response(status_code=refusal.status.value, headers=headers, reason=refusal.status.phrase.encode()),
            h11.Data(data=refusal.body()),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event))
        self._forget_deadline()
        self._deadline = self.loop.call_later(_LEAVES_S, self.transport.abort)

    def _expect_head(self) -> None:
        self._forget_deadline()
        self._deadline = self.loop.call_later(_HEAD_S, self._end_if_idle)

    def _end_if_idle(self) -> None:
        """Also of one that has all of its answer and does not read it."""
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        if cycle is None or cycle.response_complete:
            self.transport.abort()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
