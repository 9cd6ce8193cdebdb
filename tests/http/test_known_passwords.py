"""Common and breached passwords are refused wherever a password is set, not only where the rule is tested."""

from __future__ import annotations

import pytest

from service.settings import load
from tests.support.accounts import make_person, new_name
from tests.support.answers import is_problem
from tests.support.people import PASSWORD, bearer, register, sign_in
from tests.support.range_service import OK, serving
from tests.support.range_service import PASSWORD as BREACHED

COMMON = "dragonbaseball12"


async def at_register(client, _mailbox, password):
    return "password", await register(client, f"{new_name()}@example.com", password=password)


async def at_change(client, _mailbox, password):
    person = await make_person(client)
    body = {"current_password": PASSWORD, "new_password": password}
    headers = bearer(await sign_in(client, person.email))
    return "new_password", await client.post("/v1/password/change", json=body, headers=headers)


async def at_reset(client, mailbox, password):
    person = await make_person(client)
    await client.post("/v1/password/forgot", json={"email": person.email})
    body = {"token": await mailbox.token(person.email), "new_password": password}
    return "new_password", await client.post("/v1/password/reset", json=body)


each_door = pytest.mark.parametrize("at_door", [at_register, at_change, at_reset])


@each_door
async def test_a_common_password_is_refused_wherever_one_is_set(client, mailbox, at_door):
    field, answer = await at_door(client, mailbox, COMMON)
    assert is_problem(answer, 422, "invalid_fields", fields={(field, "password_breached")})


@each_door
async def test_a_password_that_the_range_service_knows_is_refused_wherever_one_is_set(
    environ, open_app, mailbox, at_door
):
    async with serving(OK) as (url, _):
        online = load({**environ, "KEYTURN_BREACH_LIST": "online", "KEYTURN_BREACH_URL": url})
        async with open_app(online) as client:
            field, answer = await at_door(client, mailbox, BREACHED)
            assert is_problem(answer, 422, "invalid_fields", fields={(field, "password_breached")})
    async with open_app(load(environ)) as client:
        _, answer = await at_door(client, mailbox, BREACHED)
        assert answer.status_code in {202, 204}, "only the service knows it"
