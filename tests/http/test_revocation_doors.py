"""Every door that ends something tells the revocation feed, whatever fails on the way."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from botocore.exceptions import ClientError

from service.accounts.delete_user import DeleteUser
from service.accounts.register import Register
from service.accounts.reset_password import ResetPassword
from service.kernel.ids import parse_session_id, parse_user_id
from service.revocations.log import RevocationLog
from service.sessions.flows import EndSession
from service.store.errors import StoreUnavailable
from service.users.model import UserState
from service.users.repo import UserRepo
from tests.support.accounts import make_person, set_state
from tests.support.feed import FEED_KEYS, WINDOWS, Poller
from tests.support.people import PASSWORD, bearer, refresh, sign_in

NEW_PASSWORD = "a wholly different long sentence"
WRITES = {"put_item", "update_item", "delete_item", "transact_write_items"}


@pytest.fixture
def environ(environ):
    return {**environ, "KEYTURN_REVOCATION_FEED_KEYS": FEED_KEYS}


@pytest.fixture
def clock(clock):
    """Each test in a window of its own: the table is shared."""
    clock.advance(seconds=1000 * next(WINDOWS))
    return clock


@dataclass
class Scene:
    """Somebody who is signed in on two devices, and how the second is ended, or both."""

    client: object
    clock: object
    mailbox: object
    person: object
    phone: dict
    laptop: dict
    known: dict = field(default_factory=dict)

    async def has_ended(self, device):
        """Whether its session is dead by the store."""
        services, session_id = self.client.app.state.services, getattr(self, device)["session_id"]
        user_id = parse_user_id(self.person.user_id)
        session = await services.get(EndSession).end.sessions.load(user_id, parse_session_id(session_id))
        user = await services.get(UserRepo).load(user_id)
        is_live = session is not None and session.is_live(now_ms=self.clock.ms, user_epoch=user.epoch)
        return not (is_live and user.may_act)

    async def log_out(self):
        return await self.client.post("/v1/logout", json={"refresh_token": self.laptop["refresh_token"]})

    async def log_out_everywhere(self):
        return await self.client.post("/v1/logout-all", headers=bearer(self.phone))

    async def end_by_id(self):
        path = f"/v1/users/{self.person.user_id}/sessions/{self.laptop['session_id']}"
        return await self.client.delete(path, headers=bearer(self.phone))

    async def prepare_reuse(self):
        assert (await refresh(self.client, self.laptop["refresh_token"])).status_code == 200
        self.clock.advance(seconds=60)

    async def use_again(self):
        return await refresh(self.client, self.laptop["refresh_token"])

    async def prepare_reset(self):
        await self.client.post("/v1/password/forgot", json={"email": self.person.email})
        self.known["token"] = await self.mailbox.token(self.person.email)

    async def reset(self):
        body = {"token": self.known["token"], "new_password": NEW_PASSWORD}
        return await self.client.post("/v1/password/reset", json=body)

    async def change_password(self):
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        return await self.client.post("/v1/password/change", json=body, headers=bearer(self.phone))

    async def close(self):
        return await self.client.delete("/v1/me", headers=bearer(self.phone))

    async def disable(self):
        await set_state(self.client, self.person, UserState.DISABLED)

    async def lock(self):
        await set_state(self.client, self.person, UserState.LOCKED)

    async def delete(self):
        services = self.client.app.state.services
        flow = DeleteUser(
            accounts=services.get(Register).accounts,
            users=services.get(UserRepo),
            sessions=services.get(EndSession).end.sessions,
            revocations=services.get(RevocationLog),
        )
        assert await flow(parse_user_id(self.person.user_id))


ONE = ("laptop",)
BOTH = ("phone", "laptop")
DOORS = {
    # How it is ended: whose access tokens are dead then.
    "log_out": ONE,
    "log_out_everywhere": BOTH,
    "end_by_id": ONE,
    "use_again": ONE,
    "reset": BOTH,
    "change_password": ONE,
    "close": BOTH,
    "disable": BOTH,
    "lock": BOTH,
    "delete": BOTH,
}
PREPARATIONS = {"use_again": "prepare_reuse", "reset": "prepare_reset"}
REFUSED = {"use_again": 401}
"""Finding a stolen token ends its session and is no success; the answer stands for the end all the same."""


@pytest.fixture
def make_scene(client, clock, mailbox):
    async def make(door):
        person = await make_person(client)
        phone, laptop = [await sign_in(client, person.email) for _ in range(2)]
        scene = Scene(client, clock, mailbox, person, phone, laptop)
        if door in PREPARATIONS:
            await getattr(scene, PREPARATIONS[door])()
        return scene

    return make


@pytest.mark.parametrize("door", DOORS)
async def test_what_is_acknowledged_is_in_the_feed(client, clock, make_scene, door):
    scene, poller = await make_scene(door), Poller(client)
    await poller.poll()
    for device in BOTH:
        assert not await poller.refuses(getattr(scene, device), now_ms=clock.ms)
    answer = await getattr(scene, door)()
    assert answer is None or answer.status_code == REFUSED.get(door, 204)
    clock.advance(seconds=1)
    await poller.poll()
    refused = [one for one in BOTH if await poller.refuses(getattr(scene, one), now_ms=clock.ms)]
    assert refused == list(DOORS[door])


@pytest.mark.parametrize("door", ["log_out_everywhere", "reset"])
async def test_who_signs_in_in_the_second_of_the_end_is_let_in(client, clock, make_scene, door):
    scene, poller = await make_scene(door), Poller(client)
    await getattr(scene, door)()
    password = NEW_PASSWORD if door == "reset" else PASSWORD
    again = await sign_in(client, scene.person.email, password=password)
    await poller.poll()
    assert await poller.refuses(scene.laptop, now_ms=clock.ms)
    assert not await poller.refuses(again, now_ms=clock.ms)


async def test_the_session_that_a_change_of_password_keeps_goes_on_with_old_and_new_token(client, clock, make_scene):
    scene, poller = await make_scene("change_password"), Poller(client)
    await scene.change_password()
    clock.advance(seconds=60)
    renewed = (await refresh(client, scene.phone["refresh_token"])).json()
    await poller.poll()
    for tokens in (scene.phone, renewed):
        assert not await poller.refuses(tokens, now_ms=clock.ms)
    assert (await client.post("/v1/logout-all", headers=bearer(renewed))).status_code == 204
    clock.advance(seconds=1)
    await poller.poll()
    for tokens in (scene.phone, renewed):
        assert await poller.refuses(tokens, now_ms=clock.ms)


async def test_neither_dead_tokens_nor_ids_of_nobody_fill_the_feed(client, clock, make_scene):
    scene, poller = await make_scene("log_out"), Poller(client)
    for _ in range(3):
        assert (await scene.log_out()).status_code == 204
        clock.advance(seconds=1)
    nobody = f"/v1/users/{scene.person.user_id}/sessions/{scene.person.user_id}"
    assert (await client.delete(nobody, headers=bearer(scene.phone))).status_code == 404
    assert (await scene.end_by_id()).status_code == 404
    for _ in range(3):
        assert (await scene.log_out_everywhere()).status_code in {204, 401}
        clock.advance(seconds=1)
    (statement,) = await poller.poll()
    assert len(statement["sessions"]) == len(statement["users"]) == 1


async def test_a_log_out_everywhere_while_a_password_is_reset_voids_no_mail(client, clock, make_scene):
    scene = await make_scene("reset")
    repo = client.app.state.services.get(UserRepo)
    flow = client.app.state.services.get(ResetPassword)
    original, raised = flow.recovery.reset, []

    async def overtaken(user, **rest):
        if not raised:
            raised.append(await repo.end_all_sessions(user.user_id, session_epoch=user.epoch, entries=[]))
        return await original(user, **rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(flow.recovery), "reset", lambda _self, user, **rest: overtaken(user, **rest))
        answer = await scene.reset()
    assert answer.status_code == 204, answer.text
    poller = Poller(client)
    await poller.poll()
    assert [user[1] for user in poller.users if user[0] == scene.person.user_id] == [2]


class Flaw:
    """A store that answers one write with an error: before it is applied, or after."""

    def __init__(self, client, *, at, applied):
        self.client, self.at, self.applied, self.writes = client, at, applied, 0

    def __getattr__(self, operation):
        call = getattr(self.client, operation)

        async def flawed(**request):
            if operation not in WRITES or not _concerns(request):
                return await call(**request)
            self.writes += 1
            if self.writes - 1 != self.at:
                return await call(**request)
            if self.applied:
                await call(**request)
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": "flaw"}}, operation)

        return flawed


def _concerns(request):
    """The tables by which something ends; mails and events are another subject."""
    tables = [request.get("TableName", "")]
    tables += [next(iter(item.values()))["TableName"] for item in request.get("TransactItems", [])]
    return any(name.endswith(("-users", "-sessions", "-revocations")) for name in tables)


@pytest.mark.parametrize("applied", [False, True], ids=["lost", "applied"])
@pytest.mark.parametrize("door", DOORS)
async def test_whatever_fails_nothing_is_ended_that_the_feed_does_not_say(client, clock, make_scene, door, applied):
    """Each write in turn fails: an entry without its end may be left behind, an end without its entry never."""
    dynamo = client.app.state.services.get(UserRepo).dynamo
    right = dynamo.client
    for at in range(4):
        scene, poller = await make_scene(door), Poller(client)
        flaw = Flaw(right, at=at, applied=applied)
        object.__setattr__(dynamo, "client", flaw)
        with suppress(StoreUnavailable):
            await getattr(scene, door)()
        object.__setattr__(dynamo, "client", right)
        clock.advance(seconds=1)
        await poller.poll()
        for device in BOTH:
            if await scene.has_ended(device):
                assert await poller.refuses(getattr(scene, device), now_ms=clock.ms), (at, device)
        if flaw.writes <= at:
            return
    raise AssertionError("more writes than were tried")
