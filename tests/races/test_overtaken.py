"""A reset or change that is overtaken between its last read and its write is refused, whatever overtook it."""

from __future__ import annotations

import pytest

from service.accounts.forgot_password import ForgotPassword
from service.accounts.recovery_repo import RecoveryRepo
from tests.support.accounts import make_person, new_name, set_state
from tests.support.people import PASSWORD, bearer, sign_in

NEW = "a wholly different long sentence"


@pytest.fixture
async def ada(client):
    return await make_person(client)


@pytest.fixture
async def tokens(client, ada):
    return await sign_in(client, ada.email)


@pytest.fixture
def overtaken(client, mailbox, ada, tokens):  # noqa: C901 - a list of short ones
    """What may happen to Ada's account meanwhile, by its name."""
    headers = bearer(tokens)

    async def post(path, body, *, status):
        answer = await client.post(path, json=body, headers=headers)
        assert answer.status_code == status, answer.text

    async def change_password():
        await post("/v1/password/change", {"current_password": PASSWORD, "new_password": NEW}, status=204)

    async def reset():
        token = await reset_token(client, mailbox, ada)
        await post("/v1/password/reset", {"token": token, "new_password": NEW}, status=204)

    async def change_address():
        token = await change_token(client, mailbox, tokens, f"{new_name()}@example.com")
        await post("/v1/email/change/confirm", {"token": token}, status=204)

    async def ask_for_another_address():
        await change_token(client, mailbox, tokens, f"{new_name()}@example.com")

    async def log_out():
        await post("/v1/logout", {"refresh_token": tokens["refresh_token"]}, status=204)

    async def log_out_everywhere():
        await post("/v1/logout-all", None, status=204)

    async def close():
        assert (await client.delete("/v1/me", headers=headers)).status_code == 204

    return {
        "password changed": change_password,
        "reset": reset,
        "address changed": change_address,
        "newer change": ask_for_another_address,
        "newer reset": lambda: reset_token(client, mailbox, ada),
        "logged out": log_out,
        "logged out everywhere": log_out_everywhere,
        "closed": close,
        "disabled": lambda: set_state(client, ada),
    }


@pytest.fixture
def meanwhile(monkeypatch):
    """Let something happen once, right before the write ``name``."""

    def plan(name, happen):
        write, waiting = getattr(RecoveryRepo, name), [happen]

        async def overtaken_write(*arguments, **named):
            if waiting:
                await waiting.pop()()
            return await write(*arguments, **named)

        monkeypatch.setattr(RecoveryRepo, name, overtaken_write)

    return plan


async def reset_token(client, mailbox, person):
    count = len(mailbox.all(person.email)) + 1
    await client.post("/v1/password/forgot", json={"email": person.email})
    return await mailbox.token(person.email, count=count)


async def change_token(client, mailbox, tokens, new):
    await client.post("/v1/email/change", json={"new_email": new, "password": PASSWORD}, headers=bearer(tokens))
    return await mailbox.token(new)


@pytest.mark.parametrize("by", ["password changed", "reset", "address changed", "newer reset", "closed", "disabled"])
async def test_a_reset_is_refused(client, mailbox, ada, overtaken, meanwhile, by):  # noqa: PLR0917
    token = await reset_token(client, mailbox, ada)
    if by == "reset":
        code = await mailbox.code(ada.email)
        first = {"email": ada.email, "code": code, "new_password": NEW}

        async def reset_by_code():
            assert (await client.post("/v1/password/reset", json=first)).status_code == 204

        overtaken[by] = reset_by_code
    meanwhile("reset", overtaken[by])
    body = {"token": token, "new_password": "what the overtaken one wanted"}
    assert (await client.post("/v1/password/reset", json=body)).status_code == 400
    await nobody_signs_in_with(client, ada, "what the overtaken one wanted")


@pytest.mark.parametrize(
    "by", ["reset", "password changed", "logged out", "logged out everywhere", "closed", "disabled"]
)
async def test_a_change_of_the_password_is_refused(client, ada, tokens, overtaken, meanwhile, by):  # noqa: PLR0917
    meanwhile("change_password", overtaken[by])
    body = {"current_password": PASSWORD, "new_password": "what the overtaken one wanted"}
    answer = await client.post("/v1/password/change", json=body, headers=bearer(tokens))
    assert answer.status_code == 409
    await nobody_signs_in_with(client, ada, "what the overtaken one wanted")


@pytest.mark.parametrize("by", ["reset", "password changed", "address changed", "newer change", "closed", "disabled"])
async def test_a_change_of_the_address_is_refused(client, mailbox, tokens, overtaken, meanwhile, by):  # noqa: PLR0917
    wanted = f"{new_name()}@example.com"
    token = await change_token(client, mailbox, tokens, wanted)
    meanwhile("change_email", overtaken[by])
    assert (await client.post("/v1/email/change/confirm", json={"token": token})).status_code == 400
    body = {"identifier": wanted, "password": PASSWORD}
    assert (await client.post("/v1/login", json=body)).status_code == 401


@pytest.mark.parametrize("by", ["reset", "password changed", "logged out everywhere", "closed", "disabled"])
async def test_to_ask_for_another_address_is_refused_and_mails_nobody(  # noqa: PLR0917
    client, mailbox, tokens, overtaken, meanwhile, by
):
    wanted = f"{new_name()}@example.com"
    meanwhile("ask_change", overtaken[by])
    body = {"new_email": wanted, "password": PASSWORD}
    assert (await client.post("/v1/email/change", json=body, headers=bearer(tokens))).status_code == 401
    await client.app.state.services.get(ForgotPassword).outbox.drain(10)
    assert mailbox.all(wanted) == []


@pytest.mark.parametrize("by", ["closed", "disabled"])
async def test_to_ask_for_a_reset_mails_nobody(client, mailbox, ada, overtaken, meanwhile, by):  # noqa: PLR0917
    meanwhile("ask_reset", overtaken[by])
    assert (await client.post("/v1/password/forgot", json={"email": ada.email})).status_code == 202
    await client.app.state.services.get(ForgotPassword).outbox.drain(10)
    assert mailbox.all(ada.email) == []


async def nobody_signs_in_with(client, person, password):
    body = {"identifier": person.username, "password": password}
    assert (await client.post("/v1/login", json=body)).status_code == 401
