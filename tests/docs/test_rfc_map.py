"""docs/rfc-map.md names the RFCs that the code names, and the files in which it does."""

from __future__ import annotations

import re

import pytest

from tests.docs.markdown import ROOT

_RFC = re.compile(r"\bRFC (\d+)")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/rfc-map.md").read_text("utf-8").splitlines()
    if re.match(r"\| RFC \d", line)
]


def rfcs_of(path):
    return set(_RFC.findall(path.read_text("utf-8")))


def test_each_rfc_of_the_code_has_a_row():
    named = set().union(*(rfcs_of(path) for folder in ("service", "keyturn") for path in (ROOT / folder).rglob("*.py")))
    assert len(named) > 30
    assert named == {rfc for row in ROWS for rfc in _RFC.findall(row[0])}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_file_of_a_row_names_one_of_its_rfcs(row):
    files = re.findall(r"`([^`]+\.py)`", row[2])
    assert files
    for file in files:
        assert rfcs_of(ROOT / file) & set(_RFC.findall(row[0])), file
