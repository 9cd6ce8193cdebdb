from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

NOW_MS = 1_800_000_000_000


@pytest.fixture
def principal(mint):
    return mint.verify()


def test_a_principal_says_who_calls(principal, base):
    claims = base["claims"]
    assert principal.subject == claims["sub"]
    assert principal.session_id == claims["sid"]
    assert principal.client_id == "first-party"
    assert principal.scopes == {"profile", "users:read"}
    assert (principal.auth_time, principal.issued_at, principal.expires_at) == (1799999990, 1800000000, 1800000300)
    assert principal.amr == ("pwd",)
    assert principal.acr == "1"
    assert principal.token_id == claims["jti"]
    assert principal.claims == claims | {"amr": ("pwd",)}


def test_a_service_for_itself_has_no_session_and_never_signed_in(mint):
    principal = mint.verify({"without_claims": ["sid", "auth_time", "amr", "acr", "scope"]})
    assert (principal.session_id, principal.auth_time, principal.amr, principal.acr) == (None, None, (), None)
    assert principal.scopes == frozenset()
    assert not principal.authenticated_within(max_age_seconds=10**9, now_ms=NOW_MS)


def test_a_scope_is_had_as_a_whole(principal):
    assert principal.has_scope("users:read")
    assert not principal.has_scope("users")
    assert not principal.has_scope("")


@pytest.mark.parametrize(
    ("now_ms", "recent"), [(1799999990_000, True), (1800000290_000, True), (1800000290_001, False)]
)
def test_a_sign_in_is_recent_up_to_the_age_asked_for(principal, now_ms, recent):
    assert principal.authenticated_within(max_age_seconds=300, now_ms=now_ms) is recent


def test_no_claim_can_be_changed_at_any_depth(mint):
    principal = mint.verify({"claims": {"tenant": {"roles": ["a"]}}})
    with pytest.raises(FrozenInstanceError):
        principal.subject = "somebody-else"
    with pytest.raises(TypeError):
        principal.claims["sub"] = "somebody-else"
    with pytest.raises(TypeError):
        principal.claims["tenant"]["roles"] = ["admin"]
    assert principal.claims["tenant"]["roles"] == ("a",)


def test_a_principal_shows_subject_and_session_alone(principal):
    assert repr(principal) == f"Principal(subject='{principal.subject}', session_id='{principal.session_id}')"


def test_principals_are_values(principal, mint):
    assert principal == mint.verify()
    assert hash(principal) == hash(mint.verify())
    assert principal != replace(principal, subject="somebody-else")
