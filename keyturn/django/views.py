"""Decorators and a mixin that say who may call a view. They authenticate by themselves: no middleware is needed.

A guard error that a view raises itself, as ``NotFound``, is answered like one of the guard's.

Views behind them need no CSRF token and are marked so: the one credential they take is the Authorization header, which
no browser sends by itself. The session cookie opens none of them.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from asgiref.sync import iscoroutinefunction
from django.views import View as DjangoView

from keyturn.django.requests import admit, admit_async, kept_from_caches, response_for
from keyturn.errors import GuardError
from keyturn.ownership import DEFAULT_OWNER, Owns
from keyturn.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http import HttpRequest, HttpResponseBase

    from keyturn.principal import Principal

View = TypeVar("View", bound="Callable[..., Any]")


def signed_in(view: View) -> View:
    """Anybody with a good access token."""
    return requires()(view)


def requires(
    *scopes: str, max_age_seconds: int | None = None, amr: Iterable[str] = (), acr_values: Iterable[str] = ()
) -> Callable[[View], View]:
    """Every scope, and a sign-in that is recent and strong enough."""
    requirement = Requirement.of(*scopes, max_age_seconds=max_age_seconds, amr=amr, acr_values=acr_values)
    return lambda view: _guarded(view, requirement=requirement, ownership=None, into=None)


def owns(
    target: str | Callable[..., Any],
    *,
    owner: str | Callable[[Any], str] = DEFAULT_OWNER,
    or_scope: str | None = None,
    into: str | None = None,
) -> Callable[[View], View]:
    """The caller owns what the path names, or there is nothing (404); holders of ``or_scope`` pass.

    ``owns("user_id")`` compares that parameter with the subject. ``owns(load_note, into="note")`` calls the loader with
    the path's parameters and hands the object to the view as ``note`` in place of them.
    """
    ownership = Owns(target, owner=owner, or_scope=or_scope)
    if into is not None and ownership.loader is None:
        raise ValueError("nothing is loaded that could be handed on")
    return lambda view: _guarded(view, requirement=Requirement(), ownership=ownership, into=into)


class GuardMixin:
    """For class-based views, before ``View``: ``class Notes(GuardMixin, View): requirement = Requirement.of("notes")``.

    ``ownership`` is an ``Owns``; an object that it loads is ``self.owned``.

    Raises:
        TypeError: a class whose bases would dispatch before the guard is asked.
    """

    requirement: ClassVar[Requirement] = Requirement()
    ownership: ClassVar[Owns[Any] | None] = None
    principal: Principal
    owned: Any = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        before = cls.__mro__[1 : cls.__mro__.index(GuardMixin)]
        if any(
            issubclass(base, DjangoView) and not issubclass(base, GuardMixin) and "dispatch" in vars(base)
            for base in before
        ):
            raise TypeError(f"{cls.__qualname__}: GuardMixin comes before View, or it guards nothing")

    @classmethod
    def as_view(cls, **initial: Any) -> Callable[..., Any]:
        """The view, which needs no CSRF token."""
        view: Any = super().as_view(**initial)  # type: ignore[misc]
        view.csrf_exempt = True
        return cast("Callable[..., Any]", view)

    def dispatch(self, request: HttpRequest, *args: Any, **parameters: Any) -> Any:
        """Refuse, or go on to the handler of the method."""
        handler: Any = super().dispatch  # type: ignore[misc]
        if getattr(self, "view_is_async", False):
            return self._dispatch_async(handler, request, *args, **parameters)
        try:
            self.principal = admit(request, self.requirement)
            if self.ownership is not None:
                self.owned = self.ownership.check(self.principal, parameters)
            return kept_from_caches(handler(request, *args, **parameters))
        except GuardError as error:
            return response_for(error)

    async def _dispatch_async(self, handler: Any, request: HttpRequest, *args: Any, **parameters: Any) -> Any:
        try:
            self.principal = await admit_async(request, self.requirement)
            if self.ownership is not None:
                self.owned = await self.ownership.check_async(self.principal, parameters)
            return kept_from_caches(await handler(request, *args, **parameters))
        except GuardError as error:
            return response_for(error)


def _guarded(view: View, *, requirement: Requirement, ownership: Owns[Any] | None, into: str | None) -> View:
    if iscoroutinefunction(view):

        @wraps(view)
        async def guarded_async(request: HttpRequest, *args: Any, **parameters: Any) -> HttpResponseBase:
            try:
                principal = await admit_async(request, requirement)
                loaded = None if ownership is None else await ownership.check_async(principal, parameters)
                answer: HttpResponseBase = await view(request, *args, **_handed(parameters, into, loaded))
            except GuardError as error:
                return response_for(error)
            return kept_from_caches(answer)

        return cast("View", _exempt(guarded_async))

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **parameters: Any) -> HttpResponseBase:
        try:
            principal = admit(request, requirement)
            loaded = None if ownership is None else ownership.check(principal, parameters)
            answer: HttpResponseBase = view(request, *args, **_handed(parameters, into, loaded))
        except GuardError as error:
            return response_for(error)
        return kept_from_caches(answer)

    return cast("View", _exempt(guarded))


def _handed(parameters: dict[str, Any], into: str | None, loaded: Any) -> dict[str, Any]:
    return parameters if into is None else {into: loaded}


def _exempt(guarded: Any) -> Any:
    guarded.csrf_exempt = True
    return guarded
