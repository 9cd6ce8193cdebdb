from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Unavailable
from service.kernel.ids import id_text
from service.sessions.issue import Issuer, shared_scope
from service.tokens.access_token import Grant
from tests.unit.sessions.conftest import NOW_MS, FakeAccessTokens, make_session, make_token

SCOPES = st.lists(st.text("abc:", min_size=1, max_size=3)).map(" ".join)


async def issue(keys, session, *, user_scope="a b", access_tokens=None, now_ms=NOW_MS):
    issuer = Issuer(access_tokens=access_tokens or FakeAccessTokens(), refresh_keys=keys)
    return await issuer.issue(session, make_token(), user_scope=user_scope, now_ms=now_ms)


@pytest.mark.parametrize(
    ("session", "user", "shared"),
    [
        ("", "", ""),
        ("a b", "", ""),
        ("", "a b", ""),
        ("a b", "a b", "a b"),
        ("b a", "a b", "b a"),
        ("a b c", "b", "b"),
        ("a", "a b c", "a"),
        ("ab", "a b", ""),
        ("A", "a", ""),
    ],
)
def test_a_scope_shrinks_with_the_users_and_never_grows(session, user, shared):
    assert shared_scope(session, user) == shared


@given(SCOPES, SCOPES)
def test_every_shared_scope_is_in_both(session, user):
    shared = shared_scope(session, user).split()
    assert set(shared) == set(session.split()) & set(user.split())


async def test_an_access_token_says_what_was_proven_at_sign_in(keys, token):
    access_tokens = FakeAccessTokens()
    session = make_session(token)
    await issue(keys, session, user_scope="b", access_tokens=access_tokens)
    assert access_tokens.grants == [
        Grant(
            subject=id_text(token.user_id),
            session_id=id_text(token.session_id),
            client_id="first-party",
            scope="b",
            auth_time_seconds=NOW_MS // 1000 - 3600,
            amr=("pwd",),
            acr="aal1",
            epoch=session.epoch,
        )
    ]
    assert access_tokens.issued_ms == NOW_MS


async def test_the_answer_holds_both_tokens_and_their_lives(keys, token):
    issued = await issue(keys, make_session(token, idle_expiry_ms=NOW_MS + 90_999))
    assert issued.access_token.reveal() == "access.token.text"
    assert issued.expires_in_seconds == 300
    assert issued.refresh_token.reveal() == keys.encode(token)
    assert issued.refresh_expires_in_seconds == 90
    assert issued.scope == "a b"
    assert issued.session_id == id_text(token.session_id)


async def test_a_session_that_ended_this_instant_has_no_negative_life(keys, token):
    issued = await issue(keys, make_session(token, idle_expiry_ms=NOW_MS - 1))
    assert issued.refresh_expires_in_seconds == 0


async def test_no_token_is_shown_by_printing_the_answer(keys, token):
    shown = repr(await issue(keys, make_session(token)))
    assert keys.encode(token) not in shown
    assert "access.token.text" not in shown


async def test_without_a_signing_key_nothing_is_issued(keys, token):
    with pytest.raises(Unavailable):
        await issue(keys, make_session(token), access_tokens=FakeAccessTokens(error=Unavailable("no signing key")))


async def test_the_scope_of_the_session_stays_as_it_was_at_sign_in(keys, token):
    session = make_session(token)
    narrowed = await issue(keys, session, user_scope="a")
    widened = await issue(keys, replace(session), user_scope="a b c")
    assert (narrowed.scope, widened.scope) == ("a", "a b")
