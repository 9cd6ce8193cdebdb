"""Guards: names in a route's signature that say who may call it. Any error in here is a refusal."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Path, Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase

from service.errors import InsufficientScope, NotFound
from service.kernel.ids import UserId, parse_user_id
from service.tokens.gatekeeper import Caller, Gatekeeper
from service.tokens.session_gate import LiveCaller, SessionGate
from service.web.provide import bound, provided, services_of

_ID_PATTERN = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_ID_EXAMPLE = "9b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d"


class _SignedIn(SecurityBase):
    """Anybody with a valid access token; also the security scheme in OpenAPI."""

    def __init__(self) -> None:
        self.model = HTTPBearerModel(bearerFormat="JWT", description="An access token (RFC 9068).")
        self.scheme_name = "accessToken"

    async def __call__(self, request: Request) -> Caller:
        return await services_of(request).get(Gatekeeper).admit(request.headers.getlist("authorization"))


signed_in = _SignedIn()
SignedIn = Annotated[Caller, Depends(signed_in)]


@bound
async def alive(caller: SignedIn, gate: Annotated[SessionGate, provided(SessionGate)]) -> LiveCaller:
    """Who has a valid access token of a session that has not ended: for doors behind which something is changed."""
    return await gate.require_alive(caller)


Alive = Annotated[LiveCaller, Depends(alive)]


@bound
async def recently_signed_in(caller: SignedIn, gatekeeper: Annotated[Gatekeeper, provided(Gatekeeper)]) -> Caller:
    """Who gave proof within ``KEYTURN_RECENT_SIGN_IN_SECONDS`` (RFC 9470)."""
    gatekeeper.require_recent(caller)
    return caller


RecentlySignedIn = Annotated[Caller, Depends(recently_signed_in)]
UserIdPath = Annotated[str, Path(examples=[_ID_EXAMPLE], json_schema_extra={"pattern": _ID_PATTERN})]
SessionIdPath = Annotated[str, Path(examples=[_ID_EXAMPLE], json_schema_extra={"pattern": _ID_PATTERN})]


async def owner(user_id: UserIdPath, caller: SignedIn) -> UserId:
    """The caller's own id, named in the path. Anybody else hears what is heard of a user that does not exist."""
    if parse_user_id(user_id) != caller.user_id:
        raise NotFound
    return caller.user_id


Owner = Annotated[UserId, Depends(owner)]


class _OwnerOr:
    """The owner, or who holds a scope."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(self, user_id: UserIdPath, caller: SignedIn) -> UserId:
        asked = parse_user_id(user_id)
        if asked is None or (asked != caller.user_id and not caller.principal.has_scope(self.scope)):
            raise NotFound
        return asked


def owner_or(scope: str) -> Any:
    """A guard for the user of the path and for who holds ``scope``; 404 for everybody else."""
    return Depends(_OwnerOr(scope))


def requires_scope(scope: str) -> Any:
    """A guard that refuses tokens without ``scope`` (403)."""

    async def check(caller: SignedIn) -> Caller:
        if not caller.principal.has_scope(scope):
            raise InsufficientScope(scope=scope)
        return caller

    return Depends(check)
