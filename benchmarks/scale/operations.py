"""Which keys each operation touches, with how many units: those of docs/cost.md, beside a revocation feed.

A write inside a transaction counts twice. Quotas of mails are rested: one write each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.accounts.repo import pointer_key
from service.audit.items import FEED_SHARDS as SHARDS_OF_NOBODY
from service.audit.items import nobodys_partition, user_partition
from service.kernel.email import parse_email
from service.kernel.ids import UserId
from service.kernel.text import NameRefusal
from service.mail.letter import SHARDS as MAIL_SHARDS
from service.mail.letter import shard_name
from service.revocations.items import partition as feed_partition
from service.revocations.model import SHARDS as FEED_SHARDS
from service.throttle.device import DeviceId
from service.throttle.lanes import LaneKeys
from service.throttle.limits import MAIL_FROM_NETWORK, MAIL_OF_NEW_DEVICES, MAIL_TO_ADDRESS
from service.tokens.onetime import OneTimeKeys
from service.users.identity import IdentityKeys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from service.throttle.lanes import Lanes
    from service.throttle.quota import Quota

MASTER = bytes(32)
BUCKET = 1_000_000
DAY = "20261126"


@dataclass(frozen=True, slots=True)
class Touch:
    """Units that one call takes from one partition key."""

    table: str
    key: str
    writes: float = 0.0
    reads: float = 0.0


class Operations:
    """What each operation takes, by the numbers of users and networks. ``chance`` draws shards and ids."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._identities = IdentityKeys(MASTER)
        self._lanes = LaneKeys(MASTER)
        self._sign_ups = OneTimeKeys(MASTER, purpose="signup")

    def refresh(self, user: int) -> Iterator[Touch]:
        """One conditional write and one read."""
        key = _id(user)
        yield Touch("sessions", key, writes=1)
        yield Touch("users", key, reads=1)

    def sign_in(self, user: int, network: int, *, is_known: bool) -> Iterator[Touch]:
        """Name and tallies, the user, the session, the event; of a device that is not known its owner is told."""
        yield from self._look(user, self._lanes_of(user, network, is_known=is_known))
        yield self._event(user)
        if is_known:
            yield Touch("sessions", _id(user), writes=1)
            return
        yield self._quota(MAIL_OF_NEW_DEVICES, self.identity(user))
        yield Touch("sessions", _id(user), writes=2)
        yield self._mail()

    def wrong_password(self, user: int, network: int, *, is_known: bool, fills_batch: bool) -> Iterator[Touch]:
        """The same reads, the tally of the account or device, the event; the network's tally is written in batches."""
        lanes = self._lanes_of(user, network, is_known=is_known)
        yield from self._look(user, lanes)
        yield Touch("throttle", (lanes.device or lanes.account).key, writes=1)
        if fills_batch:
            yield Touch("throttle", lanes.address.key, writes=1)
        yield self._event(user)

    def log_out(self, user: int) -> Iterator[Touch]:
        """A look at the session, its line in the revocation feed, its end, the event."""
        yield Touch("sessions", _id(user), writes=1, reads=1)
        yield Touch("revocations", self._feed(), writes=1)
        yield self._event(user)

    def register(self, user: int, network: int, sign_up_key: str) -> Iterator[Touch]:
        """Both quotas, a look at the name, and in one transaction the sign-up that waits, its pointer and its mail."""
        email_key = self.identity(user)
        yield from self._asks_for_mail(email_key, network)
        yield Touch("identities", email_key, reads=1)
        yield Touch("onetime", sign_up_key, writes=2)
        yield Touch("onetime", pointer_key(email_key), writes=2)
        yield self._mail()
        yield Touch("audit", nobodys_partition(DAY, self._chance.randrange(SHARDS_OF_NOBODY)), writes=1)

    def confirm(self, user: int, sign_up_key: str) -> Iterator[Touch]:
        """The sign-up is read, and spent in one transaction with the name, the profile and the password."""
        yield Touch("onetime", sign_up_key, writes=2, reads=1)
        yield Touch("identities", self.identity(user), writes=2)
        yield Touch("users", _id(user), writes=4)
        yield self._event(user)

    def forgot(self, user: int, network: int) -> Iterator[Touch]:
        """Both quotas, the name, the user, and in one transaction what is pending and its mail."""
        email_key = self.identity(user)
        yield from self._asks_for_mail(email_key, network)
        yield Touch("identities", email_key, reads=1)
        yield Touch("users", _id(user), writes=2, reads=1)
        yield self._mail()
        yield self._event(user)

    def reset(self, user: int) -> Iterator[Touch]:
        """With the link: the user, and in one transaction profile, password, mail and a line in the feed."""
        yield Touch("users", _id(user), writes=4, reads=1)
        yield self._mail()
        yield Touch("revocations", self._feed(), writes=2)
        yield self._event(user)

    def sign_up_key(self, user: int) -> str:
        """A fresh sign-up's."""
        return self._sign_ups.new(self.identity(user), _Drawn(self._chance)).key

    def identity(self, user: int) -> str:
        """The key of a user's address."""
        email = parse_email(f"user{user}@example.com")
        if isinstance(email, NameRefusal):
            raise TypeError(email)
        return self._identities.of(email)

    def _lanes_of(self, user: int, network: int, *, is_known: bool) -> Lanes:
        device = DeviceId(_user_id(user)) if is_known else None
        return self._lanes.sign_in(identity_key=self.identity(user), prefix=str(network), device=device)

    def _look(self, user: int, lanes: Lanes) -> Iterator[Touch]:
        yield Touch("identities", self.identity(user), reads=1)
        yield Touch("throttle", (lanes.device or lanes.account).key, reads=1)
        yield Touch("throttle", lanes.address.key, reads=1)
        yield Touch("users", _id(user), reads=1)

    def _asks_for_mail(self, email_key: str, network: int) -> Iterator[Touch]:
        yield self._quota(MAIL_FROM_NETWORK, str(network))
        yield self._quota(MAIL_TO_ADDRESS, email_key)

    def _quota(self, quota: Quota, subject: str) -> Touch:
        return Touch("throttle", self._lanes.key("quota", quota.name, subject), writes=1)

    def _mail(self) -> Touch:
        # Stored in a transaction, and removed when it has left.
        return Touch("outbox", shard_name(self._chance.randrange(MAIL_SHARDS)), writes=2 + 1)

    def _event(self, user: int) -> Touch:
        return Touch("audit", user_partition(_user_id(user)), writes=1)

    def _feed(self) -> str:
        return feed_partition(BUCKET, self._chance.randrange(FEED_SHARDS))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Entropy that can be repeated."""

    chance: Random

    def token_bytes(self, size_bytes: int) -> bytes:
        return self.chance.randbytes(size_bytes)


def _id(user: int) -> str:
    return user.to_bytes(16, "big").hex()


def _user_id(user: int) -> UserId:
    return UserId(user.to_bytes(16, "big"))
