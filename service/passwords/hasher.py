"""Makes and checks password hashes: argon2id for our own, and those of other systems until their owners sign in.

The only door to passlib (the distribution ``libpass``). What can be told apart by time: nothing between an unknown
user, a user without a password and a wrong password on a hash of today's cost; each is one argon2id. A wrong
password on a hash of another scheme or cost takes that hash and then the argon2id too, so it is never quicker than an
unknown user, but it is slower until its owner signs in and the hash is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from passlib.context import CryptContext  # type: ignore[import-untyped]

from service.errors import Unavailable
from service.passwords.model import (
    Argon2Cost,
    CostBounds,
    Scheme,
    Verdict,
    Why,
    parse_stored,
)
from service.passwords.policy import normalise

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from service.kernel.entropy import Entropy
    from service.kernel.secret import Secret
    from service.telemetry.hashing import Pool

_SALT_BYTES = 16
_DIGEST_BYTES = 32
_BCRYPT_BYTES = 72

Argon2Engine = Literal["argon2-cffi", "libsodium"]
"""Which library computes argon2id; the hashes are the same."""


@dataclass(frozen=True, kw_only=True)
class PasswordHasher:
    """Hashes and checks in ``pool`` with ``cost``; computes no stored hash that asks for more than ``bounds``.

    Construction makes the decoy, so it takes one hash's time. Raises ValueError where ``cost`` is not within
    ``bounds``, since no hash that it makes could be checked, or asks ``engine`` for what it does not know.
    """

    pool: Pool
    entropy: Entropy
    cost: Argon2Cost = field(default_factory=Argon2Cost)
    bounds: CostBounds = field(default_factory=CostBounds)
    engine: Argon2Engine = "argon2-cffi"
    _context: CryptContext = field(init=False, repr=False, compare=False)
    _decoy: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.bounds.allow_argon2(self.cost):
            raise ValueError("the cost of new hashes is over the bound on stored ones")
        if self.engine == "libsodium" and self.cost.lanes != 1:
            raise ValueError("libsodium computes argon2id with one lane only")
        object.__setattr__(self, "_context", _context(self.cost, self.engine))
        object.__setattr__(self, "_decoy", self._make(self.entropy.token_bytes(_DIGEST_BYTES)))

    @property
    def memory_limit_bytes(self) -> int:
        """The most memory that all hashing takes at one time."""
        return self.pool.slots * max(self.cost.memory_kib, self.bounds.argon2_memory_kib) * 1024

    async def hash(self, password: Secret[str]) -> str:
        """A fresh argon2id hash of ``password``, which the policy has let through.

        Raises ValueError for a password that no policy lets through, Unavailable when the queue is full.
        """
        octets = normalise(password)
        if octets is None:
            raise ValueError("this password was not put before the policy")
        return await self.pool.run(partial(self._make, octets))

    async def verify(
        self, password: Secret[str], stored: str | None, *, on_slot: Callable[[], Awaitable[None]] | None = None
    ) -> Verdict:
        """Whether ``password`` is the one that ``stored`` was made of; None stands for an unknown user.

        ``on_slot`` is awaited between getting a slot and hashing: the place to look at the throttle once more. After
        ``needs_rehash`` the caller hashes anew and stores it on condition that ``stored`` is still there.

        Raises Unavailable when the queue is full, and nothing for a stored hash, whatever it is.
        """
        return await self.pool.run(partial(self._judge, password, stored), on_slot=on_slot)

    def _judge(self, password: Secret[str], stored: str | None) -> Verdict:
        presented = normalise(password)
        if presented is None:
            return self._refuse(b"", Why.NOT_PRESENTABLE)
        if stored is None:
            return self._refuse(presented, Why.NO_PASSWORD)
        parsed = parse_stored(stored, bounds=self.bounds)
        if isinstance(parsed, Why):
            return self._refuse(presented, parsed)
        try:
            is_stale = parsed.text != stored or self._context.needs_update(parsed.text)
            matches = self._context.verify(_octets_for(parsed.scheme, password, presented), parsed.text)
        except ValueError:  # well-formed to us and not to the library, which puts the hash into its message
            return self._refuse(presented, Why.MALFORMED_HASH)
        if matches:
            return Verdict.yes(needs_rehash=is_stale)
        return self._refuse(presented, Why.MISMATCH) if is_stale else Verdict.no(Why.MISMATCH)

    def _refuse(self, presented: bytes, why: Why) -> Verdict:
        """The refusal, after the work that a check of today's cost would have been."""
        try:
            self._context.verify(presented, self._decoy)
        except ValueError:
            raise _out_of_memory() from None
        return Verdict.no(why)

    def _make(self, octets: bytes) -> str:
        argon2 = self._context.handler(Scheme.ARGON2.value).using(salt=self.entropy.token_bytes(_SALT_BYTES))
        try:
            return str(argon2.hash(octets))
        except ValueError:
            raise _out_of_memory() from None


def _octets_for(scheme: Scheme, password: Secret[str], presented: bytes) -> bytes:
    """What the system that made the hash has hashed.

    Others hash what was typed, without NFKC. The bcrypt of other systems reads 72 octets and ignores the rest, where
    today's library raises: cut here, so that their users can sign in once more and get a hash of the whole.
    """
    if scheme is Scheme.ARGON2:
        return presented
    typed = password.reveal().encode()
    return typed[:_BCRYPT_BYTES] if scheme is Scheme.BCRYPT else typed


def _out_of_memory() -> Unavailable:
    return Unavailable("argon2id could not be computed: most likely there is no memory for it")


def _context(cost: Argon2Cost, engine: Argon2Engine) -> CryptContext:
    handlers: dict[Scheme, object] = {}
    if engine == "libsodium":
        # Who does not ask for it need not have it.
        from service.passwords.libsodium import LibsodiumArgon2

        handlers[Scheme.ARGON2] = LibsodiumArgon2
    context = CryptContext(
        schemes=[handlers.get(scheme, scheme.value) for scheme in Scheme],
        default=Scheme.ARGON2.value,
        deprecated="auto",
        argon2__type="ID",
        argon2__memory_cost=cost.memory_kib,
        argon2__time_cost=cost.time,
        argon2__parallelism=cost.lanes,
        argon2__hash_len=_DIGEST_BYTES,
    )
    # passlib tests its bcrypt at first use; now, and not in the first sign-in's thread.
    context.handler(Scheme.BCRYPT.value).get_backend()
    context.handler(Scheme.DJANGO_BCRYPT_SHA256.value).get_backend()
    return context
