"""What docs/cost.md says, and on which engine it can be counted."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

import pytest

from tests.docs.markdown import ROOT, section

ROW = re.compile(r"^\| ([^|]+?) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", re.MULTILINE)
DOLLARS = {"writes": Decimal("0.625"), "reads": Decimal("0.125")}
SINGLE_WRITES = {"put_item", "update_item", "delete_item"}
_WHOLE = (ROOT / "docs/cost.md").read_text("utf-8")
_PRICES, _, SUMS = _WHOLE.partition("## A thousand monthly users")
_TEXT, _, _BESIDE_A_FEED = _PRICES.partition("## Beside a revocation feed")
LINES, FEED_LINES = ROW.findall(_TEXT), ROW.findall(_BESIDE_A_FEED)
DOLLARS_PER_MILLION = {name: dollars for name, _, _, dollars in LINES}
DOCUMENTED = {name: (float(writes), float(reads)) for name, writes, reads, _ in LINES}
BESIDE_A_FEED = {name: (float(writes), float(reads)) for name, writes, reads, _ in FEED_LINES}
BESIDE_THE_FIRST_BUDGET = section(_WHOLE, "Beside the first budget")


class ByTheClock(NamedTuple):
    """What a process reads whatever it is asked: how often, and for how much each time."""

    seconds: int
    units: int


_BY_THE_CLOCK = re.findall(r"every\s(\d+) seconds[^(]+\((\d+) read units", _TEXT)
READS_KEYS, LOOKS_FOR_LETTERS = (ByTheClock(int(seconds), int(units)) for seconds, units in _BY_THE_CLOCK)
counts_right = pytest.mark.usefixtures("unit_engine")
"""For tests on the fastest engine, which is the one that counts right where that is there: elsewhere they skip."""
