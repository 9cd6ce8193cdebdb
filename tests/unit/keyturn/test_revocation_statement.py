"""What passes for a statement of the feed: signed by the issuer, of its own type, an answer to what was asked."""

from __future__ import annotations

import json

import pytest

from keyturn.errors import IssuerFault
from keyturn.revocation_statement import SessionEnded, UserEnded, parse_statement, read_statement
from keyturn.testing.signing import SigningKey

ISSUER, NOW = "https://auth.example.com", 1_800_000_000
KEY = SigningKey.make("k1")
CLAIMS = {
    "iss": ISSUER,
    "iat": NOW,
    "cursor": "here",
    "next": "there",
    "more": False,
    "retain": 414,
    "settle": 84,
    "forgotten": 0,
    "sessions": [["s1", NOW - 1]],
    "users": [["u1", 3, NOW - 2, "s2"], ["u2", 1, NOW - 3, None]],
}


def sign(claims, **header):
    return KEY.sign(claims, header={"typ": "revocations+jwt", **header})


def read(text, *, key=KEY, cursor="here", earliest=NOW):
    return read_statement(
        parse_statement(text), key=key.verifying, expected_issuer=ISSUER, expected_cursor=cursor, earliest=earliest
    )


def test_a_statement_is_read():
    statement = read(sign(CLAIMS))
    assert statement.sessions == (SessionEnded(session_id="s1", at=NOW - 1),)
    assert statement.users == (
        UserEnded(subject="u1", epoch=3, kept="s2", at=NOW - 2),
        UserEnded(subject="u2", epoch=1, kept=None, at=NOW - 3),
    )
    assert (statement.following, statement.more, statement.retain_seconds) == ("there", False, 414)
    assert (statement.settle_seconds, statement.forgotten, statement.issued_at) == (84, 0, NOW)


def test_nothing_forgotten_is_none():
    assert read(sign({name: value for name, value in CLAIMS.items() if name != "forgotten"})).forgotten is None


@pytest.mark.parametrize("typ", ["at+jwt", "JWT", "application/revocations+jwt", "Revocations+JWT", None])
def test_another_kind_of_token_is_no_statement(typ):
    with pytest.raises(IssuerFault, match="by its type"):
        read(sign(CLAIMS, typ=typ))


def test_what_another_key_signed_is_refused_before_it_is_read():
    forger = SigningKey.make("k1")
    with pytest.raises(IssuerFault, match="signature"):
        read(forger.sign({"x": [[[[]]]]}, header={"typ": "revocations+jwt"}))


def test_a_statement_whose_payload_was_exchanged_is_refused():
    head, _, signature = sign(CLAIMS).split(".")
    payload = sign({**CLAIMS, "sessions": []}).split(".")[1]
    with pytest.raises(IssuerFault, match="signature"):
        read(f"{head}.{payload}.{signature}")


def test_an_answer_to_another_cursor_would_leave_a_gap():
    with pytest.raises(IssuerFault, match="another cursor"):
        read(sign(CLAIMS), cursor="elsewhere")


def test_an_old_statement_hides_what_came_since():
    assert read(sign(CLAIMS), earliest=NOW)
    with pytest.raises(IssuerFault, match="too old"):
        read(sign(CLAIMS), earliest=NOW + 1)


def test_the_statement_of_another_issuer_is_refused():
    with pytest.raises(IssuerFault, match="another issuer"):
        read(sign({**CLAIMS, "iss": "https://other.example.com"}))


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "HS256"}, {"alg": "RS256"}, {"crit": ["x"]}, {"jku": "https://x"}, {"kid": ""}]
)
def test_a_header_that_offers_something_is_refused(header):
    with pytest.raises(IssuerFault):
        read(sign(CLAIMS, **header))


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "a.b.c.d", "x" * 2_000_000, "\ufffd.\ufffd.\ufffd"])
def test_what_is_no_jws_is_refused(text):
    with pytest.raises(IssuerFault):
        read(text)


@pytest.mark.parametrize(
    "change",
    [
        {"iat": "1"},
        {"iat": True},
        {"iat": -1},
        {"next": ""},
        {"next": 1},
        {"more": 0},
        {"retain": "414"},
        {"settle": -1},
        {"forgotten": "x"},
        {"sessions": {}},
        {"sessions": [["s1"]]},
        {"sessions": [["s1", NOW, 1]]},
        {"sessions": [["", NOW]]},
        {"sessions": ["s1"]},
        {"users": [["u1", 3, NOW]]},
        {"users": [["u1", "3", NOW, None]]},
        {"users": [["u1", 3, NOW, 1]]},
        {"users": [[None, 3, NOW, None]]},
    ],
    ids=json.dumps,
)
def test_a_statement_of_another_form_is_refused_as_a_whole(change):
    with pytest.raises(IssuerFault, match="of the statement"):
        read(sign({**CLAIMS, **change}))


@pytest.mark.parametrize("name", sorted(CLAIMS.keys() - {"forgotten"}))
def test_a_claim_that_is_missing_refuses_the_statement(name):
    with pytest.raises(IssuerFault):
        read(sign({key: value for key, value in CLAIMS.items() if key != name}))


def test_a_full_page_is_read():
    sessions = [[f"s{number}", NOW] for number in range(1000)]
    assert len(read(sign({**CLAIMS, "sessions": sessions, "users": []})).sessions) == 1000
