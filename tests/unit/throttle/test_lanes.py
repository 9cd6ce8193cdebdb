from __future__ import annotations

from service.kernel.identifier import parse_identifier
from service.throttle.device import DeviceId
from service.throttle.lanes import LaneKeys
from service.users.identity import IdentityKeys

KEYS = LaneKeys(bytes(32))
NAMES = IdentityKeys(bytes(32))


def account_of(text):
    identity_key = NAMES.of(parse_identifier(text))
    return KEYS.sign_in(identity_key=identity_key, prefix="192.0.2.1/32", device=None).account.key


def test_spellings_of_one_name_share_a_lane():
    assert (
        account_of("ada@bücher.example") == account_of("ADA@BÜCHER.Example") == account_of("ada@xn--bcher-kva.example")
    )


def test_two_names_do_not():
    assert account_of("ada@example.com") != account_of("eve@example.com")


def test_wrong_codes_at_one_door_do_not_lock_another():
    verify, reset = (KEYS.code(door=door, subject="e1#a", prefix="p") for door in ("verify", "reset"))
    assert verify.account.key != reset.account.key
    assert verify.address == reset.address


def test_no_two_kinds_of_lane_share_a_key():
    lanes = KEYS.sign_in(identity_key="61", prefix="61", device=DeviceId(b"a"))
    assert len({lanes.account.key, lanes.address.key, lanes.device.key, KEYS.key("quota", "mail", "61")}) == 4


def test_parts_of_a_key_cannot_be_shifted_into_each_other():
    assert KEYS.key("account", "ab", "c") != KEYS.key("account", "a", "bc")


def test_a_key_shows_the_kind_and_nothing_else():
    key = KEYS.key("account", "e1#ada")
    assert key.startswith("account#")
    assert "ada" not in key


def test_a_text_that_is_no_name_has_a_lane_too():
    assert KEYS.sign_in(identity_key="none#\ud800", prefix="p", device=None).account.key.startswith("account#")
