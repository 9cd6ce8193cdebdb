"""Settings that change nothing of an answer, seen where they must arrive in a service that runs."""

from __future__ import annotations

import asyncio

import pytest

from service.kernel.ids import parse_user_id
from service.settings import load
from service.signin.flows import SignIn
from service.store.table import Table
from service.users.repo import UserRepo
from tests.support.accounts import make_person
from tests.support.live import items_of
from tests.support.mailbox import text_of
from tests.support.people import register, sign_in

DAY_SECONDS = 86_400


async def events_of(client, person):
    services = client.app.state.services
    table = services.get(SignIn).audit.table
    while table._tasks:
        await asyncio.wait(set(table._tasks))
    user_id = bytes(parse_user_id(person.user_id))
    items = await items_of(services.get(UserRepo), Table.AUDIT)
    return [item for item in items if item.get("uid", {}).get("B") == user_id]


@pytest.mark.parametrize("days", [1, 3, None])
async def test_events_are_kept_for_as_many_days_as_the_setting_says(environ, open_app, keyturn, days):
    if days is not None:
        environ["KEYTURN_AUDIT_RETENTION_DAYS"] = str(days)
    async with open_app(load(environ)) as client:
        person = await make_person(client)
        await sign_in(client, person.email)
        # By the service, and by a command, which has the setting from the same place.
        assert (await keyturn("users", "lock", person.email))[0] == 0
        events = await events_of(client, person)
    assert {event["kd"]["S"] for event in events} == {"sign_in", "user_lock"}
    for event in events:
        written_seconds = int(event["sk"]["S"].partition("#")[0]) // 1000
        assert int(event["ttl"]["N"]) - written_seconds == (400 if days is None else days) * DAY_SECONDS


async def test_a_service_mails_from_the_templates_that_the_setting_names(environ, open_app, mailbox, tmp_path):
    folder = tmp_path / "ours"
    (folder / "en").mkdir(parents=True)
    (folder / "en/confirm_email.txt").write_text("Welcome to ours\n{{ link }} and {{ code }} of ours\n")
    environ["KEYTURN_MAIL_TEMPLATES"] = str(folder)
    async with open_app(load(environ)) as client:
        await register(client, email := "ada-of-templates@example.com")
        mail = await mailbox.wait(email)
        assert mail["Subject"] == "Welcome to ours"
        assert text_of(mail).rstrip().endswith("of ours")
        answer = await client.post("/v1/email/verify", json={"token": await mailbox.token(email)})
        assert answer.status_code == 204
