"""The calls of a second of a scenario, and who makes them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from benchmarks.scale.operations import BUCKET, Operations, Touch
from service.mail.letter import SHARDS as MAIL_SHARDS
from service.mail.letter import shard_name
from service.mail.outbox import POLL_SECONDS
from service.revocations.items import partition as feed_partition
from service.revocations.model import SHARDS as FEED_SHARDS
from service.throttle.limits import ACCOUNT, ADDRESS
from service.tokens.keyring import REFRESH_SECONDS
from service.tokens.model import Algorithm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from benchmarks.scale.behaviour import Scenario

NETWORKS = 4_000_000
"""Client networks (IPv4 addresses, IPv6 /64) that are active in a day; a few carriers stand for many people."""
HOT_USER = 7
_LONGEST_WAIT_SECONDS = 900
_FEED_SECONDS = 1
"""KEYTURN_REVOCATION_FEED_CACHE_SECONDS, as it is unless set otherwise."""
_FEED_LATE_SECONDS = 14
_FEED_ENTRY_UNITS = 0.02
"""An entry of some 80 bytes in 4 KB."""


class Traffic:
    """Makes the calls of a second of a scenario. ``chance`` is seeded, so a run can be repeated."""

    def __init__(self, scenario: Scenario, chance: Random) -> None:
        self._scenario = scenario
        self._chance = chance
        self._do = do = Operations(chance)
        self._of: dict[str, Callable[[], Iterator[Touch]]] = {
            "refresh": lambda: do.refresh(self._user()),
            "hot refresh": lambda: do.refresh(HOT_USER),
            "sign in": lambda: do.sign_in(self._user(), self._network(), is_known=self._is_known()),
            "wrong password": lambda: self._wrong(self._user(), self._network(), is_known=self._is_known()),
            "guess at one": self._guess_at_one,
            "guess at many": lambda: self._wrong(self._user(), chance.randrange(NETWORKS), is_known=False),
            "log out": lambda: do.log_out(self._user()),
            "sign up": lambda: self._sign_up(self._user(), self._network()),
            "reset": lambda: self._reset(self._user(), self._network()),
        }

    def second(self) -> Iterator[Touch]:
        """Every call of one second, and what the processes read by themselves in it."""
        for name, times in self._scenario.rates().items():
            yield from itertools.chain.from_iterable(self.once(name) for _ in range(times))
        yield from self.by_themselves()

    def once(self, name: str) -> Iterator[Touch]:
        """The calls of one operation of ``Scenario.rates``, as chance has it. Raises KeyError."""
        return self._of[name]()

    def by_themselves(self) -> Iterator[Touch]:
        """What the processes, which are not in step, read in the mean: signing keys, mails of others, the feed.

        Each of the algorithms has a key of its own in the table, and each is read, whichever signs.
        """
        processes = self._scenario.processes
        for algorithm in Algorithm:
            yield Touch("keys", f"sig#{algorithm.value}", reads=processes / REFRESH_SECONDS)
        for number in range(MAIL_SHARDS):
            yield Touch("outbox", shard_name(number), reads=processes / POLL_SECONDS)
        for shard in range(FEED_SHARDS):
            yield Touch("revocations", feed_partition(BUCKET, shard), reads=processes * self._feed_units())

    def _feed_units(self) -> float:
        """What one process reads of one shard in a second: docs/cost.md, "Beside a revocation feed"."""
        rates = self._scenario.rates()
        ended = (rates["log out"] + rates["reset"]) / FEED_SHARDS
        return 1 / _FEED_SECONDS + ended * _FEED_ENTRY_UNITS * (_FEED_LATE_SECONDS / _FEED_SECONDS + 1)

    def _wrong(self, user: int, network: int, *, is_known: bool) -> Iterator[Touch]:
        fills_batch = self._chance.random() < 1 / ADDRESS.batch
        return self._do.wrong_password(user, network, is_known=is_known, fills_batch=fills_batch)

    def _guess_at_one(self) -> Iterator[Touch]:
        """A limited account is remembered by each process: nothing is asked but for what slips through before.

        Left out is what each process does at its first refusal in a quarter of an hour: four reads and an event.
        """
        allowed = ACCOUNT.failures + self._scenario.processes - 1
        slips = allowed / (_LONGEST_WAIT_SECONDS * max(1, self._scenario.guesses_at_one_account))
        if self._chance.random() < slips:
            yield from self._wrong(HOT_USER, self._network(), is_known=False)

    def _sign_up(self, user: int, network: int) -> Iterator[Touch]:
        key = self._do.sign_up_key(user)
        yield from self._do.register(user, network, key)
        yield from self._do.confirm(user, key)

    def _reset(self, user: int, network: int) -> Iterator[Touch]:
        yield from self._do.forgot(user, network)
        yield from self._do.reset(user)

    def _is_known(self) -> bool:
        return self._chance.random() < self._scenario.behaviour.known_device_share

    def _user(self) -> int:
        return self._chance.randrange(self._scenario.behaviour.users)

    def _network(self) -> int:
        # A Pareto tail: the busiest network stands for some thousandths of all people (a carrier's gateway).
        return min(NETWORKS - 1, int(self._chance.paretovariate(0.35)))
