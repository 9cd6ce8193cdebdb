"""Flask: ``guard = Guard(verifier, app)``, then one decorator a view.

``@guard.signed_in``, ``@guard.requires("notes:write")``, ``@guard.owns("user_id")``; inside, ``current_principal``.
A decorator stands below ``@app.get(...)``, so that Flask registers what it guards; above it, requests fail.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Flask, Response, current_app, g, json, request
from werkzeug.local import LocalProxy

from keyturn.challenge import refusal_to
from keyturn.errors import GuardError, NoToken
from keyturn.ownership import DEFAULT_OWNER, Owns
from keyturn.principal import Principal
from keyturn.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flask import Blueprint

    from keyturn.guard import Verifier

View = TypeVar("View", bound="Callable[..., Any]")
_EXTENSION = "keyturn"
_ENVIRON_KEY = "keyturn.principal"
_ADMITTED_KEY = "keyturn.admitted"
_NOBODY = Requirement()


class Guard:
    """The extension, and the guards of one verifier."""

    def __init__(self, verifier: Verifier, app: Flask | None = None) -> None:
        self.verifier = verifier
        self._guarded: set[Callable[..., Any]] = set()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Answer the errors of guards as problem documents (RFC 9457), wherever they are raised."""
        app.extensions[_EXTENSION] = self
        app.register_error_handler(GuardError, response_for)
        app.before_request(self._refuse_bare_view)

    def admit(self, requirement: Requirement = _NOBODY) -> Principal:
        """The caller of this request, of whom ``requirement`` holds; also in ``current_principal`` from here on.

        Raises:
            GuardError: see ``Verifier.authenticate`` and ``Verifier.require``.
        """
        # By verifier: what one of them has admitted, another one may not even know.
        admitted: dict[Verifier, Principal] = request.environ.setdefault(_ADMITTED_KEY, {})
        principal = admitted.get(self.verifier)
        if principal is None:
            principal = self.verifier.authenticate(request.headers.getlist("Authorization"))
            admitted[self.verifier] = principal
        request.environ[_ENVIRON_KEY] = g.principal = principal
        self.verifier.require(principal, requirement)
        return principal

    def protect(self, part: Flask | Blueprint, requirement: Requirement = _NOBODY) -> None:
        """Admit nobody else to any view of ``part``, so that no view can forget it."""

        def admit() -> None:
            if not _is_answered_by_flask():
                self.admit(requirement)

        part.before_request(admit)

    def signed_in(self, view: View) -> View:
        """A decorator: anybody with a good access token."""
        return self.requires()(view)

    def requires(
        self,
        *scopes: str,
        max_age_seconds: int | None = None,
        amr: Iterable[str] = (),
        acr_values: Iterable[str] = (),
    ) -> Callable[[View], View]:
        """A decorator: every scope, and a sign-in that is recent and strong enough."""
        requirement = Requirement.of(*scopes, max_age_seconds=max_age_seconds, amr=amr, acr_values=acr_values)

        def decorate(view: View) -> View:
            @wraps(view)
            def guarded(*args: Any, **parameters: Any) -> Any:
                self.admit(requirement)
                return current_app.ensure_sync(view)(*args, **parameters)

            self._guarded.update(_within(guarded))
            return cast("View", guarded)

        return decorate

    def owns(
        self,
        target: str | Callable[..., Any],
        *,
        owner: str | Callable[[Any], str] = DEFAULT_OWNER,
        or_scope: str | None = None,
        into: str | None = None,
    ) -> Callable[[View], View]:
        """A decorator: the caller owns what the path names, or there is nothing (404); holders of ``or_scope`` pass.

        ``owns("user_id")`` compares that path parameter with the subject. ``owns(load_note, into="note")`` calls the
        loader with the path's parameters and hands the object to the view as ``note`` in place of them; without
        ``into`` the view gets the parameters.
        """
        ownership = Owns(target, owner=owner, or_scope=or_scope)
        if into is not None and ownership.loader is None:
            raise ValueError("nothing is loaded that could be handed on")

        def decorate(view: View) -> View:
            @wraps(view)
            def guarded(**parameters: Any) -> Any:
                loaded = ownership.check(self.admit(), parameters)
                handed = parameters if into is None else {into: loaded}
                return current_app.ensure_sync(view)(**handed)

            self._guarded.update(_within(guarded))
            return cast("View", guarded)

        return decorate

    def _refuse_bare_view(self) -> None:
        # A decorator above ``@app.get`` guards a name that nobody calls; Flask would call what it was given below.
        view = None if request.endpoint is None else current_app.view_functions.get(request.endpoint)
        if view in self._guarded:
            raise RuntimeError(f"a guard stands above the route of {request.endpoint!r}, where Flask does not see it")


def response_for(error: GuardError) -> Response:
    """The problem document for ``error``, with its challenge. Raises ``error`` where the service is at fault."""
    answer = refusal_to(error)
    return Response(json.dumps(answer.problem), status=answer.status, headers=dict(answer.headers))


def _within(guarded: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """What ``guarded`` stands around, to the innermost function."""
    inner: Callable[..., Any] | None = guarded
    while (inner := getattr(inner, "__wrapped__", None)) is not None:
        yield inner


def _current() -> Principal:
    principal = _admitted()
    if principal is None:
        raise NoToken("no guard has admitted anybody to this request")
    return principal


def _admitted() -> Principal | None:
    # ``g`` belongs to the application's context, which several requests share where one stays open around them.
    found = request.environ.get(_ENVIRON_KEY)
    return found if isinstance(found, Principal) else None


def _is_answered_by_flask() -> bool:
    """Whether this is a browser's question before a request, which carries no token and reaches no view."""
    return request.method == "OPTIONS" and getattr(request.url_rule, "provide_automatic_options", False)


current_principal: Principal = cast("Principal", LocalProxy(_current))
"""The caller that a guard has admitted to this request; using it where none has is a refusal (401)."""
