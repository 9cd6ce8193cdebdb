"""Stored hashes as values. A stored hash is data: what it asks for is read and bounded before anything is computed."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Argon2Cost:
    """What an argon2 hash costs; the default is OWASP's for 19 MiB.

    Raises ValueError for what RFC 9106 section 3.1 rules out: passlib would raise it to the least and only warn.
    """

    memory_kib: int = 19_456
    time: int = 2
    lanes: int = 1

    def __post_init__(self) -> None:
        if self.time < 1 or self.lanes < 1 or self.memory_kib < 8 * self.lanes:
            raise ValueError("argon2 needs a pass, a lane, and 8 KiB for each lane")


@dataclass(frozen=True, kw_only=True)
class CostBounds:
    """The most that a stored hash may ask for; each default is about 1.5 seconds of one core.

    They leave room for the defaults of argon2-cffi (64 MiB), Django (argon2 with 100 MiB and 8 lanes; PBKDF2 with
    1.5 million rounds) and bcrypt (cost 12).
    """

    argon2_memory_kib: int = 131_072
    argon2_time: int = 8
    argon2_lanes: int = 16
    pbkdf2_rounds: int = 3_000_000
    bcrypt_cost: int = 14

    def allow_argon2(self, cost: Argon2Cost) -> bool:
        """Whether ``cost`` is within the bounds."""
        return (
            cost.memory_kib <= self.argon2_memory_kib
            and cost.time <= self.argon2_time
            and cost.lanes <= self.argon2_lanes
        )


class Scheme(enum.Enum):
    """How a stored hash was made."""

    ARGON2 = "argon2"
    DJANGO_PBKDF2_SHA256 = "django_pbkdf2_sha256"
    BCRYPT = "bcrypt"
    DJANGO_BCRYPT_SHA256 = "django_bcrypt_sha256"


@dataclass(frozen=True, kw_only=True)
class StoredHash:
    """A hash that is well-formed and within the bounds; ``text`` is without the framework's own prefix."""

    scheme: Scheme
    text: str


class Why(enum.Enum):
    """What a check found; for the log and the metrics, never for the client."""

    MATCH = "match"
    MISMATCH = "mismatch"
    NO_PASSWORD = "no_password"  # noqa: S105
    NOT_PRESENTABLE = "not_presentable"
    MALFORMED_HASH = "malformed_hash"
    HASH_OVER_BOUND = "hash_over_bound"


NotComputed = Literal[Why.MALFORMED_HASH, Why.HASH_OVER_BOUND]
"""Why a stored hash is not computed at all."""

_ARGON2 = re.compile(
    r"\$argon2(?:id|i)\$(?:v=(?:16|19)\$)?m=(?P<memory>[1-9]\d{0,9}),t=(?P<time>[1-9]\d{0,9}),p=(?P<lanes>[1-9]\d{0,7})"
    r"\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,172}",
    re.ASCII,
)
_PBKDF2 = re.compile(r"pbkdf2_sha256\$(?P<rounds>[1-9]\d{0,9})\$[A-Za-z0-9]{1,128}\$[A-Za-z0-9+/]{43}=", re.ASCII)
# The last character of salt and digest has unused bits; where they are set, passlib warns and repairs. Refused here.
_BCRYPT = re.compile(
    r"(?P<django>bcrypt_sha256\$)?\$2[aby]\$(?P<cost>0[4-9]|[12]\d|3[01])"
    r"\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]",
    re.ASCII,
)
_PREFIXES = (("argon2$argon2", "argon2"), ("bcrypt$$2", "bcrypt$"))
"""Django writes the name of its hasher before a hash in the common form; only the name is cut off."""


def parse_stored(stored: str, *, bounds: CostBounds) -> StoredHash | NotComputed:
    """The hash that ``stored`` spells, or why nothing is computed for it."""
    text = _without_prefix(stored)
    if match := _ARGON2.fullmatch(text):
        return _argon2(text, match, bounds)
    if match := _PBKDF2.fullmatch(text):
        within = int(match["rounds"]) <= bounds.pbkdf2_rounds
        return StoredHash(scheme=Scheme.DJANGO_PBKDF2_SHA256, text=text) if within else Why.HASH_OVER_BOUND
    if match := _BCRYPT.fullmatch(text):
        within = int(match["cost"]) <= bounds.bcrypt_cost
        scheme = Scheme.DJANGO_BCRYPT_SHA256 if match["django"] else Scheme.BCRYPT
        return StoredHash(scheme=scheme, text=text) if within else Why.HASH_OVER_BOUND
    return Why.MALFORMED_HASH


def _argon2(text: str, match: re.Match[str], bounds: CostBounds) -> StoredHash | NotComputed:
    try:
        cost = Argon2Cost(memory_kib=int(match["memory"]), time=int(match["time"]), lanes=int(match["lanes"]))
    except ValueError:
        return Why.MALFORMED_HASH
    return StoredHash(scheme=Scheme.ARGON2, text=text) if bounds.allow_argon2(cost) else Why.HASH_OVER_BOUND


def _without_prefix(stored: str) -> str:
    for start, prefix in _PREFIXES:
        if stored.startswith(start):
            return stored.removeprefix(prefix)
    return stored


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer of a check. Only MATCH opens an account; ``needs_rehash`` asks for a new hash with today's cost."""

    why: Why
    needs_rehash: bool = False

    @property
    def ok(self) -> bool:
        """Whether the password is right."""
        return self.why is Why.MATCH

    @staticmethod
    def yes(*, needs_rehash: bool) -> Verdict:
        """The password is right."""
        return Verdict(why=Why.MATCH, needs_rehash=needs_rehash)

    @staticmethod
    def no(why: Why) -> Verdict:
        """The password is not right, or there is none."""
        return Verdict(why=why)
