"""Tokens that a client presents: those of ours come back as they were, and no other text is taken for one."""

from __future__ import annotations

import json
from typing import Final

from jwt import get_unverified_header

from keyturn import base64url
from keyturn.errors import KeyRefused, Malformed, TokenError
from keyturn.keys import VerifyingKey
from keyturn.strict import parse
from keyturn.strict_json import parse_object
from service.kernel.ids import ID_BYTES, SessionId, UserId
from service.kernel.secret import Secret
from service.sessions.refresh_token import RefreshKeys, RefreshToken
from service.throttle.device import DeviceKeys
from service.tokens.onetime import OneTimeKeys
from service.tokens.user_proof import UserProofs

MASTER: Final = bytes(range(32))
REFRESH = RefreshKeys({1: MASTER, 2: MASTER[::-1]}, active_kid=2)
ONE_TIME = OneTimeKeys(MASTER, purpose="signup")
PROOFS = UserProofs(MASTER, purpose="reset")
DEVICES = DeviceKeys(MASTER)
NOW_MS = 1_800_000_000_000
STRUCTURED: Final = b"\x01"
"""The first octet of an input that is put together here: mutations of a text alone hardly get past its base64."""


class _Drawn:
    """Chance that the input decides."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def token_bytes(self, size_bytes: int) -> bytes:
        return self._data[:size_bytes].ljust(size_bytes, b"\0")


def access_token(data: bytes) -> None:
    """The strict pre-parser takes what PyJWT takes too, and reads it alike."""
    text = _signed(data[1:]) if data[:1] == STRUCTURED else data.decode("latin-1")
    try:
        parsed = parse(text)
    except TokenError:
        return
    assert dict(parsed.header) == get_unverified_header(text)
    _, claims, signature = text.split(".")
    assert dict(parsed.claims) == json.loads(base64url.decode(claims) or b"")
    assert base64url.encode(parsed.signature) == signature
    assert text.encode("ascii").startswith(parsed.signing_input)


def _signed(data: bytes) -> str:
    """The three parts are lines of ``data``, as they are before base64."""
    return ".".join(base64url.encode(part) for part in data.split(b"\n", 2))


def jwk(data: bytes) -> None:
    """A key of a published set is taken with its own name and algorithm, or refused."""
    try:
        told = parse_object(data)
        key = VerifyingKey.from_jwk(told)
    except (Malformed, KeyRefused):
        return
    assert (key.kid, key.alg) == (told["kid"], told["alg"])
    assert not {"d", "k", "p", "q"} & told.keys()


def refresh_token(data: bytes) -> None:
    """What is decoded is spelled the same again; ours comes back as it was made, and not when a bit of it differs."""
    text = data.decode("latin-1")
    decoded = REFRESH.decode(text)
    assert decoded is None or REFRESH.encode(decoded) == text
    if len(data) < 2 * ID_BYTES + 24:
        return
    made = RefreshToken(
        kid=1 + data[0] % 2,
        user_id=UserId(data[:ID_BYTES]),
        session_id=SessionId(data[ID_BYTES : 2 * ID_BYTES]),
        generation=int.from_bytes(data[2 * ID_BYTES : 2 * ID_BYTES + 4]),
        secret=data[2 * ID_BYTES + 4 : 2 * ID_BYTES + 24],
    )
    spelled = REFRESH.encode(made)
    assert REFRESH.decode(spelled) == made
    place = 4 + data[-1] % (len(spelled) - 4)
    assert REFRESH.decode(spelled[:place] + ("0" if spelled[place] != "0" else "1") + spelled[place + 1 :]) is None


def one_time_token(data: bytes) -> None:
    """A token has one spelling, and ours leads where its code leads."""
    text = data.decode("latin-1")
    for keys in (ONE_TIME, PROOFS):
        if keys.read_token(text) is not None:
            assert base64url.encode(base64url.decode(text) or b"") == text
    ONE_TIME.key_of_code("e1#ada", text)
    PROOFS.read_code(UserId(bytes(ID_BYTES)), text)
    made = ONE_TIME.new(text, _Drawn(data))
    assert ONE_TIME.read_token(made.token.reveal()) == (made.key, made.digest)
    assert ONE_TIME.key_of_code(text, made.code.reveal().lower()) == made.key


def device_token(data: bytes) -> None:
    """Only what was issued to an account is a device of it."""
    text = data.decode("latin-1")
    assert DEVICES.read(Secret(text), account_key="e1#nobody", now_ms=NOW_MS) is None
    issued = DEVICES.issue([text, "u1#ada"], now_ms=NOW_MS, entropy=_Drawn(data))
    assert DEVICES.read(issued, account_key=text, now_ms=NOW_MS) is not None
    assert DEVICES.read(issued, account_key=text + "x", now_ms=NOW_MS) is None
