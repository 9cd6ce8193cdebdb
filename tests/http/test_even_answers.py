"""Which answers wait for the beat, so that their time does not tell who has an account; tests/timing measures it."""

from __future__ import annotations

import pytest

from tests.support.accounts import new_name
from tests.support.people import PASSWORD, bearer, sign_in

BEAT_SECONDS = 0.15
NOBODY = "nobody@example.com"
DOORS = {
    "/v1/register": ({"email": NOBODY, "password": PASSWORD}, 202),
    "/v1/email/resend": ({"email": NOBODY}, 202),
    "/v1/password/forgot": ({"email": NOBODY}, 202),
    "/v1/login": ({"identifier": NOBODY, "password": PASSWORD}, 401),
    "/v1/password/reset": ({"email": NOBODY, "code": "7K3M-9QXT", "new_password": PASSWORD}, 400),
}


def beats(clock):
    return [seconds for seconds in clock.slept if seconds == pytest.approx(BEAT_SECONDS)]


@pytest.mark.parametrize("path", DOORS)
async def test_enumeration_an_answer_that_could_tell_who_has_an_account_waits_for_its_beat(client, clock, path):
    body, status = DOORS[path]
    clock.slept.clear()
    assert (await client.post(path, json=body)).status_code == status
    assert len(beats(clock)) == 1


async def test_enumeration_asking_for_another_address_waits_whether_or_not_it_is_taken(client, clock, tokens):
    clock.slept.clear()
    body = {"new_email": f"{new_name()}@example.com", "password": PASSWORD}
    assert (await client.post("/v1/email/change", json=body, headers=bearer(tokens))).status_code == 202
    assert len(beats(clock)) == 1


async def test_a_sign_in_that_succeeds_waits_for_nothing(client, clock, ada):
    clock.slept.clear()
    await sign_in(client, ada.email)
    assert not beats(clock)
