"""What makes a setting acceptable: small pure checks, and the sentences that name the cure."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr, ValidationError

    from service.settings import Settings

KEY_BYTES = 32
_MAX_KID = 255
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_BASE_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~-]+)*)",
    re.ASCII,
)
_REDIS_URL = re.compile(
    r"rediss?://(?P<user>[^@/?#\s\[\]]*@)?(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-f:]+\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?:/[0-9]{1,4})?",
    re.ASCII,
)
IN_PROCESS = "memory://"
_DEFAULT_PORTS = {"https": "443", "http": "80"}
_MAX_PORT = 65_535
_NEW_KEY = "python -c 'import base64,os; print(base64.b64encode(os.urandom(32)).decode())'"
_LEAST_AHEAD_SECONDS = 600
_LEAST_BEAT_MS = 50
_WEAK_ARGON2_KIB = 19_456
_ONE_PASS_ARGON2_KIB = 47_104


def decode_key(text: str) -> bytes | None:
    """32 bytes from their base64, or None."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def raw_key(value: SecretStr) -> SecretStr:
    """A base64 key of 32 bytes."""
    if decode_key(value.get_secret_value()) is None:
        raise ValueError(f"must be 32 bytes in base64; make one with: {_NEW_KEY}")
    return value


def parse_keys(text: str) -> dict[int, bytes]:
    """``2:base64,1:base64`` as kid to key, the active one first. Raises ValueError."""
    keys: dict[int, bytes] = {}
    for part in text.split(","):
        kid, _, encoded = part.strip().partition(":")
        key = decode_key(encoded)
        if not (kid.isascii() and kid.isdigit() and int(kid) <= _MAX_KID) or key is None or int(kid) in keys:
            raise ValueError(f"must be number:key pairs, the newest first, keys of 32 bytes in base64 from: {_NEW_KEY}")
        keys[int(kid)] = key
    return keys


def keys_by_id(value: SecretStr) -> SecretStr:
    """A list of numbered keys."""
    parse_keys(value.get_secret_value())
    return value


def no_keys_or_keys_by_id(value: SecretStr) -> SecretStr:
    """A list of numbered keys, or nothing."""
    return keys_by_id(value) if value.get_secret_value() else value


def base_url(value: str) -> str:
    """An origin with an optional path: https, or http on loopback; nothing that would make two issuers of one."""
    if value.endswith("/"):
        raise ValueError("must have no slash at its end")
    parts = _BASE_URL.fullmatch(value)
    if parts is None or not _is_port(parts["port"]):
        raise ValueError("must be the public base URL of this service, such as https://auth.example.com, in lower case")
    if parts["scheme"] == "http" and parts["host"] not in _LOOPBACK:
        raise ValueError("must be https (http is for localhost)")
    return value


def origins(value: str) -> str:
    """Origins separated by blanks or commas."""
    found = value.replace(",", " ").split()
    for one in found:
        parts = _BASE_URL.fullmatch(one)
        if parts is None or parts["path"] or not _is_port(parts["port"]):
            raise ValueError(
                "must be exact origins such as https://app.example.com, in lower case, with commas between"
            )
        if parts["port"] == _DEFAULT_PORTS[parts["scheme"]]:
            raise ValueError("must leave out the default port, as browsers do")
        if parts["scheme"] == "http" and parts["host"] not in _LOOPBACK:
            raise ValueError("must be https origins (http is for localhost)")
    return " ".join(found)


def counter_url(value: SecretStr) -> SecretStr:
    """Where the coarse limits are counted. No query: it could lengthen the time-outs, or turn TLS's checks off."""
    text = value.get_secret_value()
    parts = _REDIS_URL.fullmatch(text)
    if text != IN_PROCESS and (parts is None or not _is_port(parts["port"])):
        raise ValueError(
            "must be memory://, or redis:// or rediss:// with [user:password@]host[:port][/database] and no more, "
            "user and password percent-encoded"
        )
    return value


def _is_port(text: str | None) -> bool:
    return text is None or int(text) <= _MAX_PORT


