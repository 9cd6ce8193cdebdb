"""What a route may ask of a principal beyond a valid token: pure rules, and one value that joins them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from keyturn.errors import InsufficientScope, StepUpRequired

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keyturn.principal import Principal

# A scope (RFC 6749 section 3.3); the same characters for an acr value, which stands in a quoted list as well.
_NAME: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")


def is_name(text: str) -> bool:
    """Whether ``text`` can be a scope, and stand in a challenge."""
    return _NAME.fullmatch(text) is not None


def require_scopes(principal: Principal, *scopes: str) -> None:
    """The token holds each of ``scopes``.

    Raises:
        InsufficientScope: it lacks one; the error names all that are needed (RFC 6750 section 3.1).
    """
    if not principal.scopes.issuperset(scopes):
        raise InsufficientScope(*scopes)


def require_recent(principal: Principal, *, max_age_seconds: int, now_ms: int) -> None:
    """The user gave proof at most ``max_age_seconds`` before ``now_ms``. A token without ``auth_time`` never has.

    Raises:
        StepUpRequired: with ``max_age`` in its challenge (RFC 9470 section 3).
    """
    if not principal.authenticated_within(max_age_seconds=max_age_seconds, now_ms=now_ms):
        raise StepUpRequired(max_age_seconds=max_age_seconds)


def require_amr(principal: Principal, *methods: str) -> None:
    """The user proved themselves by each of ``methods`` (RFC 8176: ``pwd``, ``otp``, ``hwk``, ``mfa``, …).

    Raises:
        StepUpRequired: no challenge has a parameter for methods, so it names none.
    """
    if not set(principal.amr).issuperset(methods):
        raise StepUpRequired


def require_acr(principal: Principal, *values: str) -> None:
    """The sign-in reached one of the ``values`` of authentication context, in order of preference.

    Raises:
        StepUpRequired: with ``acr_values`` in its challenge (RFC 9470 section 3).
    """
    if principal.acr not in values:
        raise StepUpRequired(acr_values=values)


def _names(given: Iterable[str]) -> tuple[str, ...]:
    # A text is an iterable of texts as well, and nobody signs in by the methods o, t and p.
    return (given,) if isinstance(given, str) else tuple(given)


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """What a route asks for: every scope, a recent sign-in, every method, one of the ``acr`` values.

    Build it once, where the route is declared: a name that cannot be a scope, or an age below zero, is refused there
    with a ValueError. ``Requirement.of("notes:write", max_age_seconds=300)`` is the short form.
    """

    scopes: tuple[str, ...] = ()
    max_age_seconds: int | None = None
    amr: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if any(isinstance(given, str) for given in (self.scopes, self.amr, self.acr_values)):
            raise ValueError("scopes, methods and acr values are tuples of names")
        names = (*self.scopes, *self.amr, *self.acr_values)
        if not all(is_name(name) for name in names):
            raise ValueError("a scope, method or acr value has a character that it cannot have")
        if self.max_age_seconds is not None and self.max_age_seconds < 0:
            raise ValueError("max_age_seconds is below zero")

    @classmethod
    def of(
        cls,
        *scopes: str,
        max_age_seconds: int | None = None,
        amr: Iterable[str] = (),
        acr_values: Iterable[str] = (),
    ) -> Self:
        """A requirement with its scopes as they come. A lone text for ``amr`` or ``acr_values`` is one name."""
        return cls(scopes=scopes, max_age_seconds=max_age_seconds, amr=_names(amr), acr_values=_names(acr_values))

    def check(self, principal: Principal, *, now_ms: int) -> None:
        """Everything holds of ``principal``. A missing scope is told first: no sign-in would cure it.

        Raises:
            InsufficientScope: a scope is missing.
            StepUpRequired: the sign-in is too old or too weak; the challenge names all that this route asks for.
        """
        require_scopes(principal, *self.scopes)
        recent = self.max_age_seconds is None or principal.authenticated_within(
            max_age_seconds=self.max_age_seconds, now_ms=now_ms
        )
        strong = set(principal.amr).issuperset(self.amr) and (not self.acr_values or principal.acr in self.acr_values)
        if not (recent and strong):
            raise StepUpRequired(max_age_seconds=self.max_age_seconds, acr_values=self.acr_values)
