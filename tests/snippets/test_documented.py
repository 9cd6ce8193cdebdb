"""docs/why-not-the-snippet.md shows what the tests run, and names tests that exist."""

from __future__ import annotations

import re
from textwrap import indent

from tests.docs.markdown import ROOT, fences

TEXT = (ROOT / "docs/why-not-the-snippet.md").read_text("utf-8")
HERE = ROOT / "tests/snippets"


def test_what_is_shown_is_what_is_tested():
    sources = [path.read_text("utf-8") for path in (HERE / "copied").glob("*.py")]
    shown = [fence.text for fence in fences(TEXT)]
    assert len(shown) == 7
    for text in shown:
        forms = [indent(text.rstrip("\n"), " " * width) for width in range(0, 20, 4)]
        assert any(form in source for form in forms for source in sources), text


def test_each_property_is_named_and_each_name_is_a_property():
    named = set(re.findall(r"`(test_\w+\.py)::(test_\w+)`", TEXT))
    properties = {
        (path.name, name)
        for path in HERE.glob("test_*.py")
        for name, body in re.findall(
            r"^(?:async )?def (test_\w+)\(.*?\):\n(.*?)(?=^\S|\Z)", path.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
        if "\n    must(" in body
    }
    assert named == properties
