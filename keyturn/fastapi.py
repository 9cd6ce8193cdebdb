"""FastAPI: names for a route's signature that say who may call it.

``guard = Guard(verifier)``; then ``Annotated[Principal, guard.signed_in]``, ``guard.requires("notes:write")`` and
``guard.owns("user_id")``. Whatever goes wrong in a guard is a refusal.

Annotations are values here, without ``from __future__ import annotations``: FastAPI before 0.124 cannot resolve the
texts of a dependency that is no function, and takes the connection for a query parameter.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.openapi.models import HTTPBearer as BearerModel
from fastapi.params import Depends as DependsParam
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from keyturn.challenge import Answer, answer_to
from keyturn.errors import GuardError
from keyturn.guard import Verifier
from keyturn.ownership import DEFAULT_OWNER, Owns
from keyturn.principal import Principal
from keyturn.requirements import Requirement
from keyturn.starlette import authenticate, response_for

_DESCRIPTIONS: Final = {
    401: "No access token, one that is not accepted, or a sign-in that is too old or too weak",
    403: "The access token lacks a scope",
    404: "Not there, or not the caller's",
    503: "Whether the token is good cannot be known just now",
}

RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": text, "content": {"application/problem+json": {}}} for status, text in _DESCRIPTIONS.items()
}
"""For a route's or a router's ``responses=``, so that the API document lists what guards answer."""


class Refusal(HTTPException):
    """A guard's error as FastAPI knows it: status and headers are right even where no handler is installed."""

    def __init__(self, error: GuardError) -> None:
        self.error = error
        self.answer: Answer = answer_to(error)
        headers = {name: text for name, text in self.answer.headers.items() if name != "Content-Type"}
        super().__init__(self.answer.status, detail=self.answer.title, headers=headers)


class Guard:
    """The guards of one verifier. ``install`` makes refusals problem documents (RFC 9457)."""

    def __init__(self, verifier: Verifier, *, scheme_name: str = "accessToken") -> None:
        self.verifier = verifier
        self._bearer = _Bearer(verifier, scheme_name=scheme_name)

    def install(self, app: FastAPI) -> None:
        """Answer refusals, and guard errors that an endpoint raises itself, as problem documents."""
        app.add_exception_handler(Refusal, _answer_refusal)
        app.add_exception_handler(GuardError, _answer_error)

    @property
    def signed_in(self) -> DependsParam:
        """Anybody with a good access token: ``caller: Annotated[Principal, guard.signed_in]``."""
        return DependsParam(self._bearer)

    def requires(
        self,
        *scopes: str,
        max_age_seconds: int | None = None,
        amr: Iterable[str] = (),
        acr_values: Iterable[str] = (),
    ) -> DependsParam:
        """The principal, if its token has every scope and its sign-in is recent and strong enough.

        In a signature, or in ``dependencies=[...]`` of a route, a router or the application.
        """
        requirement = Requirement.of(*scopes, max_age_seconds=max_age_seconds, amr=amr, acr_values=acr_values)

        async def check(caller: Principal = Depends(self._bearer)) -> Principal:
            try:
                self.verifier.require(caller, requirement)
            except GuardError as error:
                raise Refusal(error) from None
            return caller

        return DependsParam(check)

    def owns(
        self,
        target: str | Callable[..., Any],
        *,
        owner: str | Callable[[Any], str] = DEFAULT_OWNER,
        or_scope: str | None = None,
    ) -> DependsParam:
        """The caller owns what the path names, or there is nothing (404); holders of ``or_scope`` pass.

        ``owns("user_id")`` compares that path parameter with the subject and gives the principal. ``owns(load_note)``
        gives the object: the loader is a dependency like any other (path parameters, other dependencies, plain or
        ``async``) that answers the object or None, and runs only for callers who are signed in.
        """
        ownership = Owns(target, owner=owner, or_scope=or_scope)
        make = self._owner_of_path if ownership.loader is None else self._owner_of_loaded
        return DependsParam(make(ownership))

    def _owner_of_path(self, ownership: Owns[Any]) -> Callable[..., Any]:
        async def check(connection: HTTPConnection, caller: Principal = Depends(self._bearer)) -> Principal:
            try:
                ownership.check(caller, connection.path_params)
            except GuardError as error:
                raise Refusal(error) from None
            return caller

        return check

    def _owner_of_loaded(self, ownership: Owns[Any]) -> Callable[..., Any]:
        # The token comes first: whoever has none learns nothing of what is there, and costs no read.
        async def check(
            caller: Principal = Depends(self._bearer),
            loaded: Any = Depends(ownership.loader),
        ) -> Any:
            try:
                return ownership.judge(caller, loaded)
            except GuardError as error:
                raise Refusal(error) from None

        return check


class _Bearer(SecurityBase):
    """From the header lines to the principal, once for each request; and the security scheme in OpenAPI."""

    def __init__(self, verifier: Verifier, *, scheme_name: str) -> None:
        self.verifier = verifier
        self.scheme_name = scheme_name
        self.model = BearerModel(bearerFormat="JWT", description="An access token of Keyturn (RFC 9068).")

    async def __call__(self, connection: HTTPConnection) -> Principal:
        try:
            return await authenticate(self.verifier, connection)
        except GuardError as error:
            raise Refusal(error) from None


async def _answer_refusal(_request: Request, error: Exception) -> Response:
    return response_for(error.error if isinstance(error, Refusal) else GuardError())


async def _answer_error(_request: Request, error: Exception) -> Response:
    return response_for(error if isinstance(error, GuardError) else GuardError())
