"""Which keys each operation touches, with how many units: the operations of docs/cost.md, one call a row."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit.items import user_partition
from service.kernel.email import parse_email
from service.kernel.ids import UserId
from service.kernel.text import NameRefusal
from service.mail.letter import SHARDS as MAIL_SHARDS
from service.mail.letter import shard_name
from service.revocations.items import partition as feed_partition
from service.revocations.model import SHARDS as FEED_OF_REVOCATIONS
from service.throttle.lanes import LaneKeys
from service.users.identity import IdentityKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from benchmarks.scale.behaviour import Scenario

MASTER = bytes(32)
NETWORKS = 4_000_000
"""Client networks (IPv4 addresses, IPv6 /64) that are active in a day; a few carriers stand for many people."""
_BUCKET = 1_000_000


@dataclass(frozen=True, slots=True)
class Touch:
    """Units that one call takes from one partition key."""

    table: str
    key: str
    writes: float = 0.0
    reads: float = 0.0


class Traffic:
    """Makes the calls of a second of a scenario. ``chance`` is seeded, so a run can be repeated."""

    def __init__(self, scenario: Scenario, chance: Random) -> None:
        self._scenario = scenario
        self._chance = chance
        self._identities = IdentityKeys(MASTER)
        self._lanes = LaneKeys(MASTER)
        self._of: dict[str, Callable[[], Iterator[Touch]]] = {
            "refresh": lambda: self.refresh(self._user()),
            "hot refresh": lambda: self.refresh(7),
            "sign in": lambda: self.sign_in(self._user()),
            "wrong password": lambda: self.wrong_password(self._user(), self._network()),
            "guess at one": lambda: self.wrong_password(7, self._network(), remembered=True),
            "guess at many": lambda: self.wrong_password(self._user(), self._chance.randrange(NETWORKS)),
            "log out": lambda: self.log_out(self._user()),
            "sign up": lambda: self.sign_up(self._user()),
            "reset": lambda: self.reset(self._user()),
        }

    def second(self) -> Iterator[Touch]:
        """Every call of one second, and what the processes read by themselves in it."""
        for name, times in self._scenario.rates().items():
            yield from itertools.chain.from_iterable(self._of[name]() for _ in range(times))
        yield from self.by_themselves()

    def refresh(self, user: int) -> Iterator[Touch]:
        """One conditional write and one read."""
        yield Touch("sessions", _id(user), writes=1)
        yield Touch("users", _id(user), reads=1)

    def sign_in(self, user: int) -> Iterator[Touch]:
        """Name and tallies, the user, the session, the event."""
        yield from self._look(user, self._network())
        yield Touch("users", _id(user), reads=1)
        yield Touch("sessions", _id(user), writes=1)
        yield Touch("audit", user_partition(_user_id(user)), writes=1)

    def wrong_password(self, user: int, network: int, *, remembered: bool = False) -> Iterator[Touch]:
        """The same reads, and the account's tally; the network's is written each fifth time.

        A limited account is remembered by each process: it costs nothing but what slips through before (ten and one
        more a process, in a quarter of an hour).
        """
        if remembered and self._chance.random() > self._slips():
            return
        yield from self._look(user, network)
        yield Touch("users", _id(user), reads=1)
        yield Touch("throttle", self._lane("account", user), writes=1)
        if self._chance.random() < 1 / 5:
            yield Touch("throttle", self._lane("address", network), writes=1)

    def log_out(self, user: int) -> Iterator[Touch]:
        """The end of the session, its line in the revocation feed, the event."""
        yield Touch("sessions", _id(user), writes=1)
        yield Touch("revocations", self._feed(), writes=1)
        yield Touch("audit", user_partition(_user_id(user)), writes=1)

    def sign_up(self, user: int) -> Iterator[Touch]:
        """A sign-up that waits, its mail, and its confirmation."""
        yield Touch("onetime", f"verify#{user}", writes=5)
        yield Touch("identities", self._identity(user), writes=2, reads=1)
        yield Touch("users", _id(user), writes=4)
        yield from self._mail(user)
        yield Touch("audit", user_partition(_user_id(user)), writes=1)

    def reset(self, user: int) -> Iterator[Touch]:
        """A forgotten password, its mail, and the new one."""
        yield Touch("identities", self._identity(user), reads=1)
        yield Touch("users", _id(user), writes=8, reads=2)
        yield from self._mail(user)
        yield from self._mail(user)
        yield Touch("revocations", self._feed(), writes=2)
        yield Touch("audit", user_partition(_user_id(user)), writes=1)

    def by_themselves(self) -> Iterator[Touch]:
        """Each process: signing keys twice a minute, mails of others four times a minute, the feed each second."""
        for _ in range(self._scenario.processes):
            if self._chance.random() < 1 / 30:
                yield Touch("keys", "sig#ES256", reads=3)
            if self._chance.random() < 1 / 15:
                for number in range(MAIL_SHARDS):
                    yield Touch("outbox", shard_name(number), reads=1)
            for shard in range(FEED_OF_REVOCATIONS):
                yield Touch("revocations", feed_partition(_BUCKET, shard), reads=1)

    def _look(self, user: int, network: int) -> Iterator[Touch]:
        yield Touch("identities", self._identity(user), reads=1)
        known = self._chance.random() < self._scenario.behaviour.known_device_share
        yield Touch("throttle", self._lane("device" if known else "account", user), reads=1)
        yield Touch("throttle", self._lane("address", network), reads=1)

    def _mail(self, user: int) -> Iterator[Touch]:
        yield Touch("outbox", shard_name(self._chance.randrange(MAIL_SHARDS)), writes=2)
        yield Touch("throttle", self._lane("mail", user), writes=1)

    def _slips(self) -> float:
        allowed = 10 + self._scenario.processes - 1
        return min(1.0, allowed / (900 * max(1, self._scenario.guesses_at_one_account)))

    def _feed(self) -> str:
        return feed_partition(_BUCKET, self._chance.randrange(FEED_OF_REVOCATIONS))

    def _user(self) -> int:
        return self._chance.randrange(self._scenario.behaviour.users)

    def _network(self) -> int:
        # A Pareto tail: the busiest network stands for some thousandths of all people (a carrier's gateway).
        return min(NETWORKS - 1, int(self._chance.paretovariate(0.35)))

    def _identity(self, user: int) -> str:
        email = parse_email(f"user{user}@example.com")
        if isinstance(email, NameRefusal):
            raise TypeError(email)
        return self._identities.of(email)

    def _lane(self, kind: str, number: int) -> str:
        return self._lanes.key(kind, str(number))


def _id(user: int) -> str:
    return user.to_bytes(16, "big").hex()


def _user_id(user: int) -> UserId:
    return UserId(user.to_bytes(16, "big"))
