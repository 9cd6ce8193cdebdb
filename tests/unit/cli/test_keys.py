"""``keyturn keys``: what operators do to signing keys, and what becomes of tokens."""

from __future__ import annotations

import asyncio
import re

import pytest

from service.kernel.clock import SystemClock
from tests.support.accounts import make_person
from tests.support.answers import is_problem
from tests.support.people import bearer, sign_in

LINE = re.compile(r"^(?P<alg>\S+) +(?P<kid>\S+)  (?P<phase>\S+) +begins (?P<begins>\S+)$")


@pytest.fixture
def clock():
    """The machine's time for the service, as the command has it."""
    return SystemClock()


def listed(keyturn):
    status, out, err = keyturn("keys", "list")
    assert (status, err) == (0, "")
    return [LINE.match(line).groupdict() for line in out.splitlines()]


def phases(keyturn):
    return [key["phase"] for key in listed(keyturn)]


def test_before_the_first_token_there_is_no_key(keyturn):
    assert listed(keyturn) == []


def test_the_next_key_is_published_first_and_signs_later(keyturn):
    status, out, _ = keyturn("keys", "rotate")
    assert status == 0
    assert re.fullmatch(r"\S+ begins \S+\n", out)
    assert phases(keyturn) == ["active", "pending"]
    assert {key["alg"] for key in listed(keyturn)} == {"ES256"}


def test_a_rotation_now_replaces_the_signing_key_at_once_though_there_was_none(keyturn):
    for phases_after in (["retired", "active"], ["retired", "retired", "active"]):
        made = keyturn("keys", "rotate", "--now")[1].split()[0]
        assert phases(keyturn) == phases_after
        assert listed(keyturn)[-1]["kid"] == made


def test_the_key_that_signs_is_not_retired(keyturn):
    keyturn("keys", "rotate")
    active, _ = listed(keyturn)
    status, out, err = keyturn("keys", "retire", active["kid"])
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert "keyturn keys rotate --now" in err
    assert phases(keyturn) == ["active", "pending"]


@pytest.mark.parametrize("kid", ["nope", "-nope", "--nope-_"])
def test_an_unknown_key_is_said_in_one_line_though_it_begins_with_a_dash(keyturn, kid):
    assert keyturn("keys", "retire", kid) == (
        1,
        "",
        f"keyturn: there is no key '{kid}'; see: keyturn keys list\n",
    )


def test_a_pending_key_may_be_retired_and_again(keyturn):
    keyturn("keys", "rotate")
    pending = listed(keyturn)[1]["kid"]
    for _ in range(2):
        assert keyturn("keys", "retire", pending) == (0, f"{pending} is retired\n", "")
    assert phases(keyturn) == ["active", "bad"]


async def test_a_leaked_key_is_replaced_and_its_tokens_are_refused(keyturn, settings, open_app):
    async def command(*arguments):
        return await asyncio.to_thread(keyturn, "keys", *arguments)

    async with open_app(settings) as client:
        person = await make_person(client)
        old = await sign_in(client, person.email)
        leaked = (await client.get("/.well-known/jwks.json")).json()["keys"][0]["kid"]

    assert (await command("rotate", "--now"))[0] == 0
    async with open_app(settings) as client:
        assert (await client.get("/v1/me", headers=bearer(old))).status_code == 200, "an overlap without a refusal"
        assert leaked in {key["kid"] for key in (await client.get("/.well-known/jwks.json")).json()["keys"]}

    assert (await command("retire", leaked))[0] == 0
    async with open_app(settings) as client:
        assert is_problem(await client.get("/v1/me", headers=bearer(old)), 401, "invalid_token")
        jwks = (await client.get("/.well-known/jwks.json")).json()["keys"]
        assert leaked not in {key["kid"] for key in jwks}
        assert len(jwks) == 1
        renewed = await client.post("/v1/refresh", json={"refresh_token": old["refresh_token"]})
        assert (await client.get("/v1/me", headers=bearer(renewed.json()))).status_code == 200
