from __future__ import annotations

import pytest

from service.errors import CrossSite
from service.web.csrf import SiteRule

OWN = "https://auth.example.com"
APP = "https://app.example.com"
EVIL = "https://evil.example"
RULE = SiteRule(own_origin=OWN, allowed_origins=frozenset({APP}))

TABLE = [
    # Sec-Fetch-Site, Origin, passes
    ("same-origin", None, True),
    ("same-origin", OWN, True),
    ("same-origin", APP, True),
    ("same-origin", EVIL, False),
    ("same-origin", "null", False),
    ("same-site", None, False),
    ("same-site", OWN, False),
    ("same-site", APP, True),
    ("same-site", EVIL, False),
    ("cross-site", None, False),
    ("cross-site", OWN, False),
    ("cross-site", APP, True),
    ("cross-site", EVIL, False),
    ("cross-site", "null", False),
    ("none", None, False),
    ("none", OWN, False),
    ("", None, False),
    ("Same-Origin", None, False),
    ("same-origin, same-origin", None, False),
    (None, OWN, True),
    (None, APP, True),
    (None, EVIL, False),
    (None, "null", False),
    (None, "", False),
    (None, OWN + "/", False),
    (None, OWN + ".evil.example", False),
    (None, "http://auth.example.com", False),
    (None, None, False),
]


def ask(site, origin, custom=("1",)):
    RULE.check(
        sec_fetch_site=[] if site is None else [site],
        origin=[] if origin is None else [origin],
        keyturn_request=list(custom),
    )


@pytest.mark.parametrize(("site", "origin", "passes"), TABLE)
def test_a_cookie_carried_write_proves_its_origin(site, origin, passes):
    if passes:
        ask(site, origin)
    else:
        with pytest.raises(CrossSite):
            ask(site, origin)


@pytest.mark.parametrize("custom", [(), ("0",), ("",), ("1", "1"), ("true",), (" 1",)])
@pytest.mark.parametrize(("site", "origin"), [(site, origin) for site, origin, passes in TABLE if passes])
def test_cross_site_form_post_no_browser_header_replaces_the_custom_one(site, origin, custom):
    with pytest.raises(CrossSite):
        ask(site, origin, custom)


def test_repeated_headers_are_refused_rather_than_ranked():
    with pytest.raises(CrossSite):
        RULE.check(sec_fetch_site=["same-origin", "cross-site"], origin=[], keyturn_request=["1"])
    with pytest.raises(CrossSite):
        RULE.check(sec_fetch_site=[], origin=[OWN, EVIL], keyturn_request=["1"])
