"""Accounts made without mail, for tests whose subject is something else."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from service.accounts.create_user import CreateUser
from service.accounts.names import NewNames
from service.accounts.register import Register
from service.accounts.set_state import SetState, StateSet
from service.kernel.email import parse_email
from service.kernel.ids import id_text, parse_user_id
from service.kernel.secret import Secret
from service.kernel.username import parse_username
from service.revocations.log import RevocationLog
from service.users.model import StateChange, UserState
from service.users.repo import UserRepo
from tests.support.people import PASSWORD


@dataclass(frozen=True)
class Person:
    """Somebody with an account."""

    email: str
    username: str
    user_id: str


def new_name():
    """Letters that no other test uses."""
    return "p" + uuid.uuid4().hex[:12]


async def make_person(client, *, scope="", email=None):
    """An account on the tables of ``client``'s application."""
    services, name = client.app.state.services, new_name()
    email = email or f"{name}@example.com"
    register = services.get(Register)
    flow = CreateUser(
        accounts=register.accounts,
        identities=register.identities,
        hasher=register.hasher,
        clock=register.clock,
        entropy=register.entropy,
    )
    names = NewNames(email=parse_email(email), username=parse_username(name))
    user_id = await flow(names, Secret(PASSWORD), scope=scope)
    return Person(email=email, username=name, user_id=id_text(user_id))


async def set_state(client, person, state=UserState.DISABLED):
    """What the ``keyturn users`` commands write to bring an account to ``state``."""
    services = client.app.state.services
    users, user_id = services.get(UserRepo), parse_user_id(person.user_id)
    before = (await users.load(user_id)).state
    (change,) = [change for change in StateChange if change.to is state and before in change.leaves]
    assert await SetState(users=users, revocations=services.get(RevocationLog))(user_id, change) is StateSet.CHANGED
