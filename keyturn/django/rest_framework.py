"""Django REST framework: an authentication class, and permissions by scope and by owner.

``authentication_classes = [KeyturnAuthentication]``, ``permission_classes = [requires("notes:write")]``. In the views
``request.user`` is the caller and ``request.auth`` the principal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission

from keyturn.challenge import answer_to, bearer_challenge
from keyturn.django.conf import the_verifier
from keyturn.django.requests import admit
from keyturn.django.user import PrincipalUser
from keyturn.errors import GuardError, NotFound, NoToken, Unavailable
from keyturn.ownership import DEFAULT_OWNER, Owns
from keyturn.principal import Principal
from keyturn.requirements import Requirement

_NOT_THERE: Final = "keyturn_not_there"

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rest_framework.request import Request
    from rest_framework.views import APIView


class Refusal(APIException):
    """A guard's error as the framework knows it. Its own handler makes status, challenge and Retry-After of it."""

    def __init__(self, error: GuardError) -> None:
        answer = answer_to(error)
        self.status_code = answer.status
        self.auth_header = answer.headers.get("WWW-Authenticate")
        self.wait = error.retry_after_seconds if isinstance(error, Unavailable) else None
        super().__init__(detail=answer.title, code=answer.code)


class KeyturnAuthentication(BaseAuthentication):
    """The caller from the Authorization header. Without one it says nothing: what that means is for permissions."""

    def authenticate(self, request: Request) -> tuple[PrincipalUser, Principal] | None:
        """User and principal. Raises Refusal for a token that is not accepted, or about which nothing is known."""
        try:
            principal = admit(request._request)  # noqa: SLF001 - the framework's documented way to Django's request
        except NoToken:
            return None
        except GuardError as error:
            _refuse(error, _view_of(request))
        finally:
            _vary_by_token(_view_of(request))
        return PrincipalUser(principal), principal

    def authenticate_header(self, request: Request) -> str:
        """The challenge for a request without a token; that it is there makes the framework say 401 and not 403."""
        del request
        return bearer_challenge()


class SignedIn(BasePermission):
    """Anybody with a good access token; no other kind of sign-in."""

    requirement = Requirement()

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether a principal was authenticated, of whom the requirement holds. Raises Refusal where it does not."""
        principal = _principal_of(request)
        if principal is None:
            _keep_out_of_caches(view)
            return False
        try:
            the_verifier().require(principal, self.requirement)
        except GuardError as error:
            _refuse(error, view)
        return True


def requires(
    *scopes: str, max_age_seconds: int | None = None, amr: Iterable[str] = (), acr_values: Iterable[str] = ()
) -> type[SignedIn]:
    """A permission: every scope, and a sign-in that is recent and strong enough."""
    requirement = Requirement.of(*scopes, max_age_seconds=max_age_seconds, amr=amr, acr_values=acr_values)
    return type("Requires", (SignedIn,), {"requirement": requirement})


def owns(
    parameter: str | None = None,
    *,
    owner: str | Callable[[Any], str] = DEFAULT_OWNER,
    or_scope: str | None = None,
) -> type[SignedIn]:
    """A permission: the caller is the owner, or there is nothing (404); holders of ``or_scope`` pass.

    ``owns()`` is about the object, so only views that call ``get_object`` ask it: what lists must filter by the caller
    itself. ``owns("user_id")`` is about that parameter of the path, and asked by every view.
    """
    of_path = None if parameter is None else Owns[Any](parameter, or_scope=or_scope)
    of_object = Owns[Any](_never_called, owner=owner, or_scope=or_scope)

    class Owner(SignedIn):
        def has_permission(self, request: Request, view: APIView) -> bool:
            principal = _principal_of(request)
            if principal is None or not super().has_permission(request, view):
                return False
            if of_path is not None:
                _or_refuse(lambda: of_path.check(principal, view.kwargs), view)
            elif view.kwargs:
                setattr(view, _NOT_THERE, _words_of_nothing(view))
            return True

        def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
            principal = _principal_of(request)
            if principal is None:
                return False
            if of_path is None:
                _or_not_there(lambda: of_object.judge(principal, obj), view)
            return True

    return Owner


def _refuse(error: GuardError, view: APIView | None) -> NoReturn:
    _keep_out_of_caches(view)
    raise Refusal(error) from None


def _or_refuse(check: Callable[[], object], view: APIView) -> None:
    try:
        check()
    except NotFound as error:
        _refuse(error, view)


def _or_not_there(check: Callable[[], object], view: APIView) -> None:
    try:
        check()
    except NotFound:
        raise _not_there(view) from None


def _not_there(view: APIView) -> exceptions.NotFound:
    """What ``view`` says where there is nothing, so that nobody can tell that there is something of another's."""
    if hasattr(view, _NOT_THERE):
        return exceptions.NotFound(getattr(view, _NOT_THERE))
    return exceptions.NotFound(_words_of_nothing(view))


def _words_of_nothing(view: APIView) -> str | None:
    """A view with a queryset says so in the words of ``get_object_or_404``; one that loads by hand raises ``NotFound``.

    What a queryset costs is the view's, so it is asked before anything is loaded, whosever the object will be: a
    second query for another's object alone would tell by its time that there is one.
    """
    rows = getattr(view, "get_queryset", None)
    return None if rows is None else f"No {rows().model.__name__} matches the given query."


def _view_of(request: Request) -> APIView | None:
    return (request.parser_context or {}).get("view")


def _keep_out_of_caches(view: APIView | None) -> None:
    # The framework has no other way to the headers of an answer that is still to be made.
    if view is not None and hasattr(view, "headers"):
        view.headers["Cache-Control"] = "no-store"


def _vary_by_token(view: APIView | None) -> None:
    if view is not None and hasattr(view, "headers"):
        view.headers["Vary"] = ", ".join(filter(None, (view.headers.get("Vary"), "Authorization")))


def _principal_of(request: Request) -> Principal | None:
    # ``request.auth`` is what the authentication that succeeded gave: a session of Django's gives none.
    return request.auth if isinstance(request.auth, Principal) else None


def _never_called(**_: object) -> None:
    """The framework loads the object itself."""
