"""A name for each request: in the log lines, in the answer, and never the client's choice by default."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from structlog.contextvars import bind_contextvars, reset_contextvars

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from service.kernel.entropy import Entropy

HEADER = "X-Request-Id"

RAW_HEADER = HEADER.lower().encode("ascii")
_SAFE = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_ID_BYTES = 16


class RequestIds:
    """Pure ASGI. Puts the id into ``scope["state"]["request_id"]``, structlog's context and the answer.

    ``trust_client`` takes over the id of a proxy of ours; then only one short id of letters, digits, ``_`` and ``-``.
    """

    def __init__(self, app: ASGIApp, *, entropy: Entropy, trust_client: bool = False) -> None:
        self.app = app
        self.entropy = entropy
        self.trust_client = trust_client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = self._request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id

        async def named_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                others = [header for header in message.get("headers", ()) if header[0] != RAW_HEADER]
                message["headers"] = [*others, (RAW_HEADER, request_id.encode("ascii"))]
            await send(message)

        bound = bind_contextvars(request_id=request_id)
        try:
            await self.app(scope, receive, named_send)
        finally:
            reset_contextvars(**bound)

    def _request_id(self, scope: Scope) -> str:
        claimed = Headers(scope=scope).getlist(HEADER) if self.trust_client else []
        if len(claimed) == 1 and _SAFE.fullmatch(claimed[0]):
            return claimed[0]
        return new_request_id(self.entropy)


def new_request_id(entropy: Entropy) -> str:
    """A name for a request, by chance."""
    return entropy.token_bytes(_ID_BYTES).hex()
