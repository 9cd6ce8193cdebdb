from __future__ import annotations

import pytest

from service.settings_proxies import PRESETS, ambiguous_in_prod, trusted_proxy_preset
from service.web.client_ip import client_address

CLIENT, EDGE, BALANCER = "198.51.100.7", "203.0.113.80", "10.0.0.5"

# What the last hop hands to us when the client invented an entry: the lines of X-Forwarded-For, and our peer.
ARRIVES = {
    "alb": (["1.1.1.1, " + CLIENT], BALANCER),
    "cloudfront": (["1.1.1.1, " + CLIENT], EDGE),
    "cloudfront+alb": (["1.1.1.1, " + CLIENT + ", " + EDGE], BALANCER),
    "apigateway": (["1.1.1.1, " + CLIENT], BALANCER),
}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_finds_the_client_behind_an_invented_entry(name):
    lines, peer = ARRIVES[name]
    found = client_address(peer=peer, forwarded_for=lines, trusted_proxies=trusted_proxy_preset(name))
    assert str(found) == CLIENT


@pytest.mark.parametrize(("text", "count"), [("0", 0), ("3", 3), ("10", 10), (" ALB ", 1), ("CloudFront+ALB", 2)])
def test_numbers_and_names_are_read(text, count):
    assert trusted_proxy_preset(text) == count


@pytest.mark.parametrize("text", ["", "-1", "11", "1.5", "nginx", "alb+cloudfront", "٣", "9" * 5000])
def test_anything_else_is_refused_with_what_is_allowed(text):
    with pytest.raises(ValueError, match=r"from 0 to 10, or one of alb, cloudfront, cloudfront\+alb, apigateway"):
        trusted_proxy_preset(text)


def test_proxies_that_are_named_to_uvicorn_alone_are_ambiguous():
    (problem,) = ambiguous_in_prod({"FORWARDED_ALLOW_IPS": "10.0.0.0/8-canary"})
    assert problem.startswith("KEYTURN_TRUSTED_PROXIES: FORWARDED_ALLOW_IPS is set")
    assert "canary" not in problem
    assert ambiguous_in_prod({"FORWARDED_ALLOW_IPS": "*", "KEYTURN_TRUSTED_PROXIES": ""}) == [problem]


@pytest.mark.parametrize(
    "environ", [{}, {"FORWARDED_ALLOW_IPS": ""}, {"FORWARDED_ALLOW_IPS": "*", "KEYTURN_TRUSTED_PROXIES": "0"}]
)
def test_a_count_that_was_said_or_no_word_of_proxies_is_clear(environ):
    assert ambiguous_in_prod(environ) == []
