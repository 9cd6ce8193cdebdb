"""Two worker processes with a revocation feed, and people who are signed in."""

from __future__ import annotations

import pytest

from service.accounts.create_user import CreateUser
from service.accounts.names import NewNames
from service.accounts.repo import AccountRepo
from service.base import build_hasher
from service.kernel.email import parse_email
from service.kernel.ids import id_text
from service.kernel.secret import Secret
from service.users.identity import IdentityKeys
from tests.support.accounts import Person, new_name
from tests.support.feed import FEED_KEYS
from tests.support.live import store, workers
from tests.support.people import PASSWORD

__all__ = ["store", "workers"]


@pytest.fixture
def environ(environ):
    """No grace, so that a token that is used twice is found out within seconds."""
    return {
        **environ,
        "KEYTURN_REVOCATION_FEED_KEYS": FEED_KEYS,
        "KEYTURN_REFRESH_GRACE_SECONDS": "0",
        "KEYTURN_CLOCK_SKEW_SECONDS": "0",
    }


@pytest.fixture
async def make_people(store):
    """Accounts without mail: ``await make_people(3)``."""
    hasher = build_hasher(store)
    create = CreateUser(
        accounts=AccountRepo(dynamo=store.dynamo),
        identities=IdentityKeys(store.identity_master),
        hasher=hasher,
        clock=store.clock,
        entropy=store.entropy,
    )

    async def make(count):
        people = []
        for name in [new_name() for _ in range(count)]:
            names = NewNames(email=parse_email(f"{name}@example.com"), username=None)
            user_id = await create(names, Secret(PASSWORD), scope="")
            people.append(Person(email=names.email.address, username=name, user_id=id_text(user_id)))
        return people

    make.store = store
    yield make
    await hasher.pool.close()
