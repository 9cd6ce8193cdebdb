"""The table of docs/cost.md that sets today beside the first budget: its numbers are right, and its reasons add up."""

from __future__ import annotations

import re

import pytest

from tests.docs.costs.page import BESIDE_THE_FIRST_BUDGET, DOCUMENTED

FIRST = {
    # operation: (write units, read units), as budgeted before it was built
    "register": (1, 0),
    "confirm the address": (10, 0),
    "confirm with a username": (10, 0),
    "sign in": (2, 3),
    "sign in, wrong password": (1, 3),
    "sign in, while limited": (0, 0),
    "refresh": (1, 1),
    "refresh, reuse found": (2, 1),
    "refresh, not our token": (0, 0),
    "who am I": (0, 1),
    "list sessions (up to 8)": (0, 1),
    "log out": (1, 0),
    "log out everywhere": (1, 0),
    "forgot": (1, 1),
    "reset with the link": (7, 0),
    "ask for another address": (0, 0),
    "confirm another address": (6, 0),
}
_, *LINES = [line for line in BESIDE_THE_FIRST_BUDGET.splitlines() if line.startswith("| ")]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES]


def units(cell):
    return (0, 0) if cell == "none" else tuple(int(number) for number in cell.split(" / "))


def test_it_has_every_operation_of_the_first_budget():
    assert {name: units(first) for name, first, *_ in ROWS} == FIRST


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_today_is_what_is_counted_and_the_reasons_come_to_the_difference(row):
    name, first, now, *reasons = row
    assert units(now) == DOCUMENTED[name]
    more = tuple(sum(int(number) for number in re.findall(r"\(([+-]\d+)\)", cell)) for cell in reasons)
    assert tuple(one + other for one, other in zip(units(first), more, strict=True)) == units(now)
