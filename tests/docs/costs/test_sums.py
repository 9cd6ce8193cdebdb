"""The sums of docs/cost.md: what a thousand users cost, from the prices of its own table."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from tests.docs.costs.page import DOLLARS_PER_MILLION, SUMS

ROWS = re.findall(r"^\| ([^|]+?) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", SUMS, re.MULTILINE)
READ_BY_A_PROCESS = Decimal(30 * 86_400) / 30 * 3 + Decimal(30 * 86_400) / 15 * 4
PROCESSES = 4


def rounded(value, places):
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def exact_sum():
    return sum(Decimal(times) * Decimal(price) for _, times, price, _ in ROWS) / 1_000_000


def test_each_row_has_the_price_of_its_operation_and_is_multiplied_right():
    assert len(ROWS) == 10
    for name, times, price, dollars in ROWS:
        assert price == DOLLARS_PER_MILLION[name]
        assert Decimal(dollars) == rounded(Decimal(times) * Decimal(price) / 1_000_000, 4), name


def test_the_rows_come_to_their_sum():
    (together,) = re.findall(r"^\| together \| \| \| ([\d.]+) \|$", SUMS, re.MULTILINE)
    assert Decimal(together) == rounded(exact_sum(), 4)


def test_what_processes_read_by_themselves_is_priced_right():
    price = READ_BY_A_PROCESS * Decimal("0.125") / 1_000_000
    assert f"each process costs ${rounded(price, 2)} a" in SUMS
    (row,) = [line for line in SUMS.splitlines() if line.startswith("| Keyturn, DynamoDB on demand, four processes")]
    shown = [Decimal(found) for found in re.findall(r"\$([\d.]+)", row)]
    totals = [exact_sum() * thousands + price * PROCESSES for thousands in (1, 10, 100)]
    assert shown == [rounded(value, 2) for value in (exact_sum(), price * PROCESSES, *totals)]


def test_list_prices_are_multiplied_right():
    for name, price in (("Lite", "0.0055"), ("Essentials", "0.015")):
        (row,) = [line for line in SUMS.splitlines() if line.startswith(f"| Amazon Cognito {name} ")]
        assert row.endswith(f"${Decimal(price) * 90_000:,.0f} |"), row
