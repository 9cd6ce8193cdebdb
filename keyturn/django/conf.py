"""What a Django project sets: the one place that reads it.

KEYTURN = {
    "issuer": "https://auth.example.com",
    "audience": "https://notes.example.com",
    "leeway_seconds": 2,                              # this and the rest may be left out
    "max_lifetime_seconds": None,
    "permissions": {"notes.add_note": "notes:write"}, # what ``has_perm`` makes of Django's names
}

``{"verifier": ...}``, a ``Verifier`` or the dotted path to one, takes the place of all but ``permissions``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from keyturn.guard import Verifier

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTING: Final = "KEYTURN"
_NEEDED: Final = frozenset({"issuer", "audience"})
_KNOWN: Final = _NEEDED | {"leeway_seconds", "max_lifetime_seconds"}
_USERS: Final = "django.contrib.auth.middleware.AuthenticationMiddleware"
_WITH_ONE: Final = frozenset({"verifier"})


@cache
def the_verifier() -> Verifier:
    """The project's verifier, made once.

    Raises:
        ImproperlyConfigured: the setting is missing, or holds something else than it may.
    """
    given = {name: value for name, value in _setting().items() if name != "permissions"}
    if given.keys() == _WITH_ONE:
        return _named(given["verifier"])
    if not _NEEDED <= given.keys() <= _KNOWN:
        raise ImproperlyConfigured(f"{SETTING} needs issuer and audience, or a verifier, and knows nothing else")
    try:
        return Verifier(**given)
    except (TypeError, ValueError) as error:
        raise ImproperlyConfigured(f"{SETTING}: {error}") from error


@cache
def permissions() -> Mapping[str, str]:
    """Django's names of permissions and the scope that stands for each."""
    given = _setting().get("permissions", {})
    if not isinstance(given, dict) or not all(isinstance(text, str) for pair in given.items() for text in pair):
        raise ImproperlyConfigured(f"{SETTING}: permissions is a dict from a permission's name to a scope")
    return given


def check_order(guard: str) -> None:
    """The middleware ``guard`` stands after Django's own authentication, which would put its user over the token's.

    Raises:
        ImproperlyConfigured: it stands before.
    """
    names = list(settings.MIDDLEWARE)
    if _USERS in names and guard in names[: names.index(_USERS)]:
        raise ImproperlyConfigured(f"MIDDLEWARE: {guard} comes after {_USERS}")


def _setting() -> dict[str, Any]:
    given = getattr(settings, SETTING, None)
    if not isinstance(given, dict):
        raise ImproperlyConfigured(f"{SETTING} is a dict; what it may hold is on the page of keyturn.django.conf")
    return given


def _named(verifier: object) -> Verifier:
    found = import_string(verifier) if isinstance(verifier, str) else verifier
    if not isinstance(found, Verifier):
        raise ImproperlyConfigured(f"{SETTING}: verifier is neither a Verifier nor the path to one")
    return found


def _forget(*, setting: str, **_: object) -> None:
    if setting == SETTING:
        the_verifier.cache_clear()
        permissions.cache_clear()


setting_changed.connect(_forget)
