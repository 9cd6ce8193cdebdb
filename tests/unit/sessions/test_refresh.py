from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from service.errors import InvalidGrant, Unavailable
from service.kernel.secret import Secret
from service.mail.message import MailKind
from service.sessions.ending import EndOne
from service.sessions.issue import Issuer
from service.sessions.model import RevokeReason, SessionState
from service.sessions.refresh import Refresh, user_refusal
from service.sessions.refresh_token import MAX_GENERATION
from service.sessions.repo import NotRotated, Rotated
from service.sessions.rotation import Refusal
from service.store.errors import StoreUnavailable
from service.users.model import UserState
from tests.support.clock import ManualClock
from tests.support.feed import NO_FEED
from tests.support.store import CountedEntropy
from tests.unit.sessions.conftest import (
    HOUR_MS,
    NONCE,
    NOW_MS,
    FakeAccessTokens,
    FakeAudit,
    FakePost,
    FakeUsers,
    make_session,
    make_token,
)
from tests.unit.users.conftest import make_user

TOKEN = make_token(generation=3)
USER = make_user(user_id=TOKEN.user_id, scope="a b")


@dataclass
class FakeSessions:
    """Rotates when it is told nothing else; the log shows the order in which things became true."""

    outcome: object = None
    revocation: object = True
    log: list = field(default_factory=list)

    async def rotate(self, presented, successor, *, nonce, now_ms, coalesce_ms, idle_ms):
        self.log.append(("rotate", presented, successor, nonce, now_ms, coalesce_ms, idle_ms))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        if self.outcome is not None:
            return self.outcome
        return Rotated(session=make_session(successor, previous_digest=presented.digest, rotated_ms=now_ms))

    async def revoke(self, user_id, session_id, *, reason, now_ms, letter=None):
        self.log.append(("revoke", user_id, session_id, reason, now_ms, letter))
        if isinstance(self.revocation, Exception):
            raise self.revocation
        return self.revocation

    revoke_and_tell = revoke


@pytest.fixture
def make(keys, life):
    def make(outcome=None, *, user=USER, revocation=True, access_tokens=None, keys=keys):
        sessions = FakeSessions(outcome, revocation)
        return Refresh(
            sessions=sessions,
            end=EndOne(sessions=sessions, revocations=NO_FEED),
            users=FakeUsers(user=user),
            keys=keys,
            life=life,
            issuer=Issuer(access_tokens=access_tokens or FakeAccessTokens(), refresh_keys=keys),
            audit=FakeAudit(),
            clock=ManualClock(ms=NOW_MS),
            entropy=CountedEntropy(),
            post=FakePost(),
            locale="de",
        )

    return make


def present(flow, token):
    return flow(Secret(flow.keys.encode(token)))


def stored(presented, **changes):
    return NotRotated(stored=make_session(presented, **changes))


async def refused(flow, token, reason):
    with pytest.raises(InvalidGrant) as refusal:
        await present(flow, token)
    (event,) = flow.audit.events
    assert (refusal.value.detail_for_log, event.outcome) == (reason.value, reason.value)
    assert event.alarming is reason.is_alarming
    return event


async def test_a_current_token_is_rotated_to_its_derived_successor(make, keys):
    flow = make()
    issued = await present(flow, TOKEN)
    ((_, presented, successor, nonce, now_ms, coalesce_ms, idle_ms),) = flow.sessions.log
    assert (presented, now_ms, coalesce_ms, idle_ms) == (TOKEN, NOW_MS, 48_000, HOUR_MS)
    assert successor == keys.successor(TOKEN, kid=1, nonce=nonce)
    assert keys.decode(issued.refresh_token.reveal()) == successor
    assert [(event.outcome, event.alarming) for event in flow.audit.events] == [("rotated", False)]


async def test_the_successor_is_made_with_the_active_key(make):
    flow = make()
    later = replace(flow, keys=type(flow.keys)({1: b"1" * 32, 2: b"2" * 32}, active_kid=2))
    issued = await present(later, TOKEN)
    assert later.keys.decode(issued.refresh_token.reveal()).kid == 2


async def test_a_token_too_young_to_rotate_is_handed_back_with_a_new_access_token(make, keys):
    flow = make(stored(TOKEN, rotated_ms=NOW_MS))
    issued = await present(flow, TOKEN)
    assert keys.decode(issued.refresh_token.reveal()) == TOKEN
    assert [event.outcome for event in flow.audit.events] == ["coalesced"]


async def test_a_retry_in_the_grace_is_handed_the_same_successor(make, keys):
    following = keys.successor(TOKEN, kid=1, nonce=NONCE)
    flow = make(stored(following, previous_digest=TOKEN.digest, nonce=NONCE, rotated_ms=NOW_MS - 34_000))
    issued = await present(flow, TOKEN)
    assert keys.decode(issued.refresh_token.reveal()) == following
    assert [event.outcome for event in flow.audit.events] == ["grace"]


@pytest.mark.parametrize("text", ["", "x", "ktr_" + "0" * 101, "ktr_" + "z" * 101])
async def test_a_forged_token_asks_nothing_of_the_store(make, text):
    flow = make()
    with pytest.raises(InvalidGrant):
        await flow(Secret(text))
    assert flow.sessions.log == []
    assert [(event.outcome, event.user_id, event.alarming) for event in flow.audit.events] == [
        ("not_ours", None, False)
    ]


