"""Accounts: one e-mail is one account, and a changed password is dead at once."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from tests.snippets.conftest import must, sides
from tests.snippets.copied import flask_accounts
from tests.snippets.stale import stale_reads
from tests.support.people import bearer, register, sign_in

ADDRESS = "ada@example.com"
OLD, OTHER, NEW = ("correct horse battery staple", "another horse, another staple", "a sentence nobody else has")


@dataclass
class Snippet:
    """The Flask snippet, driven as a person would."""

    browser: Any
    table: Any

    async def sign_up(self, password):
        assert self.browser.post("/register", json={"email": ADDRESS, "password": password}).status_code in {201, 409}

    async def accounts(self):
        return len(self.table.scan(ConsistentRead=True)["Items"])

    async def can_sign_in(self, password):
        return self._login(password).status_code == 200

    async def change_password(self, *, old, new):
        user_id = self._login(old).json["user_id"]
        assert self.browser.post(f"/users/{user_id}/password", json={"password": new}).status_code == 200

    def _login(self, password):
        return self.browser.post("/login", json={"email": ADDRESS, "password": password})


@dataclass
class Keyturn:
    """The service, driven in the same way."""

    client: Any
    mailbox: Any
    users: Any

    async def sign_up(self, password):
        before = len(self.mailbox.all(ADDRESS))
        assert (await register(self.client, ADDRESS, password=password)).status_code == 202
        mail = await self.mailbox.wait(ADDRESS, count=before + 1)
        if "token=" in mail.as_string():
            token = await self.mailbox.token(ADDRESS, count=before + 1)
            assert (await self.client.post("/v1/email/verify", json={"token": token})).status_code in {204, 400}

    async def accounts(self):
        return sum(item["sk"] == "U" for item in self.users.scan(ConsistentRead=True)["Items"])

    async def can_sign_in(self, password):
        answer = await self.client.post("/v1/login", json={"identifier": ADDRESS, "password": password})
        return answer.status_code == 200

    async def change_password(self, *, old, new):
        tokens = await sign_in(self.client, ADDRESS, password=old)
        body = {"current_password": old, "new_password": new}
        answer = await self.client.post("/v1/password/change", json=body, headers=bearer(tokens))
        assert answer.status_code == 204, answer.text


@pytest.fixture
def store(engine_url):
    """A DynamoDB whose index and eventually consistent reads are behind."""
    with stale_reads(engine_url) as (url, repeated):
        yield url, repeated


@pytest.fixture
def snippet(store, connect):
    table = flask_accounts.create_table(connect(store[0]), f"users-{uuid.uuid4().hex}")
    return Snippet(flask_accounts.create_app(table).test_client(), table)


@pytest.fixture
def behind(store, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", store[0])


@pytest.fixture
async def keyturn(behind, client, settings, mailbox, connect):
    return Keyturn(client, mailbox, connect().Table(f"{settings.table_prefix}-users"))


@pytest.mark.parametrize(
    "side",
    sides("attribute_not_exists looks at the item of the same key, and the key is fresh: it is always true"),
    indirect=True,
)
async def test_one_email_is_one_account(side):
    await side.sign_up(OLD)
    await side.sign_up(OTHER)
    must(await side.accounts() == 1)


@pytest.mark.parametrize(
    "side", sides("the login asks an index, which may answer with the password from before"), indirect=True
)
async def test_an_old_password_is_dead_at_once(side):
    await side.sign_up(OLD)
    assert await side.can_sign_in(OLD)
    await side.change_password(old=OLD, new=NEW)
    must(not await side.can_sign_in(OLD))
    assert await side.can_sign_in(NEW)


async def test_the_store_that_is_behind_is_one(store, connect):
    """Without it the second property would hold for everybody."""
    url, repeated = store
    table = flask_accounts.create_table(connect(url), f"users-{uuid.uuid4().hex}")
    table.put_item(Item={"user_id": "u", "email": "e", "n": 1})
    by_key = {"Key": {"user_id": "u"}}
    assert table.get_item(**by_key)["Item"]["n"] == 1
    table.put_item(Item={"user_id": "u", "email": "e", "n": 2})
    assert table.get_item(**by_key)["Item"]["n"] == 1
    assert table.get_item(**by_key, ConsistentRead=True)["Item"]["n"] == 2
    assert repeated == ["GetItem"]
