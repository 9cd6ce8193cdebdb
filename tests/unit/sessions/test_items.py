from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from service.sessions import items
from service.sessions.model import Device, RevokeReason, Session, SessionState, SignInFacts
from service.store.codec import decode_item, encode_item
from tests.unit.sessions.conftest import NOW_MS, make_session, make_token

WORDS = st.text("abcdefghijklmnopqrstuvwxyz:._-", min_size=1, max_size=20)
TIMES = st.integers(0, 2**45)
SESSIONS = st.builds(
    Session,
    user_id=st.binary(min_size=16, max_size=16),
    session_id=st.binary(min_size=16, max_size=16),
    state=st.sampled_from(SessionState),
    generation=st.integers(0, 2**32 - 1),
    digest=st.binary(min_size=32, max_size=32),
    previous_digest=st.none() | st.binary(min_size=32, max_size=32),
    nonce=st.none() | st.binary(min_size=16, max_size=16),
    kid=st.integers(0, 255),
    rotated_ms=TIMES,
    idle_expiry_ms=TIMES,
    absolute_expiry_ms=TIMES,
    epoch=st.integers(0, 2**31),
    created_ms=TIMES,
    facts=st.builds(
        SignInFacts,
        client_id=WORDS,
        scope=st.lists(WORDS).map(" ".join),
        amr=st.lists(WORDS).map(tuple),
        acr=WORDS,
        auth_time_seconds=TIMES,
    ),
    device=st.builds(Device, name=st.none() | WORDS, user_agent=st.none() | WORDS, address=st.none() | WORDS),
    revoke_reason=st.none() | st.sampled_from([reason.value for reason in RevokeReason]),
    revoked_ms=st.none() | TIMES,
)


def number_bytes(text):
    """DynamoDB's rule: a byte for two significant digits, and one; leading and trailing zeros are not counted."""
    digits = text.lstrip("-").strip("0")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")


def value_bytes(kind, value):
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return number_bytes(value)
        case "B":
            return len(value)
    raise AssertionError(kind)


def size_bytes(raw_item):
    """The size of an item as DynamoDB bills it: names and values, UTF-8."""
    return sum(
        len(name.encode()) + value_bytes(*pair) for name, attribute in raw_item.items() for pair in attribute.items()
    )


@given(SESSIONS)
def test_a_session_is_read_back_from_its_item_as_it_was(session):
    assert items.from_item(decode_item(encode_item(items.to_item(session)))) == session


def longest():
    """What the edge lets through at most: 64 characters of a device's name, 120 of a user agent."""
    full_time = 1_999_999_999_999
    return Session(
        user_id=b"u" * 16,
        session_id=b"s" * 16,
        state=SessionState.REVOKED,
        generation=2**32 - 1,
        digest=b"h" * 32,
        previous_digest=b"p" * 32,
        nonce=b"n" * 16,
        kid=255,
        rotated_ms=full_time,
        idle_expiry_ms=full_time,
        absolute_expiry_ms=full_time,
        epoch=2**31 - 1,
        created_ms=full_time,
        facts=SignInFacts(
            client_id="first-party",
            scope="users:read users:write keys:rotate",
            amr=("pwd", "otp", "mfa"),
            acr="aal2",
            auth_time_seconds=1_999_999_999,
        ),
        device=Device(name="n" * 64, user_agent="u" * 120, address="2001:0db8:ffff:ffff::/64"),
        revoke_reason=max((reason.value for reason in RevokeReason), key=len),
        revoked_ms=full_time,
    )


def test_an_item_with_the_longest_fields_stays_below_a_kilobyte_so_that_a_refresh_is_one_unit():
    assert size_bytes(encode_item(items.to_item(longest()))) < 1024


def test_so_does_one_whose_device_is_named_in_the_widest_characters():
    # A name comes as JSON, four bytes a character at most; a header's characters are Latin-1, two bytes at most.
    session = replace(longest(), device=replace(longest().device, name="\U0001f600" * 64, user_agent="ÿ" * 120))
    assert size_bytes(encode_item(items.to_item(session))) < 1024


def test_a_usual_item_is_far_from_the_limit():
    assert size_bytes(encode_item(items.to_item(make_session(make_token())))) < 512


def test_no_secret_of_a_token_is_in_the_item():
    token = make_token(secret=bytes(range(100, 120)))
    stored = items.to_item(make_session(token, previous_digest=make_token().digest))
    assert not [value for value in stored.values() if isinstance(value, bytes) and token.secret in value]
    assert stored["h"] == token.digest


def test_the_item_is_collected_a_day_after_it_ended_and_never_before():
    session = make_session(make_token(), idle_expiry_ms=NOW_MS + 5999, absolute_expiry_ms=NOW_MS + 9999)
    assert items.to_item(session)["ttl"] == NOW_MS // 1000 + 5 + 86_400


def test_the_key_is_made_of_the_servers_own_ids():
    token = make_token()
    assert items.key(token.user_id, token.session_id) == {"uid": token.user_id, "sid": token.session_id}
