"""A request and its caller: authenticated once, kept on the request, answered in one way when refused."""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.cache import patch_cache_control, patch_vary_headers

from keyturn.challenge import MEDIA_TYPE, refusal_to
from keyturn.django.conf import the_verifier
from keyturn.django.user import Nobody, PrincipalUser
from keyturn.errors import NoToken
from keyturn.principal import Principal

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from keyturn.errors import GuardError
    from keyturn.requirements import Requirement

Answered = TypeVar("Answered")
_KEPT: Final = "_keyturn_principal"


def header_lines(request: HttpRequest) -> list[str]:
    """What was sent as Authorization. Servers join two lines with a comma, which no token holds: both are refused."""
    line = request.META.get("HTTP_AUTHORIZATION")
    return [] if line is None else [str(line)]


def admitted(request: HttpRequest) -> Principal | None:
    """Who was admitted to this request before."""
    found = getattr(request, _KEPT, None)
    return found if isinstance(found, Principal) else None


def principal_of(request: HttpRequest) -> Principal:
    """The caller that was admitted to ``request``. Raises NoToken where nobody was."""
    principal = admitted(request)
    if principal is None:
        raise NoToken("no guard has admitted anybody to this request")
    return principal


def admit(request: HttpRequest, requirement: Requirement | None = None) -> Principal:
    """The caller of ``request``, of whom ``requirement`` holds: from here on ``request.principal``, ``request.user``.

    Raises:
        GuardError: see ``Verifier.authenticate`` and ``Verifier.require``.
    """
    principal = admitted(request) or _keep(request, the_verifier().authenticate(header_lines(request)))
    return _required(principal, requirement)


async def admit_async(request: HttpRequest, requirement: Requirement | None = None) -> Principal:
    """``admit`` for async views."""
    principal = admitted(request)
    if principal is None:
        principal = _keep(request, await the_verifier().authenticate_async(header_lines(request)))
    return _required(principal, requirement)


def set_user(request: Any, user: PrincipalUser | Nobody) -> None:
    """``user`` is the request's, for views of both kinds: Django's ``auser`` would go on to answer its session's."""

    async def auser() -> PrincipalUser | Nobody:
        return user

    request.user, request.auser = user, auser


def kept_from_caches(response: Answered) -> Answered:
    """``response`` to a token, marked so that Django's cache, which stands before the guards, keeps none of it.

    Under the token's name it would outlive the token. What a view says itself of ``Cache-Control`` stands. What is
    still to be awaited is marked then.
    """
    if isawaitable(response):
        return cast("Answered", _kept_later(response))
    if isinstance(response, HttpResponseBase):
        patch_vary_headers(response, ("Authorization",))
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True)
    return response


async def _kept_later(response: Awaitable[HttpResponseBase]) -> HttpResponseBase:
    return kept_from_caches(await response)


def response_for(error: GuardError) -> JsonResponse:
    """The problem document for ``error``, with its challenge. Raises ``error`` where the service is at fault."""
    answer = refusal_to(error)
    headers = {name: text for name, text in answer.headers.items() if name != "Content-Type"}
    return JsonResponse(answer.problem, status=answer.status, headers=headers, content_type=MEDIA_TYPE)


def _required(principal: Principal, requirement: Requirement | None) -> Principal:
    if requirement is not None:
        the_verifier().require(principal, requirement)
    return principal


def _keep(request: Any, principal: Principal) -> Principal:
    setattr(request, _KEPT, principal)
    request.principal = principal
    set_user(request, PrincipalUser(principal))
    return principal
