"""``python -m benchmarks.scale.run``: a busy second of 100 million users on the key space, and what is hottest.

Deterministic and offline: no table is touched. ``--write`` puts the figures into docs/scale.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from random import Random

from benchmarks.scale.behaviour import SCENARIOS, Scenario
from benchmarks.scale.partitions import Heat, add_up, heat_of
from benchmarks.scale.traffic import Traffic

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
SEED = 20_261_126
_BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)
ITEMS_PER_USER = {
    "users": 2.0,
    "identities": 1.5,
    "audit": 40.0,
    "onetime": 0.001,
    "throttle": 0.05,
    "outbox": 0.0001,
    "revocations": 0.0001,
    "keys": 0.0,
}


def main() -> int:
    """Print the tables; exit status 1 where docs/scale.md holds others and ``--check`` asks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/scale.md")
    parser.add_argument("--check", action="store_true", help="fail when docs/scale.md holds other figures")
    arguments = parser.parse_args()
    figures = "\n".join(section(scenario) for scenario in SCENARIOS)
    sys.stdout.write(figures)
    text = PAGE.read_text("utf-8") if PAGE.exists() else ""
    written = _BLOCK.sub(lambda match: match[1] + figures + match[2], text)
    if arguments.write:
        PAGE.write_text(written, "utf-8")
    return 1 if arguments.check and written != text else 0


def heats(scenario: Scenario) -> list[Heat]:
    """Every table of ``scenario``, the hottest first."""
    loads = add_up(Traffic(scenario, Random(SEED)).second())
    users, sessions = scenario.behaviour.users, scenario.behaviour.sessions_per_user
    found = [
        heat_of(table, load, items=round(users * ITEMS_PER_USER.get(table, sessions))) for table, load in loads.items()
    ]
    return sorted(found, key=lambda heat: (-heat.hottest_partition, heat.table))


def section(scenario: Scenario) -> str:
    """One scenario as Markdown."""
    rates = ", ".join(f"{name} {rate:,}" for name, rate in scenario.rates().items() if rate)
    head = "| table | WRU a second | RRU a second | partitions | hottest partition | hottest key | new table |\n"
    rows = "".join(_row(heat) for heat in heats(scenario))
    return f"### {scenario.name[0].upper()}{scenario.name[1:]}\n\nA second: {rates}.\n\n{head}{'|---' * 7}|\n{rows}"


def _row(heat: Heat) -> str:
    verdict = "too hot a key" if heat.breaks else "warm it first" if heat.needs_warming else "takes it"
    return (
        f"| {heat.table} | {heat.writes:,.0f} | {heat.reads:,.0f} | {heat.partitions} "
        f"| {heat.hottest_partition:.0%} | {heat.hottest_key:.1%} | {verdict} |\n"
    )


if __name__ == "__main__":
    sys.exit(main())
