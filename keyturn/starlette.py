"""Starlette, and any other ASGI framework: a middleware that lets nobody through without a good token.

It hangs on what it wraps (an application, a ``Mount``, a ``Route``) and never looks at a path, so no other spelling of
a path gets around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse

from keyturn.challenge import refusal_to
from keyturn.errors import GuardError, NoToken
from keyturn.principal import Principal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from keyturn.guard import Verifier
    from keyturn.requirements import Requirement

SCOPE_KEY: Final = "keyturn.principal"
_POLICY_VIOLATION: Final = 1008
_DENIAL_RESPONSE: Final = "websocket.http.response"


class GuardMiddleware:
    """Pure ASGI: ``Middleware(GuardMiddleware, verifier=verifier, requirement=Requirement.of("notes:read"))``.

    Answers 401, 403 or 503 itself. With ``optional`` a request without a token goes on with no principal; one with a
    token that is not accepted is refused all the same. HTTP and WebSocket are guarded, other scopes pass. The guard
    errors that an endpoint raises itself are answered as well, unless its answer has begun.
    """

    def __init__(
        self, app: ASGIApp, *, verifier: Verifier, requirement: Requirement | None = None, optional: bool = False
    ) -> None:
        if optional and requirement is not None:
            raise ValueError("a requirement cannot hold where nobody need be signed in")
        self.app = app
        self.verifier = verifier
        self.requirement = requirement
        self.optional = optional

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit or refuse one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        try:
            principal = await self._admitted(scope)
        except GuardError as error:
            await refuse(error, scope, receive, send)
            return
        await self._go_on({**scope, SCOPE_KEY: principal}, receive, send)

    async def _go_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except GuardError as error:
            if has_begun:
                raise
            await refuse(error, scope, receive, send)

    async def _admitted(self, scope: Scope) -> Principal | None:
        try:
            principal = await authenticate(self.verifier, HTTPConnection(scope))
        except NoToken:
            if self.optional:
                return None
            raise
        if self.requirement is not None:
            self.verifier.require(principal, self.requirement)
        return principal


def principal_of(connection: HTTPConnection) -> Principal:
    """The principal that a ``GuardMiddleware`` admitted.

    Raises:
        NoToken: it let an anonymous request pass.
        LookupError: none stands before this endpoint: a mistake that must not pass for an anonymous caller.
    """
    found = connection.scope[SCOPE_KEY] if SCOPE_KEY in connection.scope else _no_guard()
    if not isinstance(found, Principal):
        raise NoToken("nobody is signed in")
    return found


async def authenticate(verifier: Verifier, connection: HTTPConnection) -> Principal:
    """The caller that the connection's header lines present. Raises NoToken, TokenError, Unavailable."""
    return await verifier.authenticate_async(connection.headers.getlist("authorization"))


async def refuse(error: GuardError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer ``error``; a WebSocket is refused before its handshake, with the same answer where the server can."""
    if scope["type"] == "websocket" and _DENIAL_RESPONSE not in scope.get("extensions", {}):
        await receive()
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})
        return
    await response_for(error)(scope, receive, send)


def response_for(error: GuardError) -> JSONResponse:
    """The problem document for ``error``, with its challenge. Raises ``error`` where the service is at fault."""
    answer = refusal_to(error)
    return JSONResponse(answer.problem, status_code=answer.status, headers=dict(answer.headers))


def _no_guard() -> Principal:
    raise LookupError("no GuardMiddleware stands before this endpoint")
