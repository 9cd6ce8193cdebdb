from __future__ import annotations

import pytest

from service.mail.links import BaseUrlRefused, Links, is_loopback
from service.mail.values import CHECKS

TOKEN = "kte_" + "Ab-_9" * 8


@pytest.mark.parametrize(
    ("base", "clean"),
    [
        ("https://auth.example", "https://auth.example"),
        ("https://auth.example/", "https://auth.example"),
        ("https://Auth.Example:8443/sso/", "https://auth.example:8443/sso"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://app.localhost", "http://app.localhost"),
    ],
)
def test_links_stand_on_the_configured_base_url(base, clean):
    links = Links(base_url=base)
    assert links.verify_email(token=TOKEN) == f"{clean}/email/verify?token={TOKEN}"
    assert links.reset_password(token=TOKEN) == f"{clean}/password/reset?token={TOKEN}"
    assert links.change_email(token=TOKEN) == f"{clean}/email/change?token={TOKEN}"


def test_every_link_passes_the_check_of_the_value_link():
    for base in ("https://auth.example/sso", "http://localhost:8000", "http://[::1]:8000"):
        assert CHECKS["link"](Links(base_url=base).verify_email(token=TOKEN))


@pytest.mark.parametrize(
    "base",
    [
        "", "auth.example", "//auth.example", "http://auth.example", "http://localhost.evil.example", "ftp://auth.example",
        "https://", "https://user@auth.example", "https://user:pw@auth.example", "https://auth.example?x=1",
        "https://auth.example/?", "https://auth.example#x", "https://auth.example/a b", "https://auth.example:port",
        "https://auth.example\r\nX: y", " https://auth.example", "https://auth.example\\@evil.example", "https://[::1",
        "https://\u00e4.example", "javascript:alert(1)", "https://auth.example/../x?", "https://auth.example:99999",
    ],
)  # fmt: skip
def test_a_base_url_that_is_not_plain_https_is_refused(base):
    with pytest.raises(BaseUrlRefused):
        Links(base_url=base)


@pytest.mark.parametrize(
    "token", ["", "short", "a" * 513, "a" * 20 + "&x=1", "a" * 20 + "\n", "a" * 20 + "%0a", "é" * 20]
)
def test_a_token_that_needs_escaping_is_refused_and_not_repeated(token):
    with pytest.raises(ValueError, match="a token in a link") as refusal:
        Links(base_url="https://auth.example").verify_email(token=token)
    assert not token or token not in str(refusal.value)


def test_attack_host_header_cannot_reach_a_link_for_nothing_of_a_request_is_taken():
    fields = Links.__dataclass_fields__
    assert list(fields) == ["base_url"]


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_is_recognised(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "example.com", "10.0.0.1", "localhost.example", "xlocalhost"])
def test_other_hosts_are_not_loopback(host):
    assert not is_loopback(host)
