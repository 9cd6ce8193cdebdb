"""docs/revocation.md: its tables are those of the code, and its program runs."""

from __future__ import annotations

import re
from inspect import Parameter, signature

from keyturn import RevocationFeed, Verifier
from service.revocations.flows import Feed
from service.revocations.model import FeedLife
from service.revocations.statement import claims_of
from tests.docs.markdown import ROOT, fences, section
from tests.support.feed import FEED_KEY

TEXT = (ROOT / "docs/revocation.md").read_text("utf-8")
LIFE = FeedLife(access_seconds=300, skew_seconds=2, flight_seconds=10)


def rows(title):
    lines = [line for line in section(TEXT, title).splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_arguments_and_their_defaults_are_those_of_a_feed():
    documented = {name.strip("`"): default for name, default, _ in rows("Turn it on")}
    parameters = signature(RevocationFeed).parameters
    assert list(documented) == list(parameters)
    for name, parameter in parameters.items():
        if parameter.default not in {None, Parameter.empty}:
            assert float(documented[name]) == parameter.default, name


def test_the_claims_are_those_of_a_statement():
    documented = [name for names, _ in rows("What is published") for name in re.findall(r"`(\w+)`", names)]
    claims = claims_of((), issuer="i", cursor="", following="n", more=False, forgotten_ms=None, read_ms=0, life=LIFE)
    assert sorted(documented) == sorted(claims)
    assert f"pages of {Feed.page_size}" in TEXT


def test_the_bound_is_that_of_the_defaults():
    parameters = signature(RevocationFeed).parameters
    assert parameters["poll_seconds"].default + 1 + 1 == int(
        re.search(r"about (\d+) seconds with the defaults", TEXT)[1]
    )


def test_the_program_makes_a_strict_verifier(monkeypatch):
    monkeypatch.setenv("FEED_KEY", FEED_KEY)
    (program,) = [fence.text for fence in fences(TEXT) if fence.language == "python"]
    names = {}
    exec(compile(program, "docs/revocation.md", "exec"), names)
    assert isinstance(names["guard"], Verifier)
    names["guard"].close()
