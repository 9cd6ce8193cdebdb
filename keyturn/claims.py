"""What the claims of an access token must be (RFC 9068 section 2.2): pure rules, one a function."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from keyturn.errors import Expired, InvalidClaim, MissingClaim, NotYetValid, WrongAudience, WrongIssuer
from keyturn.principal import Principal

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRED: Final = ("iss", "sub", "aud", "exp", "iat", "jti", "client_id")

_REQUIRED: Final = frozenset(REQUIRED)

MAX_DATE_SECONDS: Final = 253_402_300_799
"""The last second of the year 9999: what lies beyond is a mistake or an attack, and overflows somebody's calendar."""

_MAX_LIST_ITEMS: Final = 16
_MAX_TEXT_CHARACTERS: Final = 512
# RFC 6749 section 3.3; empty where a token has no scope at all.
_SCOPE: Final = re.compile(r"(?:[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*)?")


def read_principal(claims: Mapping[str, object]) -> Principal:
    """The principal that ``claims`` describe: every claim we know is looked at for presence, type and form.

    Raises:
        MissingClaim: one of ``REQUIRED`` is absent.
        InvalidClaim: one has the wrong type or form.
    """
    if not claims.keys() >= _REQUIRED:
        raise MissingClaim("a required claim is missing")
    return Principal(
        subject=_text(claims["sub"]),
        session_id=_text(claims["sid"]) if "sid" in claims else None,
        client_id=_text(claims["client_id"]),
        scopes=_scopes(claims["scope"]) if "scope" in claims else frozenset(),
        auth_time=_date(claims["auth_time"]) if "auth_time" in claims else None,
        issued_at=_date(claims["iat"]),
        expires_at=_date(claims["exp"]),
        amr=_texts(claims["amr"]) if "amr" in claims else (),
        acr=_text(claims["acr"]) if "acr" in claims else None,
        token_id=_text(claims["jti"]),
        claims=MappingProxyType(
            {name: value if type(value) is str else _frozen(value) for name, value in claims.items()}
        ),
    )


def check_issuer(claims: Mapping[str, object], *, expected_issuer: str) -> None:
    """``iss`` is the expected issuer, compared character by character (RFC 9068 section 4)."""
    if claims["iss"] != expected_issuer:
        raise WrongIssuer("the token is from another issuer")


def check_audience(claims: Mapping[str, object], *, expected_audience: str) -> None:
    """``aud``, one string or a list of them, names the expected audience (RFC 7519 section 4.1.3)."""
    audience = claims["aud"]
    names = _texts(audience) if isinstance(audience, list) else (_text(audience),)
    if expected_audience not in names:
        raise WrongAudience("the token is for another audience")


def check_issued(claims: Mapping[str, object], *, now_ms: int, leeway_seconds: int) -> None:
    """``iat``, and ``nbf`` and ``auth_time`` where present, are not in the future by more than the leeway."""
    latest_ms = now_ms + leeway_seconds * 1000
    if any(_date(claims[name]) * 1000 > latest_ms for name in ("iat", "nbf", "auth_time") if name in claims):
        raise NotYetValid("the token is from the future")


def check_not_expired(principal: Principal, *, now_ms: int, leeway_seconds: int) -> None:
    """``exp`` has not come: the token is dead on that second, not after it (RFC 7519 section 4.1.4)."""
    if now_ms >= (principal.expires_at + leeway_seconds) * 1000:
        raise Expired("the token has expired")


def check_lifetime(principal: Principal, *, max_lifetime_seconds: int | None) -> None:
    """``exp`` comes after ``iat``, and by no more than ``max_lifetime_seconds`` where that is given."""
    lifetime_seconds = principal.expires_at - principal.issued_at
    too_long = max_lifetime_seconds is not None and lifetime_seconds > max_lifetime_seconds
    if lifetime_seconds <= 0 or too_long:
        raise InvalidClaim("the token's life is too long, or ends before it begins")


def _date(value: object) -> int:
    # Not isinstance: True is an int.
    if type(value) is not int or not 0 <= value <= MAX_DATE_SECONDS:
        raise InvalidClaim("a date is not a number of seconds in range")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT_CHARACTERS or not value.isprintable():
        raise InvalidClaim("a claim is not a short printable string")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MAX_LIST_ITEMS:
        raise InvalidClaim("a claim is not a short list")
    return tuple(_text(item) for item in value)


def _scopes(value: object) -> frozenset[str]:
    if not isinstance(value, str) or not _SCOPE.fullmatch(value):
        raise InvalidClaim("the scope is not a list of names with single spaces")
    return frozenset(value.split())


def _frozen(value: object) -> object:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return MappingProxyType({name: _frozen(item) for name, item in value.items()})
    return value