async def test_the_last_generation_is_refused_without_asking_the_store(make):
    flow = make()
    await refused(flow, replace(TOKEN, generation=MAX_GENERATION), Refusal.UNDERIVABLE)
    assert flow.sessions.log == []


REFUSALS = {
    Refusal.UNKNOWN: NotRotated(stored=None),
    Refusal.REVOKED: stored(TOKEN, state=SessionState.REVOKED),
    Refusal.EXPIRED: stored(TOKEN, idle_expiry_ms=NOW_MS),
    Refusal.FORGED: stored(replace(TOKEN, secret=b"other" * 4)),
    Refusal.FUTURE: stored(replace(TOKEN, generation=2)),
    Refusal.UNDERIVABLE: stored(
        replace(TOKEN, generation=4), previous_digest=TOKEN.digest, nonce=None, rotated_ms=NOW_MS
    ),
}


@pytest.mark.parametrize("reason", REFUSALS)
async def test_a_refusal_that_is_no_proof_of_theft_revokes_nothing(make, reason):
    flow = make(REFUSALS[reason])
    event = await refused(flow, TOKEN, reason)
    assert (event.user_id, event.session_id) == (TOKEN.user_id, TOKEN.session_id)
    assert [entry[0] for entry in flow.sessions.log] == ["rotate"]
    assert flow.post.messages == []


STOLEN = stored(replace(TOKEN, generation=5), rotated_ms=NOW_MS)


async def test_token_theft_an_older_token_ends_the_session_before_the_answer_and_its_owner_is_told(make):
    flow = make(STOLEN)
    await refused(flow, TOKEN, Refusal.REUSE)
    (mail,) = flow.post.messages
    # In one write: nobody is told of an end that did not come, and none comes that nobody is told of.
    assert flow.sessions.log[1:] == [("revoke", TOKEN.user_id, TOKEN.session_id, RevokeReason.REUSE, NOW_MS, mail)]
    assert (mail.to, mail.template, mail.locale) == (USER.email, MailKind.SESSIONS_ENDED, USER.locale)
    assert mail.values == {"reason": "refresh_token_reuse"}


async def test_an_owner_without_a_locale_is_told_in_the_services(make):
    flow = make(STOLEN, user=replace(USER, locale=None))
    await refused(flow, TOKEN, Refusal.REUSE)
    assert [mail.locale for mail in flow.post.messages] == ["de"]


async def test_a_session_that_another_thief_ended_is_told_of_once(make):
    flow = make(STOLEN, revocation=False)
    await refused(flow, TOKEN, Refusal.REUSE)
    assert flow.post.messages == []


@pytest.mark.parametrize("user", [None, replace(USER, email=None)])
async def test_reuse_is_ended_though_nobody_can_be_told(make, user):
    flow = make(STOLEN, user=user)
    await refused(flow, TOKEN, Refusal.REUSE)
    assert flow.sessions.log[1][0] == "revoke"
    assert flow.post.messages == []


async def test_reuse_that_could_not_be_revoked_is_503_and_never_a_refusal_that_was_not_kept(make):
    flow = make(STOLEN, revocation=StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        await present(flow, TOKEN)
    assert flow.audit.events == []


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (None, Refusal.USER_GONE),
        (replace(USER, state=UserState.DISABLED), Refusal.USER_GONE),
        (replace(USER, state=UserState.DELETED), Refusal.USER_GONE),
        (replace(USER, epoch=1), Refusal.EPOCH),
    ],
)
async def test_a_good_token_of_who_may_not_act_is_refused(make, user, reason):
    await refused(make(user=user), TOKEN, reason)
    await refused(make(stored(TOKEN, rotated_ms=NOW_MS), user=user), TOKEN, reason)


async def test_a_session_as_new_as_the_epoch_or_newer_lives(make):
    session = make_session(TOKEN, epoch=1)
    assert user_refusal(replace(USER, epoch=1), session) is None
    assert user_refusal(replace(USER, epoch=0), session) is None
    assert user_refusal(replace(USER, epoch=2), session) is Refusal.EPOCH


@pytest.mark.parametrize("error", [StoreUnavailable("away")])
async def test_a_store_that_is_away_is_503_and_no_verdict(make, error):
    flow = make(error)
    with pytest.raises(StoreUnavailable):
        await present(flow, TOKEN)
    assert flow.audit.events == []


async def test_a_service_that_cannot_sign_hands_out_nothing_and_the_retry_gets_the_successor(make):
    flow = make(access_tokens=FakeAccessTokens(error=Unavailable("no signing key")))
    with pytest.raises(Unavailable):
        await present(flow, TOKEN)
    assert flow.audit.events == []


async def test_the_write_and_the_read_of_the_user_are_under_way_at_the_same_time(make):
    flow = make()
    both = asyncio.Barrier(2)

    class WaitingUsers:
        async def load(self, user_id):
            await both.wait()
            return USER

    class WaitingSessions(FakeSessions):
        async def rotate(self, *args, **kwargs):
            await both.wait()
            return await super().rotate(*args, **kwargs)

    async with asyncio.timeout(30):
        await present(replace(flow, users=WaitingUsers(), sessions=WaitingSessions()), TOKEN)


async def test_the_clock_is_read_once_so_that_all_of_a_refresh_judges_by_one_time(make):
    class CountingClock(ManualClock):
        reads = 0

        def now_ms(self):
            self.reads += 1
            return super().now_ms()

    flow = make(STOLEN)
    clock = CountingClock(ms=NOW_MS)
    await refused(replace(flow, clock=clock), TOKEN, Refusal.REUSE)
    assert clock.reads == 1
