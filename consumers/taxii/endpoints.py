"""The TAXII 2.1 endpoints: their paths, and the order of their checks."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumers.taxii import answers, query
from consumers.taxii.answers import MOST_BYTES, Answer
from consumers.taxii.clients import Client
from consumers.taxii.collections import Collection
from consumers.taxii.media import accepts, is_taxii
from consumers.taxii.query import Query, is_stix_id, understood
from consumers.taxii.readers import Readers
from consumers.taxii.refusal import Refusal, not_found
from consumers.taxii.sending import Sent, refused
from consumers.taxii.view import Page, View

_NO_PARAMETER: Final = frozenset[str]()
Endpoint = Callable[[Request], Awaitable[Answer]]


class Endpoints:
    """The endpoints of a nation's server with these collections by alias. The client is in the request's state."""

    def __init__(self, nation: str, collections: Mapping[str, Collection], readers: Readers) -> None:
        self._nation, self._readers = nation, readers
        self._collections = dict(collections) | {each.id: each for each in collections.values()}
        self._root = f"/{nation.lower()}/"
        place = f"{self._root}collections/{{collection}}/"
        routes = (
            ("/taxii2/", self._discovery, ()),
            (self._root, self._api_root, ()),
            (f"{self._root}collections/", self._list, ()),
            (place, self._one, ()),
            (f"{place}manifest/", self._manifest, ()),
            (f"{place}objects/", self._objects, ("POST",)),
            (f"{place}objects/{{object}}/", self._object, ("DELETE",)),
            (f"{place}objects/{{object}}/versions/", self._versions, ()),
        )
        self.application: Final = Starlette(
            routes=[Route(path, _answered(endpoint), methods=["GET", *more]) for path, endpoint, more in routes],
            exception_handlers={HTTPException: _of_routing, Refusal: _of_endpoint, Exception: _defect},
        )
        self.application.router.redirect_slashes = False

    async def _discovery(self, request: Request) -> Answer:
        _query(request, _NO_PARAMETER)
        return answers.discovery(self._nation, self._root)

    async def _api_root(self, request: Request) -> Answer:
        _query(request, _NO_PARAMETER)
        return answers.api_root(self._nation)

    async def _list(self, request: Request) -> Answer:
        _query(request, _NO_PARAMETER)
        return answers.collections(_client(request).collections, self._nation)

    async def _one(self, request: Request) -> Answer:
        _query(request, _NO_PARAMETER)
        return answers.collection(self._collection(request), self._nation)

    async def _manifest(self, request: Request) -> Answer:
        return await self._paged(request, _query(request, query.OF_OBJECTS), answers.manifest)

    async def _objects(self, request: Request) -> Answer:
        if request.method == "POST":
            self._collection(request)
            raise _not_writable(request)
        return await self._paged(request, _query(request, query.OF_OBJECTS), answers.envelope)

    async def _object(self, request: Request) -> Answer:
        if request.method == "DELETE":
            self._collection(request)
            raise Refusal(HTTPStatus.FORBIDDEN, "no client may delete objects: collections are read only")
        return await self._paged(request, _query(request, query.OF_AN_OBJECT), answers.envelope)

    async def _versions(self, request: Request) -> Answer:
        return await self._paged(request, _query(request, query.OF_VERSIONS), answers.versions)

    async def _paged(self, request: Request, asked: Query, answer: Callable[[Page, Query], Answer]) -> Answer:
        """A page of a collection, or of one of its objects if the path names one."""
        collection = self._collection(request)
        one = request.path_params.get("object")
        if one is not None and not is_stix_id(one):
            raise not_found("this object")
        wanted = asked if one is None else asked.of(one)

        def ask(view: View) -> Answer:
            page = view.page(wanted)
            if one is not None and not page.added and not view.has(one):
                raise not_found("this object")
            return answer(page, wanted)

        return await self._readers.ask(_client(request), collection, ask)

    def _collection(self, request: Request) -> Collection:
        """The collection that the path names by id or alias.

        One above the ceiling, or not given to this client, is refused; one of an origin that the client has no
        collection of is not found: who the partners are is not for everyone.
        """
        client, found = _client(request), self._collections.get(request.path_params["collection"])
        if found is None or found.origin not in client.origins:
            raise not_found("this collection")
        if found.ceiling > client.ceiling:
            raise Refusal(HTTPStatus.FORBIDDEN, "this collection is above the marking ceiling of this client")
        if found not in client.collections:
            raise Refusal(HTTPStatus.FORBIDDEN, "this collection is not for this client")
        return found


def _answered(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if not accepts(", ".join(request.headers.getlist("accept")) or None):
            raise Refusal(HTTPStatus.NOT_ACCEPTABLE, "this server has application/taxii+json;version=2.1 only")
        if request.headers.get("range", "").strip().lower().startswith("items"):
            raise Refusal(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                "TAXII 2.1 has no ranges of items: page with limit and next, or added_after",
            )
        return Sent(await endpoint(request))

    return answer


def _client(request: Request) -> Client:
    client: Client = request.state.client
    return client


def _query(request: Request, known: frozenset[str]) -> Query:
    text: bytes = request.scope["query_string"]
    return understood(text, known, request.scope["path"])


def _not_writable(request: Request) -> Refusal:
    if not is_taxii(request.headers.get("content-type")):
        return Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "objects are added as application/taxii+json;version=2.1")
    if int(request.headers.get("content-length", "0")) > MOST_BYTES:
        return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has at most {MOST_BYTES} bytes")
    return Refusal(HTTPStatus.FORBIDDEN, "no client may add objects: collections are read only")


async def _of_routing(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # it is registered for this
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = dict(error.headers or {})
        return refused(Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "this method is not for this place", allowed))
    return refused(not_found("this place"))


async def _defect(_: Request, error: Exception) -> Response:
    """The server logs the error itself."""
    del error
    return refused(Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "a defect of the server: its log has the error"))


async def _of_endpoint(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101  # it is registered for this
    return refused(error)
