"""The sums of docs/cost.md: what a thousand users cost, from the prices of its own table."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from service.mail.outbox import POLL_SECONDS
from service.tokens.keyring import REFRESH_SECONDS
from tests.docs.costs.page import DOLLARS, DOLLARS_PER_MILLION, LOOKS_FOR_LETTERS, READS_KEYS, SUMS

ROWS = re.findall(r"^\| ([^|]+?) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", SUMS, re.MULTILINE)
LIST_PRICES = re.findall(
    r"^\| ((?:Amazon|Auth0) [^|]+) \| \$([\d.]+)(?: over ([\d,]+))? \| (.+) \|$", SUMS, re.MULTILINE
)
"""Name, dollars for a thousand users, how many are free where it says so, and the totals at ``PEOPLE``."""
PEOPLE = (1_000, 10_000, 100_000)
MONTH_SECONDS = 30 * 86_400
# The units are counted in test_by_the_clock.py.
KEY_UNITS = Decimal(MONTH_SECONDS) / REFRESH_SECONDS * READS_KEYS.units
LETTER_UNITS = Decimal(MONTH_SECONDS) / POLL_SECONDS * LOOKS_FOR_LETTERS.units
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
    price = (KEY_UNITS + LETTER_UNITS) * DOLLARS["reads"] / 1_000_000
    assert f"each process costs ${rounded(price, 2)} a" in SUMS
    assert f"({KEY_UNITS:,.0f} units for signing keys, {LETTER_UNITS:,.0f} for mails)" in SUMS
    (row,) = [line for line in SUMS.splitlines() if line.startswith("| Keyturn, DynamoDB on demand, four processes")]
    shown = [Decimal(found) for found in re.findall(r"\$([\d.]+)", row)]
    totals = [exact_sum() * thousands + price * PROCESSES for thousands in (1, 10, 100)]
    assert shown == [rounded(value, 2) for value in (exact_sum(), price * PROCESSES, *totals)]


def test_each_list_price_is_multiplied_right_and_is_the_one_of_the_text():
    text, multiplied = " ".join(SUMS.split()), 0
    for name, per_thousand, free, totals in LIST_PRICES:
        price = Decimal(per_thousand) / 1_000
        assert f"{name.rpartition(' ')[2]} ${price.normalize():f} " in text, name
        for people, total in zip(PEOPLE, totals.split(" | "), strict=True):
            if total.startswith("$"):
                paid_for = max(0, people - int(free.replace(",", "") or 0))
                assert total == f"${price * paid_for:,.0f}", (name, people)
                multiplied += 1
    # Five rows of three; Auth0 sells neither plan for the most people.
    assert (len(LIST_PRICES), multiplied) == (5, 13)
