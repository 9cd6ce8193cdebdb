"""A request and its caller: authenticated once, kept on the request, answered in one way when refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import HttpRequest, JsonResponse

from keyturn.challenge import MEDIA_TYPE, refusal_to
from keyturn.django.conf import the_verifier
from keyturn.django.user import PrincipalUser
from keyturn.errors import NoToken
from keyturn.principal import Principal

if TYPE_CHECKING:
    from keyturn.errors import GuardError
    from keyturn.requirements import Requirement

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
    request.user = PrincipalUser(principal)
    return principal
