"""What a run found, as tables: printed, and written to docs/benchmarks.md with the machine and the versions."""

from __future__ import annotations

import datetime as dt
import re
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.cold_start import cold_start_lines
from benchmarks.report_rounds import round_lines
from benchmarks.report_targets import ratios_of, target_lines
from benchmarks.report_units import unit_lines
from benchmarks.versions import machine, version_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.harness.measure import Beside, Figures
    from benchmarks.harness.units import Units

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)
_OPERATIONS = (
    "sign up",
    "sign in",
    "sign in, on a new device",
    "refresh",
    "guarded, from the token",
    "who am I, with the user read",
    "key set",
    "client credentials",
    "FastAPI hello",
    "Starlette bytes",
)


_NAMES = {("floors", "guarded, from the token"): "keyturn's guard in a bare FastAPI"}


@dataclass
class Run:
    """One run: how it was made, and everything that it found."""

    rounds: int
    seconds: float
    connections: int
    engine: str
    skipped: dict[str, str]
    figures: dict[tuple[str, str], Figures] = field(default_factory=dict)
    memory_bytes: dict[str, int] = field(default_factory=dict)
    resident_bytes: dict[str, int] = field(default_factory=dict)
    start_seconds: dict[str, float] = field(default_factory=dict)
    parts_ms: dict[str, list[float]] = field(default_factory=dict)
    guard_ms: dict[str, float] = field(default_factory=dict)
    units: dict[tuple[str, str], Units] = field(default_factory=dict)
    beside: dict[str, list[Beside]] = field(default_factory=dict)
    cold_starts: dict[str, dict[str, float]] = field(default_factory=dict)

    def cpu_ms(self, name: str, operation: str) -> list[float]:
        """CPU time of an operation in each round; empty where it was not measured."""
        found = self.figures.get((name, operation))
        return [] if found is None else [sample.cpu_ms for sample in found.samples]


def write(run: Run, *, keep: bool) -> None:
    """Print the tables; with ``keep`` put them into the page."""
    text = "\n".join(lines(run)) + "\n"
    sys.stdout.write("\n" + text)
    if keep:
        PAGE.write_text(_BLOCK.sub(lambda match: match[1] + text + match[2], PAGE.read_text("utf-8")), "utf-8")


def lines(run: Run) -> Iterator[str]:
    """The figures, as Markdown."""
    yield f"Made on {dt.datetime.now(tz=dt.UTC).date()}: {machine()}."
    yield f"{run.rounds} rounds of {run.seconds:g} s for each operation, {run.connections} connections."
    yield from ("", *version_lines(run.engine, run.skipped))
    yield from ("", "## Against the targets", "", *target_lines(run))
    yield from _cheaper(run)
    for operation in _OPERATIONS:
        yield from _operation(run, operation)
    if run.units:
        yield from unit_lines(run.units)
    yield from _beside(run)
    yield from (
        "",
        "## Start and memory",
        "",
        "| server | serves after, s | idle: its own, MiB | with what is shared, MiB |",
        "|---|---|---|---|",
    )
    for name, seconds in run.start_seconds.items():
        own, all_of_it = (memory[name] / 2**20 for memory in (run.memory_bytes, run.resident_bytes))
        yield f"| {name} | {seconds:.1f} | {own:.0f} | {all_of_it:.0f} |"
    if run.cold_starts:
        yield from cold_start_lines(run.cold_starts)
    yield from ("", "## Parts, in one process", "", "| part | CPU ms |", "|---|---|")
    for name, spent in run.parts_ms.items():
        yield f"| {name} | {statistics.median(spent):.3f} |"
    yield from ("", "## Not measured", "")
    for name, reason in run.skipped.items():
        yield f"- {name}: {reason}."
    yield from round_lines(run.figures, run.beside, run.parts_ms)


def _cheaper(run: Run) -> Iterator[str]:
    """Where a peer takes less CPU than Keyturn, whatever else it does or leaves out."""
    yield from ("", "## Where a peer takes less", "")
    found = []
    for name, operation in run.figures:
        spent, ours = run.cpu_ms(name, operation), run.cpu_ms("keyturn", operation)
        if name in {"floors", "keyturn", "keyturn-libsodium"} or not ours:
            continue
        ratios = ratios_of(spent, ours)
        if (ratio := statistics.median(ratios)) < 1:
            times = sum(one < 1 for one in ratios)
            found.append(f"- {operation}: {name}, {ratio:.2f} of Keyturn's; less in {times} of {len(ratios)} rounds")
    yield from found or ["Nowhere in this run."]


def _operation(run: Run, operation: str) -> Iterator[str]:
    rows = [(name, found) for (name, asked), found in run.figures.items() if asked == operation]
    if not rows:
        return
    yield from ("", f"## {operation[0].upper()}{operation[1:]}", "")
    yield from ("| server | CPU ms | spread | a second | p50 ms | p99 ms |", "|---|---|---|---|---|---|")
    for server, found in sorted(rows, key=lambda row: row[1].median("cpu_ms")):
        name = _NAMES.get((server, operation), server)
        low, high = found.spread("cpu_ms")
        yield (
            f"| {name} | {found.median('cpu_ms'):.2f} | {low:.2f} to {high:.2f} | {found.median('per_second'):.0f} "
            f"| {found.pooled_ms(0.5):.1f} | {found.pooled_ms(0.99):.1f} |"
        )


def _beside(run: Run) -> Iterator[str]:
    if not run.beside:
        return
    yield from ("", "## A light request while sign-ins saturate the core", "")
    yield "| server | p50 ms alone | beside sign-ins | p99 ms alone | beside sign-ins | sign-ins a second |"
    yield "|---|---|---|---|---|---|"
    for name, found in sorted(run.beside.items(), key=lambda row: _median(row[1], "beside_p99_ms")):
        columns = ("alone_p50_ms", "beside_p50_ms", "alone_p99_ms", "beside_p99_ms")
        figures = " | ".join(f"{_median(found, column):.1f}" for column in columns)
        yield f"| {name} | {figures} | {_median(found, 'heavy_per_second'):.0f} |"


def _median(found: list[Beside], name: str) -> float:
    return statistics.median(getattr(one, name) for one in found)
