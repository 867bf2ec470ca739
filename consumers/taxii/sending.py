"""How answers are sent: in portions, so that a client that does not read holds one page at most, and not for long."""

import asyncio
import uuid
from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from consumers.taxii.answers import Answer
from consumers.taxii.media import TAXII
from consumers.taxii.refusal import Refusal

SEND_S: Final = 60.0
_PORTION: Final = 64 * 1024


class Sent(Response):
    """An answer on its way. ``objects`` is how many it has, ``error_id`` names a refusal."""

    media_type = TAXII

    def __init__(self, answer: Answer, status: HTTPStatus = HTTPStatus.OK, error_id: str = "") -> None:
        safe = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        super().__init__(answer.body, status, {**answer.headers, **safe})
        self.objects, self.error_id = answer.objects, error_id

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Send it; cut the connection if the client takes too long to read it."""
        scope["state"] |= {"objects": self.objects, "error_id": self.error_id}
        has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
        headers = [*self.raw_headers, (b"connection", b"close")] if has_body else self.raw_headers
        try:
            async with asyncio.timeout(SEND_S):
                await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
                body = memoryview(self.body)
                for start in range(0, len(body), _PORTION):
                    await send(
                        {"type": "http.response.body", "body": bytes(body[start : start + _PORTION]), "more_body": True}
                    )
                await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            scope["state"]["abort"]()
            await asyncio.sleep(0)  # so that the server has seen it


def refused(refusal: Refusal) -> Sent:
    """The answer to a request that is refused."""
    error_id = uuid.uuid4().hex
    return Sent(Answer(refusal.body(error_id), refusal.headers), refusal.status, error_id)
