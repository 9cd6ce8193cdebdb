"""The audit table on a real engine with a meter that tells the units, and the route with people to call it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI

from service.accounts.set_state import SetState, StateSet
from service.audit.repo import EventRepo
from service.audit.table import TableAudit
from service.base import build_keyring
from service.kernel.ids import id_text, new_session_id, new_user_id
from service.store.cursor import Cursors
from service.store.operations import Put
from service.store.table import Table
from service.tokens.access_token import AccessTokens, Grant
from service.tokens.gatekeeper import Gatekeeper
from service.users.events.flows import ListEvents
from service.users.events.routes import router
from service.users.items import to_item
from service.users.model import StateChange
from service.users.repo import UserRepo
from service.web import problems
from service.web.edge import edge_middleware
from service.web.provide import Services
from tests.support.feed import NO_FEED
from tests.support.store import RecordingMeter
from tests.unit.audit.conftest import Meter
from tests.unit.users.conftest import make_user

if TYPE_CHECKING:
    from service.kernel.ids import UserId

RETENTION_SECONDS = 86_400


@pytest.fixture
def units():
    return RecordingMeter()


@pytest.fixture
def repo(base, units):
    return EventRepo(dynamo=replace(base.dynamo, meter=units))


@pytest.fixture
def drops():
    return Meter()


@pytest.fixture
async def audit(base, repo, drops):
    audit = TableAudit(
        repo=repo, clock=base.clock, entropy=base.entropy, meter=drops, retention_seconds=RETENTION_SECONDS
    )
    yield audit
    await audit.drain(5)


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and an access token to call with."""

    user_id: UserId
    headers: dict


@pytest.fixture
async def keyring(base):
    keyring = build_keyring(base)
    yield keyring
    await keyring.aclose()


@pytest.fixture
async def client(base, keyring, audit, repo):
    """The route at its edge, with a real gatekeeper."""
    app = FastAPI(middleware=edge_middleware(entropy=base.entropy, base_url=base.settings.issuer))
    problems.install(app)
    app.include_router(router)
    app.state.services = Services(
        Gatekeeper(
            keyring=keyring,
            clock=base.clock,
            issuer=base.settings.issuer,
            audience=base.settings.expected_audience,
            leeway_seconds=2,
            recent_seconds=600,
        ),
        Cursors(base.identity_master, base.entropy),
        ListEvents(events=repo, users=UserRepo(dynamo=base.dynamo), audit=audit, clock=base.clock),
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=base.settings.issuer) as client:
        client.app = app
        yield client


@pytest.fixture
def make_person(base, keyring):
    """Somebody with an account and a token: ``await make_person(scope=...)``."""
    tokens = AccessTokens(
        keyring=keyring,
        entropy=base.entropy,
        issuer=base.settings.issuer,
        audience=base.settings.expected_audience,
        ttl_seconds=300,
        tells_epoch=False,
    )

    async def make(*, scope=""):
        user_id = new_user_id(base.entropy)
        user = make_user(user_id=user_id, scope=scope)
        await base.dynamo.write(Put(table=Table.USERS, item=to_item(user)))
        grant = Grant(
            subject=id_text(user_id),
            session_id=id_text(new_session_id(base.entropy)),
            client_id="first-party",
            scope=scope,
            auth_time_seconds=base.clock.now_ms() // 1000,
            amr=("pwd",),
            acr="aal1",
            epoch=0,
        )
        return Person(user_id, {"Authorization": f"Bearer {await tokens.issue(grant, now_ms=base.clock.now_ms())}"})

    return make


@pytest.fixture
def disable(base):
    async def write(person):
        flow = SetState(users=UserRepo(dynamo=base.dynamo), revocations=NO_FEED)
        assert await flow(person.user_id, StateChange.DISABLE) is StateSet.CHANGED

    return write


@pytest.fixture
async def ada(make_person):
    return await make_person()


@pytest.fixture
async def operator(make_person):
    return await make_person(scope="audit:read")
