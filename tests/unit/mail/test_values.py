from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.values import CHECKS, address_label, device_label, time_label


@given(st.text(max_size=300))
def test_any_text_gives_a_device_label_that_passes_its_own_check(text):
    label = device_label(text)
    assert CHECKS["device"](label)
    assert 0 < len(label) <= 80


@given(st.text(max_size=300))
def test_any_text_gives_an_address_label_that_passes_its_own_check(text):
    assert CHECKS["address"](address_label(text))


@pytest.mark.parametrize(
    ("agent", "label"),
    [
        ("Firefox on Linux", "Firefox on Linux"),
        ("curl/8.5.0", "curl 8.5.0"),
        ("", "unknown"),
        ("\r\n\r\n", "unknown"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla 5.0 (X11 Linux x86_64)"),
    ],
)
def test_a_device_is_named_plainly(agent, label):
    assert device_label(agent) == label


@pytest.mark.parametrize(
    "agent",
    [
        "Your account is locked https://evil.example/login", "x\r\nSubject: y", "evil.example", "www.evil.example",
        "a@evil.example", "<a href=//evil.example>", "evil\u3002example", "x\u202eelpmaxe",
    ],
)  # fmt: skip
def test_attack_phishing_link_in_the_user_agent_is_not_a_link_any_more(agent):
    assert not CHECKS["device"](agent)
    label = device_label(agent)
    assert ".e" not in label
    assert not set(label) & set("@/:<>\r\n\u3002\u202e")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8::1", "2001:db8::1"),
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("203.0.113.7/24", "unknown"),
        ("1.2.3.0/24/", "unknown"),
        ("x", "unknown"),
    ],
)
def test_an_address_is_shown_only_when_it_is_one(text, label):
    assert address_label(text) == label


def test_a_moment_is_shown_to_the_minute():
    assert time_label(1_800_000_000_000) == "2027-01-15 08:00 UTC"
    assert CHECKS["time"](time_label(0))


@pytest.mark.parametrize(
    "link",
    ["https://a.example/x?token=abc-_~.", "http://localhost:8000/x", "http://[::1]:1/", "http://127.0.0.1:8000/x"],
)
def test_a_link_is_https_or_loopback(link):
    assert CHECKS["link"](link)


@pytest.mark.parametrize(
    "link",
    [
        "http://a.example/x", "javascript:alert(1)", "https://a.example/ x", "https://a.example/\nx", 'https://a.example/"onclick=',
        "https://a.example/<script>", "//a.example/x", "", "https://a.example/" + "x" * 900, "http://localhost.evil.example/",
        "http://127.0.0.1evil.example/", "ftp://a.example/x", "https://a.example/\u2028",
    ],
)  # fmt: skip
def test_attack_what_is_not_a_plain_link_is_refused(link):
    assert not CHECKS["link"](link)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code", "12"), ("code", "123 456"), ("code", "1\n2345"), ("expires_minutes", "0"), ("expires_minutes", "30\n"),
        ("expires_minutes", "\u0663\u0660"), ("time", "now"), ("reason", "because"), ("address", "evil.example"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_what_its_name_says_is_refused(name, value):
    assert not CHECKS[name](value)