def problems_of(error: ValidationError, prefix: str) -> list[str]:
    """One line a refused setting, by the name of its variable, without its value."""
    lines = []
    for entry in error.errors(include_url=False, include_input=False, include_context=False):
        name = prefix + "_".join(str(part) for part in entry["loc"]).upper()
        match entry["type"]:
            case "missing":
                lines.append(f"{name}: is missing; {_cure(name)}")
            case "extra_forbidden":
                lines.append(f"{name}: is not a setting; see docs/settings.md for their names")
            case _:
                lines.append(f"{name}: {entry['msg'].removeprefix('Value error, ')}")
    return lines


def _cure(name: str) -> str:
    if name.endswith("ISSUER"):
        return "set it to the public base URL of this service, such as https://auth.example.com"
    if name.endswith("IDENTITY_KEY"):
        return f"make 32 bytes with: {_NEW_KEY}"
    return f"set it to 1:KEY with a KEY made by: {_NEW_KEY}"


def unsafe_in_prod(settings: Settings) -> list[str]:
    """What is allowed on a laptop and stops the start elsewhere."""
    checks = {
        "KEYTURN_ISSUER: must be https in prod": settings.issuer.startswith("https://"),
        "KEYTURN_BREACH_LIST: off lets known passwords in; set online or offline in prod": (
            settings.breach_list != "off"
        ),
        "KEYTURN_IDENTITY_KEY: it, KEYTURN_REFRESH_KEYS, KEYTURN_KEY_ENCRYPTION_KEYS and KEYTURN_REVOCATION_FEED_KEYS "
        "each need keys of their own": _keys_differ(settings),
        "KEYTURN_KEY_PUBLISH_AHEAD_SECONDS: set 600 or more, so that verifiers know a key before it signs": (
            settings.key_publish_ahead_seconds >= _LEAST_AHEAD_SECONDS
        ),
        "KEYTURN_THROTTLE: off is for tests; remove it in prod": settings.throttle == "on",
        "KEYTURN_ANSWER_BEAT_MS: is short enough to tell who has an account; remove it, or set 50 or more": (
            settings.answer_beat_ms >= _LEAST_BEAT_MS
        ),
        "KEYTURN_MAIL_URL: is missing; set smtp://user:password@host:587 or ses:": bool(
            settings.mail_url.get_secret_value()
        ),
        "KEYTURN_MAIL_URL: a Maildir reaches nobody; set smtp://, smtps:// or ses: in prod": not _is_maildir(settings),
        "KEYTURN_MAIL_FROM: is missing; set the address that mail comes from": bool(settings.mail_from),
        "KEYTURN_COARSE_LIMITS_URL: a password over redis:// can be read on its way; set rediss://": (
            _redis_password_is_safe(settings)
        ),
        f"KEYTURN_ARGON2_MEMORY_KIB: is too weak; set {_WEAK_ARGON2_KIB} or more": (
            settings.argon2_memory_kib >= _WEAK_ARGON2_KIB
        ),
        "KEYTURN_ARGON2_TIME_COST: one pass is too weak below 46 MiB; set 2 or more": _time_cost_holds(settings),
    }
    return [problem for problem, holds in checks.items() if not holds]


def _keys_differ(settings: Settings) -> bool:
    """Whether no key serves two purposes, and none is a row of one byte (an example copied from somewhere)."""
    lists = [settings.refresh_keys, settings.key_encryption_keys]
    if settings.publishes_revocations:
        lists.append(settings.revocation_feed_keys)
    keys = [
        *(key for one in lists for key in parse_keys(one.get_secret_value()).values()),
        decode_key(settings.identity_key.get_secret_value()) or b"",
    ]
    return len(set(keys)) == len(keys) and all(len(set(key)) > 1 for key in keys)


def _is_maildir(settings: Settings) -> bool:
    return settings.mail_url.get_secret_value().lower().startswith("maildir:")


def _redis_password_is_safe(settings: Settings) -> bool:
    parts = _REDIS_URL.fullmatch(settings.coarse_limits_url.get_secret_value())
    return parts is None or parts["user"] is None or parts[0].startswith("rediss:") or parts["host"] in _LOOPBACK


def _time_cost_holds(settings: Settings) -> bool:
    # OWASP's equivalent settings for argon2id: 46 MiB with one pass, 19 MiB with two.
    return settings.argon2_time_cost > 1 or settings.argon2_memory_kib >= _ONE_PASS_ARGON2_KIB
