"""The table of DynamoDB units, by operation, the cheapest server first."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.harness.units import Units

_DOLLARS_PER_MILLION_WRITES, _DOLLARS_PER_MILLION_READS = Decimal("0.625"), Decimal("0.125")
"""On-demand tables in us-east-1, as in docs/cost.md."""
ELSEWHERE = {
    "fastapi-users": "SQLite",
    "django": "SQLite",
    "better-auth": "SQLite",
    "oidc-provider": "its own memory",
    "hydra": "SQLite",
    "keycloak": "its embedded database",
}


def unit_lines(units: Mapping[tuple[str, str], Units]) -> Iterator[str]:
    """The figures of (server, operation), as Markdown; peers that are not on DynamoDB are named."""
    yield from ("", "## DynamoDB units", "")
    yield "Counted by one proxy before the engine, in a pass of its own: all that an operation causes, also later."
    yield ""
    yield "| operation | server | calls | write units | read units | $ per million |"
    yield "|---|---|---|---|---|---|"
    order = list(dict.fromkeys(operation for _, operation in units))
    rows = sorted(units.items(), key=lambda row: (order.index(row[0][1]), dollars(row[1])))
    for operation, group in groupby(rows, key=lambda row: row[0][1]):
        for (name, _), spent in group:
            yield (
                f"| {operation} | {name} | {spent.calls:g} | {spent.write_units:g} | {spent.read_units:g} "
                f"| {dollars(spent)} |"
            )
    for name, where in ELSEWHERE.items():
        yield f"| any | {name} | not on DynamoDB: {where} | | | |"


def dollars(units: Units) -> Decimal:
    """What a million of such operations cost, in whole cents."""
    exact = Decimal(units.write_units) * _DOLLARS_PER_MILLION_WRITES
    exact += Decimal(units.read_units) * _DOLLARS_PER_MILLION_READS
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
