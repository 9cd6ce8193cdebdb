"""``"keyturn.django.middleware.GuardMiddleware"`` in ``MIDDLEWARE``, after Django's own authentication if there is one.

A request with a token gets ``request.principal`` and ``request.user`` of it, or is refused at once. One without has no
principal, and the user that it had: what a view allows is said by its decorator, never by its path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.utils.cache import patch_vary_headers

from keyturn.challenge import is_refusal
from keyturn.django.conf import check_order
from keyturn.django.requests import admit, admit_async, admitted, kept_from_caches, response_for, set_user
from keyturn.django.user import Nobody
from keyturn.errors import GuardError, NoToken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest, HttpResponseBase


class GuardMiddleware:
    """For WSGI and ASGI. Also answers the guard errors that views raise themselves.

    Raises:
        ImproperlyConfigured: it stands before Django's own authentication.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        check_order(f"{type(self).__module__}.{type(self).__qualname__}")
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Admit, refuse or pass one request."""
        if self._is_async:
            return self._pass_async(request)
        try:
            admit(request)
        except NoToken:
            _nobody(request)
        except GuardError as error:
            return response_for(error)
        return _marked(request, self.get_response(request))

    async def _pass_async(self, request: HttpRequest) -> HttpResponseBase:
        try:
            await admit_async(request)
        except NoToken:
            _nobody(request)
        except GuardError as error:
            return response_for(error)
        return _marked(request, await self.get_response(request))

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        """The answer for a guard's error that a view has raised; others go their way."""
        return response_for(error) if is_refusal(error) else None


def _nobody(request: Any) -> None:
    request.principal = None
    if not hasattr(request, "user"):
        set_user(request, Nobody())


def _marked(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if admitted(request) is not None:
        return kept_from_caches(response)
    patch_vary_headers(response, ("Authorization",))
    return response
