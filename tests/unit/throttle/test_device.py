from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.secret import Secret
from service.throttle.device import LIFE_SECONDS, DeviceKeys
from tests.support.store import CountedEntropy

NOW = 1_800_000_000_000
KEYS = DeviceKeys(bytes(32))
ADA, EVE = "e1#ada", "e1#eve"


@pytest.fixture
def token():
    return KEYS.issue([ADA], now_ms=NOW, entropy=CountedEntropy())


def read(token, *, keys=KEYS, name=ADA, now=NOW):
    return keys.read(token, account_key=name, now_ms=now)


def test_a_device_is_known_again(token):
    device = read(token)
    assert device is not None
    assert len(device) == 16
    assert read(token, now=NOW + 1000 * (LIFE_SECONDS - 1)) == device


def test_two_devices_are_told_apart():
    entropy = CountedEntropy()
    first, second = (KEYS.issue([ADA], now_ms=NOW, entropy=entropy) for _ in range(2))
    assert read(first) != read(second)


def test_one_token_serves_the_id_the_address_and_the_username():
    token = KEYS.issue(["id#1", ADA, "u1#ada"], now_ms=NOW, entropy=CountedEntropy())
    assert read(token) == read(token, name="u1#ada") == read(token, name="id#1") is not None
    assert len(token.reveal()) <= 128


def test_no_token_is_no_device():
    assert read(None) is None


def test_a_token_of_another_account_is_no_device(token):
    assert read(token, name=EVE) is None


def test_a_token_of_another_server_is_no_device(token):
    assert read(token, keys=DeviceKeys(bytes([1]) * 32)) is None


def test_an_expired_token_is_no_device(token):
    assert read(token, now=NOW + 1000 * LIFE_SECONDS) is None


def test_a_token_from_the_future_is_no_device(token):
    assert read(token, now=NOW - 60_000) is not None
    assert read(token, now=NOW - 61_000) is None


def test_a_token_of_another_version_is_no_device(token):
    raw = bytearray(base64.urlsafe_b64decode(token.reveal() + "=="))
    raw[0] = 2
    assert read(Secret(base64.urlsafe_b64encode(raw).decode().rstrip("="))) is None


@given(at=st.integers(0, 37), bit=st.integers(0, 7))
def test_a_forged_token_is_no_device(at, bit):
    token = KEYS.issue([ADA], now_ms=NOW, entropy=CountedEntropy())
    raw = bytearray(base64.urlsafe_b64decode(token.reveal() + "=" * (-len(token.reveal()) % 4)))
    raw[at] ^= 1 << bit
    assert read(Secret(base64.urlsafe_b64encode(raw).decode().rstrip("="))) is None


@given(st.text(max_size=140))
def test_any_text_is_read_without_an_error(text):
    assert read(Secret(text)) is None


def test_a_token_cut_to_its_head_is_no_device(token):
    assert read(Secret(token.reveal()[:29])) is None


@pytest.mark.parametrize("names", [[], [ADA, EVE, "u1#x", "id#x"]], ids=["none", "four"])
def test_an_account_has_an_id_and_one_name_or_two(names):
    with pytest.raises(ValueError, match="one name or two"):
        KEYS.issue(names, now_ms=NOW, entropy=CountedEntropy())


def test_a_token_tells_no_name_and_is_not_printed(token):
    assert b"ada" not in base64.urlsafe_b64decode(token.reveal() + "==")
    assert token.reveal() not in repr(token)
