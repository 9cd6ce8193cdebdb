"""What the guard needs from outside, as protocols: time, and word of what has been revoked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    from keyturn.issuer_keys import IssuerKeys
    from keyturn.keys import VerifyingKey
    from keyturn.principal import Principal


class Clock(Protocol):
    """What the guard may know of time."""

    def now_ms(self) -> int:
        """Wall time in milliseconds since the Unix epoch."""
        ...

    def monotonic_seconds(self) -> float:
        """A time that never goes back, for measuring durations within this process."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Wall time in milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000

    def monotonic_seconds(self) -> float:
        """A time that never goes back."""
        return time.monotonic()


class Revocations(Protocol):
    """Who knows which sessions and users have been revoked while their access tokens still live.

    ``Verifier(revocations=...)`` asks for every token whose signature and claims are good, on the request's path:
    the answer comes from memory. It is called from any thread, and from event loops.
    """

    def is_revoked(self, principal: Principal) -> bool:
        """Whether ``principal``'s session or user was revoked after its token was issued.

        Raises:
            RevocationUnknown: what is known is older than its bound. Never guess: the guard answers 503.
        """
        ...


@runtime_checkable
class TakesKeys(Protocol):
    """An object that verifies what the issuer signs, as ``Revocations`` that it publishes."""

    def offer_keys(self, keys: Mapping[str, VerifyingKey] | IssuerKeys, *, issuer: str) -> None:
        """Keys that a verifier of ``issuer`` has. Taken where none were given and the issuer is the same."""
        ...


@runtime_checkable
class Pending(Protocol):
    """An object that may have to learn before it can answer, as ``Revocations`` that have not been fetched yet."""

    def pending(self) -> Future[None] | None:
        """What to wait for before asking, or None where asking makes sense now. Waiting for it is bounded.

        It resolves to None whatever came of it; its users ask again then. It is in the state RUNNING, so that whoever
        stops waiting cancels it for nobody.
        """
        ...
