"""The service as it runs: two worker processes, real sockets, a thousand wrong passwords at once, and one kill -9."""

from __future__ import annotations

import asyncio
import time

import pytest

from service.throttle.device_headers import DEVICE_HEADER
from service.throttle.limits import ACCOUNT
from tests.support.live import client_of, store, workers
from tests.support.people import PASSWORD, sign_up
from tests.support.wire import open_wires

__all__ = ["store", "workers"]

pytestmark = pytest.mark.timeout(300)

ATTEMPTS = 1000
EMAIL = "ada@example.com"
# It takes four of them on an idle machine with two cores.
STARVED_SECONDS = 12
HASHES = "keyturn_hash_seconds_count"


@pytest.fixture
def environ(environ):
    """Behind a proxy, so that each attempt has a network of its own and nothing but the account's lane stops it."""
    return {**environ, "KEYTURN_TRUSTED_PROXIES": "1"}


class Siege:
    """Wrong passwords for one account, each on a connection of its own, all at once."""

    def __init__(self):
        self.answered = asyncio.Event()
        self.retried = 0
        self.began_seconds = time.monotonic()

    async def one(self, wire, number):
        body = {"identifier": EMAIL, "password": f"wrong wrong wrong {number}"}
        network = {"X-Forwarded-For": f"10.0.{number // 250}.{number % 250}"}
        while True:
            await wire.send("POST", "/v1/login", body, headers=network)
            answer = await wire.receive()
            self.answered.set()
            # A starved machine may not reach its store in time, and says so.
            if answer.status != 503:
                return answer.status
            self.retried += 1
            await asyncio.sleep(0.2)

    async def lay(self, urls):
        async with open_wires(urls, ATTEMPTS) as wires:
            return await asyncio.gather(*(self.one(wire, number) for number, wire in enumerate(wires)))

    def allowed(self, processes):
        """How many hashes may have been computed by now.

        On a slow machine the first waits are over meanwhile; on one whose store has not always answered, each process
        may have let through what it may while the table is away.
        """
        elapsed = time.monotonic() - self.began_seconds
        is_starved = self.retried or elapsed > STARVED_SECONDS
        more = processes * ACCOUNT.when_away * (1 + int(elapsed // 60)) if is_starved else 0
        return ACCOUNT.failures + processes - 1 + self._waits() + more

    def _waits(self):
        elapsed, wait_seconds, more = time.monotonic() - self.began_seconds, ACCOUNT.delay.first_seconds, 0
        while elapsed > wait_seconds:
            more += 1
            elapsed, wait_seconds = elapsed - wait_seconds, 2 * wait_seconds
        return more


async def warm(*workers):
    """Let each have its connections to the store: a hundred opened at once would measure the machine."""
    async with open_wires([worker.url for worker in workers], 150 * len(workers)) as wires:
        await asyncio.gather(*(wire.call("GET", "/readyz") for wire in wires))


async def hashes(*workers):
    return sum([await worker.count(HASHES) for worker in workers])


async def login(client, password, *, network, device=None):
    headers = {"X-Forwarded-For": network} | ({} if device is None else {DEVICE_HEADER: device})
    body = {"identifier": EMAIL, "password": password}
    return await client.post("/v1/login", json=body, headers=headers)


async def test_a_thousand_parallel_wrong_passwords_while_the_owner_signs_in_and_a_worker_is_killed(workers, mailbox):
    one, other = await workers.start(), await workers.start()
    async with client_of(one) as client, client_of(other) as at_other:
        await sign_up(client, mailbox, EMAIL)
        device = (await login(client, PASSWORD, network="198.51.100.1")).headers[DEVICE_HEADER]
        await warm(one, other)
        before = await hashes(one, other)

        siege = Siege()
        under_way = asyncio.create_task(siege.lay([one.url, other.url]))
        await siege.answered.wait()
        owners = []
        for number in range(4):
            assert number > 0 or not under_way.done(), "the attack was over before its owner came"
            owner = await login((client, at_other)[number % 2], PASSWORD, network="198.51.100.1", device=device)
            owners.append(owner.status_code)
        statuses = await under_way
        assert owners == [200] * 4
        assert set(statuses) == {401, 429}
        computed = await hashes(one, other) - before - len(owners)
        assert ACCOUNT.failures <= computed <= siege.allowed(processes=2)
        assert statuses.count(401) == computed

    one.kill()
    third = await workers.start()
    async with client_of(third) as client:
        refused = [await login(client, "wrong wrong wrong wrong", network=f"203.0.113.{n}") for n in range(3)]
        # Of a new process the first may be the one attempt that a wait has just let through.
        assert [answer.status_code for answer in refused[1:]] == [429] * 2
        assert int(refused[-1].headers["retry-after"]) >= 1
        assert (await login(client, PASSWORD, network="198.51.100.1", device=device)).status_code == 200
    assert await hashes(third) <= 2
