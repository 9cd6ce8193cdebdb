"""docs/guard.md: its tables are those of the code, and its programs run."""

from __future__ import annotations

import re
from dataclasses import fields
from inspect import signature

import pytest

from keyturn import Bounds, NotFound, Verifier, errors
from keyturn.testing.issuer import OfflineIssuer
from tests.docs.markdown import ROOT, fences, section

TEXT = (ROOT / "docs/guard.md").read_text("utf-8")


def rows(title):
    """The cells of a section's table, without its head."""
    lines = [line for line in section(TEXT, title).splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_the_arguments_are_those_of_a_verifier():
    assert [row[0] for row in rows("Verify")] == list(signature(Verifier).parameters)


def test_the_bounds_are_those_of_the_code():
    assert [(name, float(default)) for name, default, _ in rows("Bounds")] == [
        (field.name, field.default) for field in fields(Bounds)
    ]


def test_the_errors_are_those_of_the_code():
    classes = [getattr(errors, name) for name, *_ in rows("Errors")]
    assert [[kind.code, str(kind.status), kind.public_code] for kind in classes] == [row[1:] for row in rows("Errors")]
    told = {kind for kind in vars(errors).values() if isinstance(kind, type) and kind.status < 500}
    assert told - {errors.TokenError} <= set(classes)


@pytest.fixture
def page(keyturn_issuer):
    """All programs of the page in one namespace, its verifier on an issuer in this process."""
    names = {}
    programs = [fence.text for fence in fences(TEXT) if fence.language == "python"]
    assert len(programs) == len(re.findall("```python", TEXT))
    for program in programs:
        exec(compile(program, "docs/guard.md", "exec"), names)
    names["guard"] = keyturn_issuer.verifier()
    return names


def test_the_programs_do_what_they_say(page, keyturn_issuer):
    issuer = keyturn_issuer
    token = issuer.token_for("user", scopes=["notes:write"], amr=["pwd", "otp"])
    assert page["answer"]([f"Bearer {token}"]) == (200, {}, "Hello user")
    status, headers, _ = page["answer"]([])
    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="keyturn"')
    mine = page["guard"].verify(token)
    page["check"](mine)
    with pytest.raises(errors.InsufficientScope):
        page["check"](page["guard"].verify(issuer.token_for("user")))
    assert page["read"](mine, "1") == "milk"
    with pytest.raises(NotFound):
        page["read"](page["guard"].verify(issuer.token_for("other")), "1")
    page["test_of_a_service"](OfflineIssuer())
