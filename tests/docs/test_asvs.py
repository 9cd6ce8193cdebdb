"""What the documents say about security is there: each requirement judged once, each test and heading that is named."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.docs.markdown import ROOT, anchors, code_words
from tests.support.asvs import CHAPTERS, PAGE, STATUSES, expected_levels, is_test, page, requirements

FOUND = requirements()
THREATS = ROOT / "docs/threat-model.md"

each_requirement = pytest.mark.parametrize("one", FOUND, ids=lambda one: one.id)


def is_there(reference):
    """Whether a test or the heading of a document is there."""
    if "::" in reference:
        return is_test(reference)
    file, _, anchor = reference.partition("#")
    path = ROOT / file
    return file.startswith("docs/") and path.is_file() and anchor in anchors(path.read_text("utf-8"))


def test_the_standard_has_122_requirements_of_three_levels():
    levels = Counter(expected_levels().values())
    assert (len(expected_levels()), levels[1], levels[2], levels[3]) == (122, 32, 64, 26)
    chapters = Counter(int(name.partition(".")[0]) for name in expected_levels())
    assert chapters == {6: 47, 7: 19, 8: 13, 9: 7, 10: 36}
    assert set(chapters) == set(CHAPTERS)


def test_each_requirement_is_judged_once_in_order_and_at_its_level():
    assert [(one.id, one.level) for one in FOUND] == list(expected_levels().items())


@each_requirement
def test_what_is_claimed_is_shown_and_what_is_not_says_why(one):
    assert one.status in STATUSES
    assert one.topic
    assert len(one.shown_by) == len(set(one.shown_by))
    if one.status in {"met", "partly"}:
        assert one.shown_by, "name a test or a document"
    else:
        assert not one.shown_by, "what is shown is at least partly there"
    assert one.status == "met" or one.why, "say what is missing, or why it does not apply"


@each_requirement
def test_each_named_test_and_heading_exists(one):
    assert [reference for reference in one.shown_by if not is_there(reference)] == []


def test_the_page_is_the_one_that_the_judgements_make():
    assert PAGE.read_text("utf-8") == page(FOUND), "run: python -m tests.support.asvs"


def test_the_threat_model_names_tests_that_exist():
    named = [word for word in code_words(THREATS.read_text("utf-8")) if word.startswith("tests/")]
    assert len(named) > 20
    assert [word for word in named if not (is_test(word) if "::" in word else (ROOT / word).exists())] == []


def test_each_defence_of_the_threat_model_names_a_test_or_says_that_there_is_none():
    lines = [line for line in THREATS.read_text("utf-8").splitlines() if line.startswith("| CWE-")]
    assert {re.match(r"\| (CWE-\d+)", line)[1] for line in lines} >= {
        f"CWE-{number}" for number in (287, 306, 307, 308, 309, 347, 384, 521, 613, 640)
    }
    assert [line for line in lines if "`tests/" not in line and "not yet" not in line] == []


@pytest.mark.parametrize(
    "reference",
    [
        "tests/docs/test_asvs.py::test_that_nobody_wrote",
        "tests/docs/test_asvs.py::is_there",
        "tests/docs/test_nowhere.py::test_the_page_is_the_one_that_the_judgements_make",
        "docs/passwords.md#no-such-heading",
        "docs/passwords.md",
        "docs/nowhere.md#settings",
        "README.md#two-commands",
    ],
)
def test_a_reference_that_leads_nowhere_is_found(reference):
    assert not is_there(reference)
