"""The throttle at the door of the service as it is wired."""

from __future__ import annotations

import pytest

from service.throttle.device_headers import DEVICE_HEADER
from tests.support.people import PASSWORD, sign_up


async def login(client, password, **headers):
    body = {"identifier": "ada@example.com", "password": password}
    return await client.post("/v1/login", json=body, headers=headers)


async def test_the_eleventh_wrong_password_is_refused_and_the_owner_signs_in_on_the_known_device(client, mailbox):
    await sign_up(client, mailbox)
    device = (await login(client, PASSWORD)).headers[DEVICE_HEADER]
    assert [(await login(client, "wrong wrong wrong")).status_code for _ in range(11)] == [401] * 10 + [429]
    assert (await login(client, PASSWORD)).status_code == 429
    answer = await login(client, PASSWORD, **{DEVICE_HEADER: device})
    assert answer.status_code == 200


@pytest.mark.parametrize("identifier", ["nobody@example.com", "not a name at all!"])
async def test_unknown_names_are_limited_like_known_ones(client, identifier):
    body = {"identifier": identifier, "password": "wrong wrong wrong"}
    assert [(await client.post("/v1/login", json=body)).status_code for _ in range(11)] == [401] * 10 + [429]
