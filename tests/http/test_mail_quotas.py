"""Mail at the doors: so much for the address that is written to, so much for the network that asks."""

from __future__ import annotations

import asyncio
import secrets

import pytest

import service.throttle.mail_quotas
from service.accounts.forgot_password import ForgotPassword
from service.settings import load
from service.throttle.limits import MAIL_TO_ADDRESS
from service.throttle.quota import Quota
from tests.support.accounts import make_person, new_name
from tests.support.answers import is_problem, shown
from tests.support.people import PASSWORD, bearer, sign_in

TWO = Quota(name="mail-network", burst=2, interval_seconds=60)


@pytest.fixture
def environ(environ):
    """As it is run, behind a proxy that says which network asks."""
    return {**environ, "KEYTURN_THROTTLE": "on", "KEYTURN_TRUSTED_PROXIES": "1"}


@pytest.fixture
def _two_a_network(monkeypatch):
    """So that a test need not send a hundred."""
    monkeypatch.setattr(service.throttle.mail_quotas, "MAIL_FROM_NETWORK", TWO)


def new_network():
    """The headers of a network that no other test uses."""
    return {"X-Forwarded-For": "10." + ".".join(str(byte) for byte in secrets.token_bytes(3))}


async def post(client, path, network, **body):
    return await client.post(path, json=body, headers=network)


async def forgot(client, network, person, _tokens=None):
    return await post(client, "/v1/password/forgot", network, email=person.email)


async def register_anew(client, network, person, _tokens=None):
    return await post(client, "/v1/register", network, email=f"new-{person.email}", password=PASSWORD)


async def register_taken(client, network, person, _tokens=None):
    return await post(client, "/v1/register", network, email=person.email, password=PASSWORD)


async def resend(client, network, person, _tokens=None):
    return await post(client, "/v1/email/resend", network, email=f"new-{person.email}")


async def change(client, network, person, tokens):
    headers = {**network, **bearer(tokens)}
    return await post(client, "/v1/email/change", headers, new_email=f"other-{person.email}", password=PASSWORD)


async def mails(client, mailbox):
    """How many have come, once none is under way."""
    outbox = client.app.state.services.get(ForgotPassword).outbox
    while outbox._tasks:
        await asyncio.wait(set(outbox._tasks))
    return len(mailbox.all())


@pytest.mark.usefixtures("_two_a_network")
@pytest.mark.parametrize("door", [forgot, register_anew, register_taken, resend, change])
async def test_a_network_mails_so_many_strangers_and_is_told_nothing_of_it(client, mailbox, clock, door):
    people = [await make_person(client) for _ in range(4)]
    tokens = await sign_in(client, people[0].email)
    if door is resend:
        for person in people:
            await register_anew(client, new_network(), person)
    before, network = await mails(client, mailbox), new_network()
    answers = [await door(client, network, person, tokens) for person in people[:3]]
    assert await mails(client, mailbox) == before + 2
    answers.append(await door(client, new_network(), people[3], tokens))
    assert await mails(client, mailbox) == before + 3, "another network is not concerned"
    clock.advance(seconds=TWO.interval_seconds)
    answers.append(await door(client, network, people[2], tokens))
    assert await mails(client, mailbox) == before + 4, "and this one only for a while"
    assert {answer.status_code for answer in answers} == {202}
    assert len({repr(shown(answer)) for answer in answers}) == 1


@pytest.mark.usefixtures("_two_a_network")
async def test_all_doors_of_a_network_share_one_quota(client, mailbox):
    person, network = await make_person(client), new_network()
    tokens = await sign_in(client, person.email)
    for door in (forgot, register_anew, change):
        assert (await door(client, network, person, tokens)).status_code == 202
    assert await mails(client, mailbox) == 2


@pytest.mark.usefixtures("_two_a_network")
async def test_a_network_without_mails_left_keeps_no_owner_from_theirs(client, mailbox):
    person, network = await make_person(client), new_network()
    for _ in range(MAIL_TO_ADDRESS.burst + 2):
        await forgot(client, network, person)
    await forgot(client, new_network(), person)
    assert await mails(client, mailbox) == 3


async def test_a_flood_of_a_mailbox_ends_with_the_quota_of_its_address_and_the_last_link_works(client, mailbox):
    person, networks = await make_person(client), [new_network() for _ in range(3)]
    answers = [await forgot(client, networks[number % 3], person) for number in range(MAIL_TO_ADDRESS.burst + 3)]
    answers += [await door(client, new_network(), person) for door in (register_taken, forgot)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({repr(shown(answer)) for answer in answers}) == 1
    assert await mails(client, mailbox) == MAIL_TO_ADDRESS.burst
    token = await mailbox.token(person.email, count=MAIL_TO_ADDRESS.burst)
    answer = await client.post("/v1/password/reset", json={"token": token, "new_password": f"{PASSWORD} anew"})
    assert answer.status_code == 204


@pytest.mark.usefixtures("_two_a_network")
async def test_where_names_are_held_a_sign_up_that_cannot_be_mailed_is_refused_and_holds_none(environ, open_app):
    async with open_app(load({**environ, "KEYTURN_REGISTRATION": "disclose"})) as client:
        names, network = [f"{new_name()}@example.com" for _ in range(3)], new_network()
        answers = [await post(client, "/v1/register", network, email=name, password=PASSWORD) for name in names]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert is_problem(answers[2], 429, "too_many_requests")
        assert answers[2].headers["retry-after"] == "60"
        answer = await post(client, "/v1/register", new_network(), email=names[2], password=PASSWORD)
        assert answer.status_code == 201
