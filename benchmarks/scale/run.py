"""``python -m benchmarks.scale.run``: a busy second of 100 million users on the key space, and what is hottest.

Deterministic and offline: no table is touched. ``--write`` puts the figures into docs/scale.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from random import Random

from benchmarks.scale.behaviour import SCENARIOS, SIZES, Scenario
from benchmarks.scale.partitions import ITEM_BYTES, Heat, add_up, heat_of
from benchmarks.scale.traffic import Traffic

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
SEED = 20_261_126
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
COLUMNS = (
    "table",
    "WRU a second",
    "RRU a second",
    "hottest key",
    "new table",
    "partitions, cold",
    "hottest of them",
    "partitions, grown",
    "hottest of them",
)
_FEW = 10
"""Below this a fraction of a unit is shown."""


def main() -> int:
    """Print the tables; exit status 1 where docs/scale.md holds others and ``--check`` asks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/scale.md")
    parser.add_argument("--check", action="store_true", help="fail when docs/scale.md holds other figures")
    arguments = parser.parse_args()
    blocks = {"sizes": sizes(), "figures": "\n".join(section(scenario) for scenario in SCENARIOS)}
    sys.stdout.write("\n".join(blocks.values()))
    text = written = PAGE.read_text("utf-8") if PAGE.exists() else ""
    for name, figures in blocks.items():
        written = put(written, name, figures)
    if arguments.write:
        PAGE.write_text(written, "utf-8")
    return 1 if arguments.check and written != text else 0


def put(text: str, name: str, figures: str) -> str:
    """The page with ``figures`` between the marks of ``name``."""
    block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    return block.sub(lambda match: match[1] + figures + match[2], text)


def heats(scenario: Scenario) -> list[Heat]:
    """Every table of ``scenario``, the one with the hottest cold partition first."""
    loads = add_up(Traffic(scenario, Random(SEED)).second())
    users, sessions = scenario.behaviour.users, scenario.behaviour.sessions_per_user
    found = [
        heat_of(table, load, items=round(users * ITEMS_PER_USER.get(table, sessions))) for table, load in loads.items()
    ]
    return sorted(found, key=lambda heat: (-heat.cold.hottest, heat.table))


def section(scenario: Scenario) -> str:
    """One scenario as Markdown."""
    rates = ", ".join(f"{name} {rate:,}" for name, rate in scenario.rates().items() if rate)
    head = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n"
    rows = "".join(_row(heat) for heat in heats(scenario))
    return f"### {scenario.name[0].upper()}{scenario.name[1:]}\n\nA second: {rates}.\n\n{head}{rows}"


def sizes() -> str:
    """A table of what so many processes do, a column each."""
    columns = [column(scenario) for scenario in SIZES]
    head = f"| | {' | '.join(scenario.name for scenario in SIZES)} |\n{'|---' * (len(SIZES) + 1)}|\n"
    return head + "".join(f"| {name} | {' | '.join(one[name] for one in columns)} |\n" for name in columns[0])


def column(scenario: Scenario) -> dict[str, str]:
    """The cells of one of ``SIZES`` by the names of their rows."""
    found = {heat.table: heat for heat in heats(scenario)}
    hottest = max(found.values(), key=lambda heat: heat.hottest_key)
    rates = scenario.rates()
    return {
        "refreshes a second": f"{rates['refresh'] + rates['hot refresh']:,}",
        "sign-ins a second": f"{rates['sign in']:,}",
        **{f"{table}, WRU / RRU": _units(found.get(table)) for table in ITEM_BYTES},
        "hottest key": f"{hottest.table}, {hottest.hottest_key:.1%}",
    }


def _units(heat: Heat | None) -> str:
    if heat is None or not heat.writes + heat.reads:
        return "0"
    return f"{_short(heat.writes)} / {_short(heat.reads)}, key {heat.hottest_key:.1%}"


def _short(units: float) -> str:
    return f"{units:,.1f}" if 0 < units < _FEW else f"{units:,.0f}"


def _row(heat: Heat) -> str:
    verdict = "too hot a key" if heat.breaks else "warm it first" if heat.needs_warming else "takes it"
    return (
        f"| {heat.table} | {heat.writes:,.0f} | {heat.reads:,.0f} | {heat.hottest_key:.1%} | {verdict} "
        f"| {heat.cold.count} | {heat.cold.hottest:.0%} | {heat.grown.count} | {heat.grown.hottest:.0%} |\n"
    )


if __name__ == "__main__":
    sys.exit(main())
