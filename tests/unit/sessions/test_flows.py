from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from service.audit.event import EventKind
from service.errors import NotFound, Unauthenticated
from service.kernel.secret import Secret
from service.sessions.ending import EndOne
from service.sessions.flows import EndSession, ListSessions, Logout, LogoutAll, OpenSession
from service.sessions.issue import Issuer
from service.sessions.model import RevokeReason, SessionState
from service.sessions.repo import SessionPage
from service.store.errors import StoreUnavailable
from service.users.model import UserState
from service.users.repo import EndedAll
from tests.support.clock import ManualClock
from tests.support.feed import NO_FEED
from tests.support.store import CountedEntropy
from tests.unit.sessions.conftest import NOW_MS, FakeAccessTokens, FakeAudit, FakeUsers, make_session, make_token
from tests.unit.users.conftest import make_user

TOKEN = make_token()
SESSION = make_session(TOKEN)
USER = make_user(user_id=TOKEN.user_id)


@dataclass
class FakeSessions:
    stored: tuple = ()
    ends: bool = True
    error: Exception | None = None
    created: list = field(default_factory=list)
    revoked: list = field(default_factory=list)
    pages: list = field(default_factory=list)

    async def create(self, session):
        self.created.append(session)

    async def revoke(self, user_id, session_id, *, reason, now_ms):
        self.revoked.append((user_id, session_id, reason, now_ms))
        if self.error is not None:
            raise self.error
        return self.ends

    async def page(self, user_id, *, limit, start):
        self.pages.append((user_id, limit, start))
        return SessionPage(sessions=self.stored, next_start={"uid": b"next"})


def ending(sessions):
    return EndOne(sessions=sessions, revocations=NO_FEED)


@pytest.fixture
def clock():
    return ManualClock(ms=NOW_MS)


@pytest.fixture
def open_session(keys, life):
    return OpenSession(
        sessions=FakeSessions(),
        keys=keys,
        life=life,
        issuer=Issuer(access_tokens=FakeAccessTokens(), refresh_keys=keys),
        entropy=CountedEntropy(),
    )


async def test_a_sign_in_leaves_a_session_of_generation_zero_with_both_its_lives(open_session, keys):
    issued = await open_session(replace(USER, epoch=7), SESSION.facts, SESSION.device, now_ms=NOW_MS)
    token = keys.decode(issued.refresh_token.reveal())
    (created,) = open_session.sessions.created
    assert created == replace(
        SESSION,
        session_id=token.session_id,
        digest=token.digest,
        epoch=7,
        created_ms=NOW_MS,
        idle_expiry_ms=NOW_MS + 3_600_000,
        absolute_expiry_ms=NOW_MS + 7_200_000,
    )
    assert (token.generation, token.kid, token.user_id) == (0, 1, USER.user_id)
    assert issued.refresh_expires_in_seconds == 3600


async def test_session_fixation_no_two_sign_ins_share_an_id_or_a_secret(open_session, keys):
    issued = [await open_session(USER, SESSION.facts, SESSION.device, now_ms=NOW_MS) for _ in range(2)]
    first, second = (keys.decode(one.refresh_token.reveal()) for one in issued)
    assert first.session_id != second.session_id
    assert first.secret != second.secret


async def test_logging_out_ends_the_session_of_the_token(keys, clock):
    sessions, audit = FakeSessions(), FakeAudit()
    await Logout(end=ending(sessions), keys=keys, audit=audit, clock=clock)(Secret(keys.encode(TOKEN)))
    assert sessions.revoked == [(TOKEN.user_id, TOKEN.session_id, RevokeReason.LOGOUT, NOW_MS)]
    assert audit.outcomes == [(EventKind.LOGOUT, "ended")]


async def test_logging_out_twice_is_no_error(keys, clock):
    audit = FakeAudit()
    await Logout(end=ending(FakeSessions(ends=False)), keys=keys, audit=audit, clock=clock)(Secret(keys.encode(TOKEN)))
    assert audit.outcomes == [(EventKind.LOGOUT, "had_ended")]


async def test_a_forged_token_logs_nobody_out_and_asks_nothing(keys, clock):
    sessions, audit = FakeSessions(), FakeAudit()
    await Logout(end=ending(sessions), keys=keys, audit=audit, clock=clock)(Secret("ktr_" + "0" * 101))
    assert (sessions.revoked, audit.events) == ([], [])


