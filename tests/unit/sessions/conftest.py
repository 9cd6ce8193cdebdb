"""Keys, tokens and sessions to judge; nothing here asks a store, a clock or chance."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from service.kernel.ids import SessionId, UserId
from service.mail.outbox import Announced
from service.sessions.model import Device, Session, SessionLife, SessionState, SignInFacts
from service.sessions.refresh_token import RefreshKeys, RefreshToken
from service.users.repo import EndedAll

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
MASTERS = {1: b"1" * 32, 2: b"2" * 32}
NONCE = b"n" * 16


def make_token(**changes):
    token = RefreshToken(
        kid=1,
        user_id=UserId(b"u" * 16),
        session_id=SessionId(b"s" * 16),
        generation=0,
        secret=b"x" * 20,
    )
    return replace(token, **changes)


def make_session(token, **changes):
    session = Session(
        user_id=token.user_id,
        session_id=token.session_id,
        state=SessionState.ACTIVE,
        generation=token.generation,
        digest=token.digest,
        previous_digest=None,
        nonce=None,
        kid=token.kid,
        rotated_ms=0,
        idle_expiry_ms=NOW_MS + HOUR_MS,
        absolute_expiry_ms=NOW_MS + 2 * HOUR_MS,
        epoch=0,
        created_ms=NOW_MS - HOUR_MS,
        facts=SignInFacts(
            client_id="first-party", scope="a b", amr=("pwd",), acr="aal1", auth_time_seconds=NOW_MS // 1000 - 3600
        ),
        device=Device(name="Ada's phone", user_agent="Firefox", address="192.0.2.0/24"),
    )
    return replace(session, **changes)


@dataclass
class FakeAccessTokens:
    ttl_seconds: int = 300
    grants: list = field(default_factory=list)
    error: Exception | None = None
    issued_ms: int | None = None

    async def issue(self, grant, *, now_ms):
        self.grants.append(grant)
        self.issued_ms = now_ms
        if self.error is not None:
            raise self.error
        return "access.token.text"


@dataclass
class FakeUsers:
    user: object
    ends: EndedAll = EndedAll.ENDED
    entries: object = None

    async def load(self, user_id):
        return self.user

    async def end_all_sessions(self, user_id, *, session_epoch, entries):
        self.entries = entries
        return self.ends


@dataclass
class FakeAudit:
    events: list = field(default_factory=list)

    def record(self, event):
        self.events.append(event)

    @property
    def outcomes(self):
        return [(event.kind, event.outcome) for event in self.events]


@dataclass
class FakePost:
    """A letter's action is its message; ``messages`` are those that were sent."""

    messages: list = field(default_factory=list)

    def prepare(self, message):
        return Announced(letter=None, action=message)

    def dispatch(self, announced):
        self.messages.append(announced.action)


@pytest.fixture
def keys():
    return RefreshKeys(MASTERS, active_kid=1)


@pytest.fixture
def life():
    return SessionLife(grace_seconds=30, skew_seconds=2, deadline_seconds=10, idle_seconds=3600, absolute_seconds=7200)


@pytest.fixture
def token():
    return make_token()
