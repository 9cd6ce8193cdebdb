"""``keyturn users`` and what an account may do afterwards: from each state, each command."""

from __future__ import annotations

import pytest

from service.audit.repo import EventRepo
from service.kernel.ids import parse_user_id
from service.users.model import StateChange, UserState
from service.users.repo import UserRepo
from tests.support.accounts import make_person
from tests.support.people import PASSWORD, refresh, sign_in

ACTIVE, DISABLED, LOCKED = UserState.ACTIVE, UserState.DISABLED, UserState.LOCKED

WAY_TO = {ACTIVE: [], DISABLED: ["disable"], LOCKED: ["lock"]}
COMES_TO = {
    "disable": {ACTIVE: DISABLED, LOCKED: DISABLED, DISABLED: DISABLED},
    "lock": {ACTIVE: LOCKED, LOCKED: LOCKED, DISABLED: None},
    "enable": {ACTIVE: ACTIVE, LOCKED: None, DISABLED: ACTIVE},
    "unlock": {ACTIVE: ACTIVE, LOCKED: ACTIVE, DISABLED: None},
}
"""Where each command brings an account from each state; None where it is refused."""
CASES = [(command, state) for command, states in COMES_TO.items() for state in states]


def users(client):
    return client.app.state.services.get(UserRepo)


async def events_of(client, person, kind):
    """Outcome and actor of the account's events of a kind, the oldest first."""
    repo = EventRepo(dynamo=users(client).dynamo)
    page = await repo.page(parse_user_id(person.user_id), limit=50, start=None, now_ms=0)
    return [(event.outcome, event.actor) for event in reversed(page.events) if event.kind == kind]


async def signs_in(client, person):
    answer = await client.post("/v1/login", json={"identifier": person.email, "password": PASSWORD})
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


@pytest.mark.parametrize(("command", "state"), CASES)
async def test_a_command_leaves_only_the_states_that_it_is_for(client, keyturn, ada, command, state):
    tokens = await sign_in(client, ada.email)
    for word in WAY_TO[state]:
        assert (await keyturn("users", word, ada.user_id))[0] == 0
    before = await users(client).load(parse_user_id(ada.user_id))
    told = await events_of(client, ada, f"user_{command}")
    status, out, err = await keyturn("users", command, ada.email)
    after = await users(client).load(parse_user_id(ada.user_id))
    comes_to = COMES_TO[command][state]
    if comes_to is None:
        assert (status, out) == (1, "")
        assert err == f"keyturn: Cannot {command} this account (it is {state.value})\n"
        assert after == before, "a refused command has written"
        assert await events_of(client, ada, f"user_{command}") == told
    else:
        assert (status, out, err) == (0, f"{ada.user_id} is {comes_to.value}\n", "")
        assert (after.state, after.epoch - before.epoch) == (comes_to, comes_to is not state)
        outcome = "unchanged" if comes_to is state else "ok"
        assert await events_of(client, ada, f"user_{command}") == [*told, (outcome, "operator")]
    assert await signs_in(client, ada) is (after.state is ACTIVE)
    alive = (await refresh(client, tokens["refresh_token"])).status_code == 200
    assert alive is (after.epoch == 0), "sessions of before a change are dead, whatever came after"


@pytest.mark.parametrize("change", list(StateChange))
async def test_a_state_that_came_between_the_look_and_the_write_is_not_left(client, ada, change):
    """Two operators at once: the condition is in the write, not in what was read before it."""
    repo, user_id = users(client), parse_user_id(ada.user_id)
    for state in (ACTIVE, DISABLED, LOCKED):
        await _bring(repo, user_id, state)
        user = await repo.load(user_id)
        assert await repo.change_state(user, change, entries=[]) is (state in change.leaves)
        assert (await repo.load(user_id)).state is (change.to if state in change.leaves else state)


async def _bring(repo, user_id, state):
    while (user := await repo.load(user_id)).state is not state:
        back = {DISABLED: StateChange.ENABLE, LOCKED: StateChange.UNLOCK}
        forth = {DISABLED: StateChange.DISABLE, LOCKED: StateChange.LOCK}
        assert await repo.change_state(user, back.get(user.state) or forth[state], entries=[])


async def test_delete_frees_the_names_ends_the_sessions_and_is_not_done_twice(client, keyturn, ada, tokens):
    assert await keyturn("users", "delete", "--yes", ada.username) == (0, f"{ada.user_id} is deleted\n", "")
    assert not await signs_in(client, ada)
    assert (await refresh(client, tokens["refresh_token"])).status_code == 401
    assert (await users(client).load(parse_user_id(ada.user_id))).email is None
    assert await events_of(client, ada, "account_close") == [("ok", "operator")]
    for who in (ada.email, ada.user_id):
        for word in (["delete", "--yes"], ["disable"], ["enable"], ["lock"], ["unlock"]):
            assert await keyturn("users", *word, who) == (1, "", f"keyturn: there is no user {who!r}\n")
    again = await make_person(client, email=ada.email)
    assert again.user_id != ada.user_id
    await sign_in(client, ada.email)
