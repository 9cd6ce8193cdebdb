"""How long after an acknowledged end a guard refuses: measured from end to end, over sockets, across two workers."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import pytest

from keyturn import KeySet, RevocationFeed, Verifier, errors
from keyturn.http import HttpFetcher
from service.accounts.delete_user import DeleteUser
from service.accounts.repo import AccountRepo
from service.accounts.set_state import SetState
from service.base import build_revocation_log
from service.kernel.ids import parse_user_id
from service.sessions.repo import SessionRepo
from service.users.model import StateChange
from service.users.repo import UserRepo
from tests.support.feed import FEED_KEY, ISSUER
from tests.support.live import client_of
from tests.support.people import PASSWORD, bearer, refresh, sign_in

POLL_SECONDS, CACHE_SECONDS = 0.5, 1.0
SLACK_SECONDS = 2.0
"""What threads and loops may be late by on a machine that is busy with other things; requests are measured."""
GIVE_UP_SECONDS = 30
NEW_PASSWORD = "a wholly different long sentence"


@dataclass
class Signed:
    """Somebody on two devices."""

    person: object
    phone: dict
    laptop: dict


class Polls:
    """Fetches, and notes when each poll began and ended."""

    def __init__(self):
        self.fetcher = HttpFetcher(max_bytes=1_000_000)
        self.came = threading.Condition()
        self.times = []

    def prepare(self):
        self.fetcher.prepare()

    def get(self, url, *, seconds, headers=None):
        began = time.monotonic()
        fetched = self.fetcher.get(url, seconds=seconds, headers=headers)
        with self.came:
            self.times.append((began, time.monotonic()))
            self.came.notify_all()
        return fetched

    def close(self):
        self.fetcher.close()

    @property
    def slowest(self):
        return max(ended - began for began, ended in self.times)

    @property
    def pauses(self):
        return [later[0] - earlier[1] for earlier, later in pairwise(self.times)]

    def another(self):
        """When one more has come."""
        with self.came:
            count = len(self.times)
            assert self.came.wait_for(lambda: len(self.times) > count, timeout=GIVE_UP_SECONDS)


@pytest.fixture
def polls():
    return Polls()


@pytest.fixture
def make_guard(polls):
    """Guards that read the feed from one worker; closed after the test."""
    feeds = []

    async def make(worker, *, max_stale_seconds=30):
        async with client_of(worker) as client:
            keys = KeySet.from_jwks((await client.get("/.well-known/jwks.json")).json())
        feeds.append(
            RevocationFeed(
                ISSUER,
                key=FEED_KEY,
                url=f"{worker.url}/v1/revocations",
                poll_seconds=POLL_SECONDS,
                max_stale_seconds=max_stale_seconds,
                keys=keys,
                fetcher=polls,
            )
        )
        return Verifier(ISSUER, ISSUER, keys=keys, revocations=feeds[-1])

    yield make
    for feed in feeds:
        feed.close()


async def seconds_until(guard, tokens, refusal, *, since):
    """Ask the guard every few milliseconds until it refuses; how long after ``since`` that was."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while True:
            try:
                await guard.verify_async(tokens["access_token"])
            except refusal:
                return time.monotonic() - since
            # The guard polls in a thread of its own and tells nobody: asking is all that a caller can do.
            await asyncio.sleep(0.01)


