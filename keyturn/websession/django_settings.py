"""What a Django site sets, and what is refused: the one place that reads its settings.

KEYTURN_WEBSESSION = {
    "table": "site-websessions",
    "keys": os.environ["SITE_SESSION_KEYS"],    # "1:BASE64 of 32 bytes"; a new key goes in front
    "idle_seconds": 3600,                       # and the rest has defaults
    "absolute_seconds": 86400,
    "max_bytes": 16384,
    "user_keys": ["member_id"],                 # where code of the site's own keeps the user; the default is USER_KEYS
    "region": None,
    "endpoint_url": None,
}
SESSION_COOKIE_NAME = "__Host-session"
SESSION_COOKIE_SECURE = True
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from keyturn.websession.client import DynamoSessionTable, connect
from keyturn.websession.cookie import Cookie
from keyturn.websession.flows import DEFAULT_MAX_BYTES, Sessions
from keyturn.websession.model import DEFAULT_LIFETIMES, Lifetimes
from keyturn.websession.seal import Keyring
from keyturn.websession.users import USER_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTING: Final = "KEYTURN_WEBSESSION"
_NEEDED: Final = frozenset({"table", "keys"})
_KNOWN: Final = _NEEDED | {"idle_seconds", "absolute_seconds", "max_bytes", "user_keys", "region", "endpoint_url"}


@cache
def site_sessions() -> Sessions:
    """The sessions of this site, made once.

    Raises:
        ImproperlyConfigured: a setting is missing, unknown or unsafe.
    """
    given = getattr(settings, SETTING, None)
    if not isinstance(given, dict) or not _NEEDED <= given.keys() <= _KNOWN:
        raise ImproperlyConfigured(
            f"{SETTING} is a dict with table and keys; what it may hold is on the page of its module"
        )
    check_cookie()
    try:
        return _built(given)
    except ValueError as error:
        raise ImproperlyConfigured(f"{SETTING}: {error}") from error


def check_cookie() -> None:
    """Django's settings for the cookie give what ``Cookie`` asks for. With DEBUG, plain HTTP is let through.

    Raises:
        ImproperlyConfigured: they do not.
    """
    unsafe = settings.DEBUG and not settings.SESSION_COOKIE_SECURE
    try:
        Cookie(name=cookie_name(), same_site=str(settings.SESSION_COOKIE_SAMESITE), unsafe_http=unsafe)
    except ValueError as error:
        raise ImproperlyConfigured(f"SESSION_COOKIE_…: {error}") from error
    safe = (settings.SESSION_COOKIE_SECURE or unsafe) and settings.SESSION_COOKIE_HTTPONLY
    if not safe or settings.SESSION_COOKIE_PATH != "/" or settings.SESSION_COOKIE_DOMAIN is not None:
        raise ImproperlyConfigured(
            "SESSION_COOKIE_…: a session cookie is Secure and HttpOnly, for / and without a domain"
        )


def cookie_name() -> str:
    """The cookie's name."""
    return str(settings.SESSION_COOKIE_NAME)


def _built(given: Mapping[str, Any]) -> Sessions:
    lifetimes = Lifetimes(
        idle_seconds=given.get("idle_seconds", DEFAULT_LIFETIMES.idle_seconds),
        absolute_seconds=given.get("absolute_seconds", DEFAULT_LIFETIMES.absolute_seconds),
    )
    client = connect(region=given.get("region"), endpoint_url=given.get("endpoint_url"))
    return Sessions(
        table=DynamoSessionTable(name=given["table"], client=client),
        keys=Keyring.parse(given["keys"]),
        lifetimes=lifetimes,
        max_bytes=given.get("max_bytes", DEFAULT_MAX_BYTES),
        user_keys=given.get("user_keys", USER_KEYS),
    )


def _begin_anew(*, setting: str, **_: Any) -> None:
    # Sent by override_settings in tests only.
    if setting == SETTING or setting.startswith("SESSION_COOKIE_"):
        site_sessions.cache_clear()


setting_changed.connect(_begin_anew, dispatch_uid="keyturn.websession")
