from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, datetime
from enum import Enum
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretBytes, SecretStr

from service.kernel.secret import Secret
from service.telemetry.redaction import MASK, _mask_looks, is_sensitive, redact, redact_mapping, redact_text

CANARY = "canary-4711"
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


class Colour(Enum):
    RED = CANARY


class Text(str, Enum):  # noqa: UP042
    ONE = CANARY


@dataclasses.dataclass
class Login:
    identifier: str
    password: str
    note: Secret[str]


class Opaque:
    def __repr__(self) -> str:
        return CANARY


class Model(BaseModel):
    anything: str


PIECES = [
    *("ktr_abc", "eyJhbGciOi.x", "$argon2id$v=19$x", "$2b$12$x", "-----BEGIN PRIVATE KEY-----", "https://a:b@c/"),
    *(
        "Bearer abc",
        "BASIC abc",
        "dPoP abc",
        "bas\u0131c abc",
        "password=",
        "Passwd: ",
        "pa\u017f\u017fword=x",
        "passphrase='x'",
    ),
    *("secret", "TOKEN", "author\u0131zation: x", "cookie", "=", ":", " ", "x", "\n", "'", "é"),
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8).map("".join))
def test_the_look_that_spares_the_patterns_misses_nothing_that_they_match(text):
    assert redact_text(text) == _mask_looks(text)


@pytest.mark.parametrize(
    "value",
    [
        Secret(CANARY),
        Secret(CANARY.encode()),
        SecretStr(CANARY),
        SecretBytes(CANARY.encode()),
        CANARY.encode(),
        bytearray(CANARY.encode()),
        memoryview(CANARY.encode()),
        Colour.RED,
        Text.ONE,
        Opaque(),
        Opaque,
        Model(anything=CANARY),
        ValueError(CANARY),
        [Secret(CANARY)],
        (CANARY.encode(),),
        {"a": {"b": [{"c": Secret(CANARY)}]}},
        {"password": CANARY},
        {"a": [{"newPassword": {"value": CANARY}}]},
        {Secret(CANARY): 1},
        {CANARY.encode(): 1},
        Login(identifier="x", password=CANARY, note=Secret(CANARY)),
        {"Authorization": CANARY},
        {"Set-Cookie": [CANARY]},
        {"refresh_token": CANARY},
        {"client_secret": CANARY},
        {"code": CANARY},
        {"verification_code": CANARY},
        {"otp": CANARY},
        {"backup_codes": [CANARY]},
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_canary_in_any_wrapping_is_masked(value):
    assert CANARY not in repr(redact(value))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"token ktr_{CANARY} used", CANARY),
        (f"bad jwt {JWT}", "c2lnbmF0dXJl"),
        (f"cut jwt {JWT[:30]}", "eyJzdWIi"),
        (f"jwe {JWT}.aaaa.bbbb", "bbbb"),
        (f"Authorization: Bearer {CANARY}", CANARY),
        (f"authorization='Basic {CANARY}'", CANARY),
        (f"bearer  {CANARY}", CANARY),
        ("hash $argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "aGFzaA"),
        ("hash $2b$12$abcdefghijklmnopqrstuv", "abcdefgh"),
        (f"smtp://user:{CANARY}@mail.example:25", CANARY),
        (f"GET /verify?token={CANARY}&x=1", CANARY),
        (f'{{"password": "{CANARY} with spaces"}}', "spaces"),
        (f"{{'new_password': '{CANARY}'}}", CANARY),
        (f"Cookie: __Host-keyturn_refresh={CANARY}", CANARY),
        (f"client_secret={CANARY}", CANARY),
        ("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----", "MHcCAQEE"),
        ("-----BEGIN PRIVATE KEY-----\nMHcCAQEE", "MHcCAQEE"),
    ],
)
def test_a_text_that_looks_like_a_secret_is_masked(text, secret):
    assert secret not in redact_text(text)
    assert MASK in redact_text(text)


def test_harmless_values_are_kept():
    now = datetime(2026, 1, 2, tzinfo=UTC)
    number = uuid.UUID(int=5)
    values = {"a": 1, "b": 1.5, "c": None, "d": True, "e": now, "f": number, "g": ip_address("::1"), "status_code": 200}
    assert redact_mapping(values) == {**values, "e": str(now), "f": str(number), "g": "::1"}
    assert redact_text("a session was ended") == "a session was ended"
    assert redact({"token": None}) == {"token": None}
    assert redact({1: 2}) == {"int": 2}
    assert redact(Colour.RED) == "Colour.RED"


@pytest.mark.parametrize("key", ["status_code", "token_type", "user_id", "session_id", "event", "request_id", "kid"])
def test_harmless_keys_are_not_masked(key):
    assert not is_sensitive(key)


def test_a_line_is_bounded_in_depth_width_and_length():
    deep: list = []
    for _ in range(50):
        deep = [deep]
    assert len(repr(redact(deep))) < 100
    assert len(redact(list(range(1000)))) == 64
    assert len(redact_text("x" * 100_000)) < 9_000


def test_a_text_cut_in_the_middle_of_a_token_shows_no_part_of_it():
    assert "ktr" not in redact_text("x" * 7_990 + " ktr_" + "a" * 100)


@given(st.text(max_size=200), st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=8, max_size=60))
def test_our_tokens_are_masked_wherever_they_stand(noise, token):
    assert f"ktr_{token}" not in redact_text(f"{noise}ktr_{token} {noise}")


@given(st.recursive(st.text() | st.integers() | st.binary(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)))
def test_redaction_has_an_answer_for_any_data(value):
    assert isinstance(redact(value), (str, int, list, dict))