async def test_every_end_is_known_to_the_guard_within_its_bound(  # noqa: PLR0917 - fixtures
    workers, make_people, make_guard, polls, mailbox, record_testsuite_property
):
    first, second = await workers.start(), await workers.start()
    guard = await make_guard(second)
    store = make_people.store
    operator = {"users": UserRepo(dynamo=store.dynamo), "revocations": build_revocation_log(store, always=True)}
    async with client_of(first) as client:
        people = [
            Signed(person, await sign_in(client, person.email), await sign_in(client, person.email))
            for person in await make_people(9)
        ]
        logout, everywhere, by_id, reused, reset, changed, disabled, closed, deleted = people
        await client.post("/v1/password/forgot", json={"email": reset.person.email})
        token = await mailbox.token(reset.person.email)
        assert (await refresh(client, reused.laptop["refresh_token"])).status_code == 200
        for one in people:
            for tokens in (one.phone, one.laptop):
                assert (await guard.verify_async(tokens["access_token"])).subject == one.person.user_id
        ends = {
            "log out": (204, lambda: client.post("/v1/logout", json={"refresh_token": logout.laptop["refresh_token"]})),
            "log out everywhere": (204, lambda: client.post("/v1/logout-all", headers=bearer(everywhere.phone))),
            "end a session": (
                204,
                lambda: client.delete(
                    f"/v1/users/{by_id.person.user_id}/sessions/{by_id.laptop['session_id']}",
                    headers=bearer(by_id.phone),
                ),
            ),
            "reuse": (401, lambda: refresh(client, reused.laptop["refresh_token"])),
            "reset": (
                204,
                lambda: client.post("/v1/password/reset", json={"token": token, "new_password": NEW_PASSWORD}),
            ),
            "change": (
                204,
                lambda: client.post(
                    "/v1/password/change",
                    json={"current_password": PASSWORD, "new_password": NEW_PASSWORD},
                    headers=bearer(changed.phone),
                ),
            ),
            "close": (204, lambda: client.delete("/v1/me", headers=bearer(closed.phone))),
            # In this process, as the command does it.
            "disable": (
                None,
                lambda: SetState(**operator)(parse_user_id(disabled.person.user_id), StateChange.DISABLE),
            ),
            "delete": (
                None,
                lambda: DeleteUser(
                    **operator, accounts=AccountRepo(dynamo=store.dynamo), sessions=SessionRepo(dynamo=store.dynamo)
                )(parse_user_id(deleted.person.user_id)),
            ),
        }
        measuring = {}
        for (name, (status, end)), one in zip(
            ends.items(), (logout, everywhere, by_id, reused, reset, changed, closed, disabled, deleted), strict=True
        ):
            answer = await end()
            acknowledged = time.monotonic()
            assert status is None or answer.status_code == status, name
            measuring[name] = asyncio.create_task(seconds_until(guard, one.laptop, errors.Revoked, since=acknowledged))
            # So that each falls between two polls of its own.
            await asyncio.to_thread(polls.another)
        took = {name: await measured for name, measured in measuring.items()}
        record_testsuite_property("seconds until refused", str({name: round(took[name], 2) for name in took}))
        bound_seconds = POLL_SECONDS + CACHE_SECONDS + polls.slowest
        assert max(took.values()) <= bound_seconds + SLACK_SECONDS, took
        assert median(took.values()) <= bound_seconds, took
        assert median(polls.pauses) <= POLL_SECONDS + 0.1
        dead = [everywhere, reset, closed, disabled, deleted]
        for one in people:
            if one in dead:
                with pytest.raises(errors.Revoked):
                    await guard.verify_async(one.phone["access_token"])
            else:
                assert await guard.verify_async(one.phone["access_token"])
        for one, password in ((everywhere, PASSWORD), (reset, NEW_PASSWORD)):
            again = await sign_in(client, one.person.email, password=password)
            assert await guard.verify_async(again["access_token"])


async def test_a_guard_that_hears_nothing_any_more_soon_lets_nobody_in(workers, make_people, make_guard):
    first, second = await workers.start(), await workers.start()
    guard = await make_guard(second, max_stale_seconds=3)
    async with client_of(first) as client:
        (person,) = await make_people(1)
        tokens = await sign_in(client, person.email)
    assert await guard.verify_async(tokens["access_token"])
    second.kill()
    stopped = time.monotonic()
    # The last poll that was answered may have been answered from what was known a second before.
    assert await seconds_until(guard, tokens, errors.RevocationUnknown, since=stopped) <= 4 + SLACK_SECONDS
