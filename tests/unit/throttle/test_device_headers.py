from __future__ import annotations

import pytest

from service.kernel.secret import Secret
from service.throttle.device_headers import DEVICE_COOKIE, DEVICE_HEADER, device_header, presented_device

TOKEN = Secret("abc-DEF_123")


def presented(*, cookies=(), headers=(), by_cookie):
    return presented_device(cookie_headers=cookies, device_headers=headers, by_cookie=by_cookie)


def test_an_app_sends_it_in_a_header():
    assert presented(headers=["abc-DEF_123"], by_cookie=False) == TOKEN


def test_a_browser_sends_it_in_a_cookie_among_others():
    cookies = [f"a=b; {DEVICE_COOKIE}=abc-DEF_123", "c=d"]
    assert presented(cookies=cookies, by_cookie=True) == TOKEN


def test_each_transport_reads_its_own_place_only():
    cookie, header = [f"{DEVICE_COOKIE}=abc"], ["abc"]
    assert presented(cookies=cookie, by_cookie=False) is None
    assert presented(headers=header, by_cookie=True) is None


@pytest.mark.parametrize(
    "cookies",
    [
        [],
        [f"{DEVICE_COOKIE}=a; {DEVICE_COOKIE}=a"],
        [f"{DEVICE_COOKIE}=a", f"{DEVICE_COOKIE}=b"],
        [f"{DEVICE_COOKIE}="],
        [f"{DEVICE_COOKIE}={'a' * 129}"],
        [f"{DEVICE_COOKIE}=a b"],
        ["keyturn_device=a"],
    ],
)
def test_a_missing_doubled_or_broken_cookie_is_no_token(cookies):
    assert presented(cookies=cookies, by_cookie=True) is None


def test_two_headers_are_no_token():
    assert presented(headers=["a", "a"], by_cookie=False) is None


def test_it_is_answered_as_it_travels():
    assert device_header(TOKEN, by_cookie=False) == (DEVICE_HEADER, "abc-DEF_123")
    name, value = device_header(TOKEN, by_cookie=True)
    assert name == "Set-Cookie"
    assert value == ("__Host-keyturn_device=abc-DEF_123; Max-Age=15552000; Path=/; Secure; HttpOnly; SameSite=Strict")


def test_what_is_no_token_is_never_written_into_a_header():
    with pytest.raises(ValueError, match="not a device token"):
        device_header(Secret("a\r\nSet-Cookie: b=c"), by_cookie=False)
