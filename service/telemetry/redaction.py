"""What a log line may say: three nets, each for what slipped through the one before.

1. The type: ``Secret``, bytes and pydantic's secret types are masked; objects that are not plain data are named only.
2. The key: whatever stands under ``password``, ``token``, ``cookie`` and their like.
3. The look: our tokens, JWTs, password hashes, credentials in URLs, and ``password=...`` inside any text.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import PurePath
from typing import Any
from uuid import UUID

from service.kernel.secret import Secret

MASK = "**redacted**"

_MAX_DEPTH = 6
_MAX_ITEMS = 64
_MAX_CHARACTERS = 8_000
_KEPT_CHARACTERS = 64

_PLAIN = (int, float, bool, type(None))
_PRINTABLE = (date, timedelta, Decimal, UUID, PurePath, IPv4Address, IPv6Address, IPv4Network, IPv6Network)
_CONTAINERS = (list, tuple, set, frozenset)

_HARMLESS_KEYS = frozenset({"status_code", "error_code", "exit_code", "token_type"})
_SENSITIVE_KEY = re.compile(
    r"passw|passphrase|secret|token|authori[sz]ation|cookie|credential|private_?key|api_?key|signature|totp|(?:^|_)otp"
    r"|(?:^|_)codes?$|(?:^|_)pin$",
    re.IGNORECASE,
)

_WHOLE_LOOKS = re.compile(
    r"ktr_[A-Za-z0-9_-]+"
    r"|eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){1,4}"
    r"|\$(?:argon2[a-z]*|2[abxy]|scrypt|pbkdf2[a-z0-9-]*)\$[^\s'\";]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.DOTALL,
)
_URL_CREDENTIALS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]{1,20}://)[^\s/@]+@", re.IGNORECASE)
_SCHEMES = re.compile(r"\b(?P<scheme>Bearer|Basic|DPoP) +[^\s'\",;]+", re.IGNORECASE)
_ASSIGNMENTS = re.compile(
    r"(?P<name>[a-z_-]{0,20}(?:passw(?:or)?d|passphrase|secret|token|authorization|cookie)[\"']?\s*[=:]\s*)"
    r"(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;&}\])]+)",
    re.IGNORECASE,
)

_HINTS = (
    *("ktr_", "eyj", "$", "-----begin", "://"),
    *("bearer", "basic", "dpop"),
    *("passwd", "password", "passphrase", "secret", "token", "authorization", "cookie"),
)
"""One of these, in lower case, is in whatever the patterns match: looking for them spares most texts the patterns."""


def is_sensitive(key: str) -> bool:
    """Whether what stands under ``key`` is masked whatever it is."""
    return key.lower() not in _HARMLESS_KEYS and _SENSITIVE_KEY.search(key) is not None


def redact_text(text: str) -> str:
    """``text`` with everything masked that looks like a secret, cut to a bounded length first."""
    if len(text) > _MAX_CHARACTERS:
        text = text[:_MAX_CHARACTERS] + "..."
    # Beyond ASCII, letters match the patterns that no comparison in lower case finds (long s, dotless i).
    if text.isascii() and not _has_hint(text.lower()):
        return text
    return _mask_looks(text)


def _has_hint(lowered: str) -> bool:
    for hint in _HINTS:  # noqa: SIM110 - several times as fast as any(), for each text of each line
        if hint in lowered:
            return True
    return False


def _mask_looks(text: str) -> str:
    text = _WHOLE_LOOKS.sub(MASK, text)
    text = _URL_CREDENTIALS.sub(rf"\g<scheme>{MASK}@", text)
    text = _SCHEMES.sub(rf"\g<scheme> {MASK}", text)
    return _ASSIGNMENTS.sub(rf"\g<name>{MASK}", text)


def redact(value: Any, *, depth: int = 0) -> Any:
    """``value`` as plain data that may be logged; what is not known to be harmless is named by its class only."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return redact_text(value)
    if isinstance(value, (Secret, bytes, bytearray, memoryview)) or hasattr(value, "get_secret_value"):
        return MASK
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, _PRINTABLE):
        return redact_text(str(value))
    if depth >= _MAX_DEPTH:
        return "..."
    return _redact_many(value, depth + 1)


def redact_mapping(members: Mapping[Any, Any], *, depth: int = 0) -> dict[str, Any]:
    """A mapping with sensitive keys masked and everything else redacted."""
    redacted: dict[str, Any] = {}
    for key, member in list(members.items())[:_MAX_ITEMS]:
        name, sensitive = _name_of(key)
        redacted[name] = MASK if sensitive and member is not None else redact(member, depth=depth)
    return redacted


def _name_of(key: Any) -> tuple[str, bool]:
    """What ``key`` is called, and whether what stands under it is masked."""
    if type(key) is str and len(key) <= _KEPT_CHARACTERS:
        return _known_name(key)
    name = redact_text(key) if isinstance(key, str) else type(key).__name__
    return name, is_sensitive(name)


@lru_cache(maxsize=1024)
def _known_name(key: str) -> tuple[str, bool]:
    """Most keys are a few words of ours."""
    name = redact_text(key)
    return name, is_sensitive(name)


def _redact_many(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return redact_mapping(value, depth=depth)
    if isinstance(value, _CONTAINERS):
        return [redact(member, depth=depth) for member in list(value)[:_MAX_ITEMS]]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {"class": type(value).__name__, **redact_mapping(fields, depth=depth)}
    name = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"<{name}>"
