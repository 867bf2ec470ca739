"""How a request is refused: an HTTP status with TAXII's error object (TAXII 2.1, 3.6.1)."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import msgspec

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Refusal(Exception):
    """Why a request is not answered. ``description`` states what to do, and repeats nothing of the request."""

    def __init__(self, status: HTTPStatus, description: str, headers: Mapping[str, str] = NO_HEADERS) -> None:
        super().__init__(description)
        self.status, self.description, self.headers = status, description, headers

    def body(self, error_id: str = "") -> bytes:
        """The error object. ``error_id`` is in the server's log too."""
        found = {"title": self.status.phrase, "description": self.description}
        if error_id:
            found["error_id"] = error_id
        return msgspec.json.encode(found | {"http_status": str(self.status.value)})


def bad_request(description: str) -> Refusal:
    """400: a parameter is wrong."""
    return Refusal(HTTPStatus.BAD_REQUEST, description)


def not_found(what: str) -> Refusal:
    """404. What a client may not know of is not found either."""
    return Refusal(HTTPStatus.NOT_FOUND, f"{what} is not here, or not for this client")


def unauthorised() -> Refusal:
    """401, with the ways to authenticate (RFC 9110, 11.6.1)."""
    ways = 'Basic realm="taxii", charset="UTF-8", Bearer realm="taxii"'
    return Refusal(
        HTTPStatus.UNAUTHORIZED,
        "the token or certificate is missing, or not valid (any more)",
        {"WWW-Authenticate": ways},
    )


def unavailable(why: str) -> Refusal:
    """503: try again soon."""
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, why, {"Retry-After": "5"})
