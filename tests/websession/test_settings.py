"""What a site hands in, and what is refused."""

from __future__ import annotations

import base64

import pytest

from keyturn.websession.cookie import Cookie
from keyturn.websession.model import Lifetimes
from keyturn.websession.seal import Keyring

ONE, TWO = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))


def test_a_new_key_in_front_seals_and_the_old_one_still_opens():
    old, both, new = Keyring.parse(f"1:{ONE}"), Keyring.parse(f"2:{TWO}, 1:{ONE}"), Keyring.parse(f"2:{TWO}")
    by_old = old.seal(b"x", context=b"c", nonce=bytes(12))
    by_new = both.seal(b"x", context=b"c", nonce=bytes(12))
    assert both.open(by_old, context=b"c") == both.open(by_new, context=b"c") == new.open(by_new, context=b"c") == b"x"
    assert new.open(by_old, context=b"c") is None
    assert old.open(by_new, context=b"c") is None


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        ONE,
        f"1:{ONE},1:{TWO}",
        f"256:{ONE}",
        f"x:{ONE}",
        f"²:{ONE}",
        f"-1:{ONE}",
        "1:AAAA",
        f"1:{ONE}!",
        f"1:{ONE},",
    ],
)
def test_keys_of_another_form_are_refused_and_not_quoted(wrong):
    with pytest.raises(ValueError, match="session keys") as refused:
        Keyring.parse(wrong)
    assert ONE[:8] not in str(refused.value)


def test_a_ring_does_not_show_its_keys():
    assert "x01" not in repr(Keyring.parse(f"1:{ONE}"))


@pytest.mark.parametrize(("idle", "absolute"), [(0, 10), (-1, 10), (11, 10)])
def test_lives_make_sense(idle, absolute):
    with pytest.raises(ValueError, match="idle_seconds"):
        Lifetimes(idle_seconds=idle, absolute_seconds=absolute)


@pytest.mark.parametrize(
    "wrong", [{"name": "session"}, {"name": "__Host-"}, {"name": "__Secure-s"}, {"same_site": "None"}]
)
def test_a_cookie_that_another_host_could_set_is_refused(wrong):
    with pytest.raises(ValueError, match=r"__Host-|same_site"):
        Cookie(**wrong)


def test_on_plain_http_the_prefix_is_dropped_only_by_asking_for_it():
    assert Cookie().sent_name == "__Host-session"
    assert Cookie(unsafe_http=True).sent_name == "session"
