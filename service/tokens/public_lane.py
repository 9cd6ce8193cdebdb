"""The key set and the metadata, answered at the door: bytes made once, and headers made once beside them.

Verifiers ask for them by the thousand, and most ask the same: a plain GET. Such a request reads nothing that the
middlewares below look at, so they are passed by; counting it for the coarse limits would cost more than its answer.
Whatever is not plain takes the way of all others, which gives the same answer: a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import Unavailable
from service.tokens.keyring import KeyRing
from service.tokens.metadata import Metadata
from service.tokens.routes import JWKS_PATH, PUBLIC_PATHS, Document
from service.web.request_head import RequestHead
from service.web.request_id import RAW_HEADER, new_request_id
from service.web.security_headers import SecurityHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from service.kernel.entropy import Entropy
    from service.web.provide import Services
    from service.web.security_headers import RawHeader

_KNOWN = b"if-none-match"
_NOT_PLAIN = frozenset({b"origin", b"content-length", b"transfer-encoding"})
_VARY = (b"vary", b"Origin")


@dataclass(frozen=True, kw_only=True)
class _Made:
    """An answer but for its request id."""

    etag: bytes
    body: bytes
    headers: list[RawHeader]
    headers_of_304: list[RawHeader]


class PublicLane:
    """Pure ASGI, outside of the edge. ``is_on`` is False where spans are wanted of every request."""

    def __init__(self, app: ASGIApp, *, entropy: Entropy, https: bool, is_on: bool = True) -> None:
        self.app = app
        self._entropy = entropy
        self._security = SecurityHeaders(app, https=https, public_paths=PUBLIC_PATHS)
        self._head = RequestHead(app)
        self._paths = PUBLIC_PATHS if is_on else frozenset[str]()
        self._made: dict[str, _Made] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        made = await self._answer_to(scope) if scope["type"] == "http" and scope["path"] in self._paths else None
        if made is None:
            await self.app(scope, receive, send)
            return
        is_known = any(name == _KNOWN and made.etag in value for name, value in scope["headers"])
        headers = made.headers_of_304 if is_known else made.headers
        named = [*headers, (RAW_HEADER, new_request_id(self._entropy).encode("ascii"))]
        await send({"type": "http.response.start", "status": 304 if is_known else 200, "headers": named})
        await send({"type": "http.response.body", "body": b"" if is_known else made.body})

    async def _answer_to(self, scope: Scope) -> _Made | None:
        if scope["method"] != "GET" or scope["query_string"] or self._head.refusal(scope) is not None:
            return None
        if any(name in _NOT_PLAIN for name, _ in scope["headers"]):
            return None
        path: str = scope["path"]
        try:
            document = await _document(path, scope["app"].state.services)
        except Unavailable:
            return None
        made = self._made.get(path)
        if made is None or made.body is not document.body:
            made = self._made[path] = self._make(path, document)
        return made

    def _make(self, path: str, document: Document) -> _Made:
        whole, known = document.answer(None), document.answer(document.etag)
        return _Made(
            etag=document.etag.encode("ascii"),
            body=document.body,
            headers=[*self._security.completed(whole.raw_headers, path=path), _VARY],
            headers_of_304=[*self._security.completed(known.raw_headers, path=path), _VARY],
        )


async def _document(path: str, services: Services) -> Document:
    metadata = services.get(Metadata)
    if path == JWKS_PATH:
        current = await services.get(KeyRing).jwks()
        return Document(body=current.body, etag=current.etag, max_age_seconds=metadata.max_age_seconds)
    return Document(body=metadata.body, etag=metadata.etag, max_age_seconds=metadata.max_age_seconds)
