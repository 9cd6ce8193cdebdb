"""People and sessions in Keyturn's tables, made by the service's own flows without a password hash for each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from benchmarks.harness.variables import environment
from service.accounts.create_user import CreateUser
from service.accounts.names import NewNames
from service.base import open_base, password_rules
from service.cli.context import migrate_context
from service.kernel.email import Email, parse_email
from service.kernel.secret import Secret
from service.mail.opening import open_sender
from service.migrate.runner import apply_all
from service.passwords.checker_open import open_checker
from service.sessions.flows import OpenSession
from service.sessions.model import Device, SignInFacts
from service.settings import load
from service.telemetry.metrics import Metrics
from service.wiring.core import build_core

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.base import Base
    from service.sessions.issue import IssuedTokens
    from service.users.model import User
    from service.wiring.core import Core

_AT_ONCE = 32
_DEVICE = Device(name=None, user_agent="bench", address="127.0.0.1")


async def stock(variables: Mapping[str, str], *, people: int, sessions: int, password: str) -> list[IssuedTokens]:
    """Migrated tables with ``people`` (``person0@example.com`` and on) who have ``sessions`` between them."""
    with environment(variables):
        settings = load({name: text for name, text in variables.items() if name.startswith("KEYTURN_")})
        async with open_base(settings, Metrics(registry=CollectorRegistry())) as base:
            await apply_all(migrate_context(base, embedded=True))
            async with (
                open_checker(password_rules(settings), clock=base.clock, count=lambda _outcome: None) as checker,
                open_sender(settings.mail_url.get_secret_value()) as sender,
            ):
                core = build_core(base, checker, sender)
                try:
                    users = [await _person(base, core, number, password) for number in range(people)]
                    return await _sessions(base, core, users, sessions)
                finally:
                    await core.hasher.pool.close()
                    await core.keyring.aclose()


async def _person(base: Base, core: Core, number: int, password: str) -> User:
    email = parse_email(f"person{number}@example.com")
    if not isinstance(email, Email):
        raise TypeError(email)
    create = CreateUser(
        accounts=core.accounts, identities=core.identities, hasher=core.hasher, clock=base.clock, entropy=base.entropy
    )
    user_id = await create(NewNames(email=email, username=None), Secret(password), scope="")
    user = await core.users.load(user_id)
    if user is None:
        raise LookupError("a user that was just made is not there")
    return user


async def _sessions(base: Base, core: Core, users: list[User], count: int) -> list[IssuedTokens]:
    begin = OpenSession(
        sessions=core.sessions, keys=core.refresh_keys, life=core.life, issuer=core.issuer, entropy=base.entropy
    )
    now_ms = base.clock.now_ms()
    facts = SignInFacts(
        client_id="first-party",
        scope="",
        amr=("pwd",),
        acr="aal1",
        auth_time_seconds=now_ms // 1000,
    )
    made: list[IssuedTokens] = []
    for first in range(0, count, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, count))
        made += await asyncio.gather(
            *(begin(users[number % len(users)], facts, _DEVICE, now_ms=now_ms) for number in numbers)
        )
    return made
