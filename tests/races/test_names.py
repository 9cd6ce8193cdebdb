"""One address and one username mean one account, whatever arrives at once, whichever worker it reaches."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter

import pytest

from tests.support.live import LONG, profiles
from tests.support.mailbox import text_of
from tests.support.people import PASSWORD
from tests.support.wire import open_wires, post_each

CLIENTS = 64
# Seconds on an idle machine; shared ones and the long variants take their time.
pytestmark = pytest.mark.timeout(900 if LONG else 300)


def case_variants(text, count):
    """The same name in as many spellings, in an order that is the same in each run."""
    chance = random.Random(1)
    return ["".join(chance.choice((letter.lower(), letter.upper())) for letter in text) for _ in range(count)]


def of_addresses(addresses):
    return [{"email": address, "password": PASSWORD} for address in addresses]


def of_usernames(usernames):
    return [
        {"email": f"person{number}@example.com", "username": username, "password": PASSWORD}
        for number, username in enumerate(usernames)
    ]


async def mailed_tokens(mailbox, count):
    """The token of every mail, once all have come."""
    for _ in range(300):
        if len(list((mailbox._folder / "new").iterdir())) == count:
            break
        await asyncio.sleep(0.1)
    links = [re.search(r"[?&]token=([A-Za-z0-9_-]+)", text_of(mail)) for mail in mailbox.all()]
    assert len(links) == count
    return [link[1] for link in links]


def outcomes(answers):
    return Counter((answer.status, answer.body.get("code") if answer.body else None) for answer in answers)


@pytest.fixture
async def post(workers):
    """Posts bodies to two workers, ``CLIENTS`` at a time; the answers in order."""
    urls = [(await workers.start()).url for _ in range(2)]

    async def post(path, bodies):
        async with open_wires(urls, CLIENTS) as wires:
            return await post_each(wires, path, bodies)

    return post


@pytest.fixture
def discloses(environ):
    environ["KEYTURN_REGISTRATION"] = "disclose"


@pytest.mark.usefixtures("discloses")
@pytest.mark.parametrize(
    ("bodies", "code"),
    [
        (of_addresses(case_variants("ada.lovelace@example.com", 1000)), "email_taken"),
        (of_usernames(case_variants("lovelace", 100)), "username_taken"),
    ],
    ids=["address", "username"],
)
async def test_one_name_registered_at_once_is_given_once(store, post, mailbox, bodies, code):
    answers = await post("/v1/register", bodies)
    assert outcomes(answers) == {(201, None): 1, (409, code): len(bodies) - 1}
    winner = bodies[[answer.status for answer in answers].index(201)]
    token = await mailbox.token(winner["email"])
    assert outcomes(await post("/v1/email/verify", [{"token": token}])) == {(204, None): 1}
    assert len(await profiles(store)) == 1


@pytest.mark.parametrize(
    ("bodies", "refusal"),
    [
        (of_addresses(case_variants("ada.lovelace@example.com", 1000)), (400, "invalid_token")),
        (of_usernames(case_variants("lovelace", 100)), (409, "username_taken")),
    ],
    ids=["address", "username"],
)
async def test_of_all_mails_for_one_name_one_makes_an_account(store, post, mailbox, bodies, refusal):
    answers = await post("/v1/register", bodies)
    assert outcomes(answers) == {(202, None): len(bodies)}
    tokens = await mailed_tokens(mailbox, len(bodies))
    answers = await post("/v1/email/verify", [{"token": token} for token in tokens])
    assert outcomes(answers) == {(204, None): 1, refusal: len(bodies) - 1}
    assert len(await profiles(store)) == 1


async def test_one_mail_used_everywhere_at_once_works_once(store, post, mailbox):
    for number in range(10):
        email = f"person{number}@example.com"
        await post("/v1/register", of_addresses([email]))
        answers = await post("/v1/email/verify", [{"token": await mailbox.token(email)}] * CLIENTS)
        assert outcomes(answers) == {(204, None): 1, (400, "invalid_token"): CLIENTS - 1}
    assert len(await profiles(store)) == 10