async def test_a_logout_that_could_not_be_written_is_an_error_and_no_event(keys, clock):
    audit = FakeAudit()
    logout = Logout(end=ending(FakeSessions(error=StoreUnavailable("away"))), keys=keys, audit=audit, clock=clock)
    with pytest.raises(StoreUnavailable):
        await logout(Secret(keys.encode(TOKEN)))
    assert audit.events == []


async def test_ending_all_sessions_is_one_write_on_the_user():
    audit = FakeAudit()
    await LogoutAll(users=FakeUsers(USER), revocations=NO_FEED, audit=audit)(USER.user_id, session_epoch=0)
    assert audit.outcomes == [(EventKind.LOGOUT_ALL, "ended")]


async def test_an_account_that_is_not_active_cannot_end_its_sessions():
    audit = FakeAudit()
    with pytest.raises(Unauthenticated):
        await LogoutAll(users=FakeUsers(USER, ends=EndedAll.NOT_ACTIVE), revocations=NO_FEED, audit=audit)(
            USER.user_id, session_epoch=0
        )
    assert audit.events == []


async def test_ending_all_sessions_a_second_time_is_no_error_and_no_event():
    audit = FakeAudit()
    await LogoutAll(users=FakeUsers(USER, ends=EndedAll.HAD_ENDED), revocations=NO_FEED, audit=audit)(
        USER.user_id, session_epoch=0
    )
    assert audit.events == []


async def test_only_live_sessions_are_listed_and_the_page_goes_on(clock):
    dead = [
        replace(SESSION, state=SessionState.REVOKED),
        replace(SESSION, idle_expiry_ms=NOW_MS),
        replace(SESSION, absolute_expiry_ms=NOW_MS - 1),
        replace(SESSION, epoch=2),
    ]
    live = replace(SESSION, epoch=3)
    sessions = FakeSessions(stored=(*(replace(one, epoch=one.epoch or 3) for one in dead), live))
    users = FakeUsers(user=replace(USER, epoch=3))
    found = await ListSessions(sessions=sessions, users=users, clock=clock)(USER.user_id, start={"uid": b"here"})
    assert (found.sessions, found.next_start) == ((live,), {"uid": b"next"})
    assert sessions.pages == [(USER.user_id, 50, {"uid": b"here"})]


@pytest.mark.parametrize(
    "user", [None, replace(USER, state=UserState.DISABLED), replace(USER, state=UserState.DELETED)]
)
async def test_the_sessions_of_who_may_not_act_are_not_listed(clock, user):
    sessions = FakeSessions(stored=(SESSION,))
    with pytest.raises(Unauthenticated):
        await ListSessions(sessions=sessions, users=FakeUsers(user=user), clock=clock)(USER.user_id, start=None)
    assert sessions.pages == []


def end_session(sessions, audit, clock, user=USER):
    return EndSession(end=ending(sessions), users=FakeUsers(user), audit=audit, clock=clock)


async def test_an_owner_ends_one_session(clock):
    sessions, audit = FakeSessions(), FakeAudit()
    await end_session(sessions, audit, clock)(TOKEN.user_id, TOKEN.session_id, session_epoch=0)
    assert sessions.revoked == [(TOKEN.user_id, TOKEN.session_id, RevokeReason.ENDED_BY_OWNER, NOW_MS)]
    assert audit.outcomes == [(EventKind.SESSION_END, "ended")]


async def test_ending_a_session_that_is_not_there_is_not_found(clock):
    audit = FakeAudit()
    with pytest.raises(NotFound):
        await end_session(FakeSessions(ends=False), audit, clock)(TOKEN.user_id, TOKEN.session_id, session_epoch=0)
    assert audit.events == []


@pytest.mark.parametrize(
    "user",
    [None, replace(USER, state=UserState.LOCKED), replace(USER, state=UserState.DELETED), replace(USER, epoch=1)],
)
async def test_who_may_not_act_or_whose_own_session_is_dead_ends_none(clock, user):
    sessions, audit = FakeSessions(), FakeAudit()
    with pytest.raises(Unauthenticated):
        await end_session(sessions, audit, clock, user)(TOKEN.user_id, TOKEN.session_id, session_epoch=0)
    assert (sessions.revoked, audit.events) == ([], [])
