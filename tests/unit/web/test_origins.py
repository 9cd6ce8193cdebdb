from __future__ import annotations

import pytest

from service.web.origins import check_origin, check_origins, origin_of


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com",
        "https://app.example.com:8443",
        "https://xn--bcher-kva.example",
        "http://localhost:3000",
        "http://localhost",
        "http://127.0.0.1:5173",
        "http://[::1]:8000",
    ],
)
def test_an_exact_origin_passes_unchanged(origin):
    assert check_origin(origin) == origin
    assert origin_of(origin) == origin
    assert check_origins([origin, origin]) == {origin}


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "",
        "https://*",
        "https://*.example.com",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com?x",
        "https://user@app.example.com",
        "https://App.example.com",
        "HTTPS://app.example.com",
        "https://app.example.com:443",
        "http://localhost:80",
        "http://app.example.com",
        "http://localhost.evil.example",
        "app.example.com",
        "ftp://app.example.com",
        "https://b\u00fccher.example",
        "https://app.example.com\n",
        " https://app.example.com",
        "https://app.example.com:0",
        "https://-",
    ],
)
def test_an_unsafe_or_inexact_origin_stops_the_start(origin):
    with pytest.raises(ValueError, match=r"origin|port|http"):
        check_origins(["https://ok.example", origin])


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://auth.example.com/base/", "https://auth.example.com"),
        ("https://Auth.Example.com:443", "https://auth.example.com"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000"),
        ("https://[2001:db8::1]/", "https://[2001:db8::1]"),
    ],
)
def test_the_origin_of_a_base_url_is_spelled_as_a_browser_sends_it(url, origin):
    assert origin_of(url) == origin


@pytest.mark.parametrize("url", ["", "auth.example.com", "mailto:a@b", "https://", "/x"])
def test_a_url_without_an_origin_is_refused(url):
    with pytest.raises(ValueError, match="not an absolute"):
        origin_of(url)
