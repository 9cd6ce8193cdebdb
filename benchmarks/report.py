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
    start_seconds: dict[str, float] = field(default_factory=dict)
    in_process: dict[str, float] = field(default_factory=dict)
    guard_ms: dict[str, float] = field(default_factory=dict)
    store_call_ms: dict[str, float] = field(default_factory=dict)
    units: dict[tuple[str, str], Units] = field(default_factory=dict)
    beside: dict[str, list[Beside]] = field(default_factory=dict)
    cold_starts: dict[str, dict[str, float]] = field(default_factory=dict)

    def cpu_ms(self, name: str, operation: str) -> float | None:
        """The median CPU time of an operation, or None where it was not measured."""
        found = self.figures.get((name, operation))
        return None if found is None else found.median("cpu_ms")


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
    yield from ("", "## Against the targets", "", *_targets(run))
    for operation in _OPERATIONS:
        yield from _operation(run, operation)
    if run.units:
        yield from unit_lines(run.units)
    yield from _beside(run)
    yield from ("", "## Start and memory", "", "| server | serves after, s | idle memory, MiB |", "|---|---|---|")
    for name, seconds in run.start_seconds.items():
        yield f"| {name} | {seconds:.1f} | {run.memory_bytes[name] / 2**20:.0f} |"
    if run.cold_starts:
        yield from cold_start_lines(run.cold_starts)
    yield from ("", "## Parts, in one process", "", "| part | CPU ms |", "|---|---|")
    for name, spent in {**run.in_process, **{f"DynamoDB call, {k}": v for k, v in run.store_call_ms.items()}}.items():
        yield f"| {name} | {spent:.3f} |"
    yield from ("", "## Not measured", "")
    for name, reason in run.skipped.items():
        yield f"- {name}: {reason}."
    yield from round_lines(run.figures, run.beside)


def _operation(run: Run, operation: str) -> Iterator[str]:
    rows = [(name, found) for (name, asked), found in run.figures.items() if asked == operation]
    if not rows:
        return
    yield from ("", f"## {operation[0].upper()}{operation[1:]}", "")
    yield from ("| server | CPU ms | spread | a second | p50 ms | p99 ms |", "|---|---|---|---|---|---|")
    for name, found in sorted(rows, key=lambda row: row[1].median("cpu_ms")):
        low, high = found.spread("cpu_ms")
        yield (
            f"| {name} | {found.median('cpu_ms'):.2f} | {low:.2f} to {high:.2f} | {found.median('per_second'):.0f} "
            f"| {found.median('p50_ms'):.1f} | {found.median('p99_ms'):.1f} |"
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


def _targets(run: Run) -> Iterator[str]:
    """The ratios that the product promises, each with what it is a ratio of."""
    parts, hello = run.in_process, run.cpu_ms("floors", "FastAPI hello")
    refresh_floor = _sum(hello, parts.get("ES256 signature"), 2 * run.store_call_ms.get("aiohttp", 0.0) or None)
    rows = [
        ("sign in", run.cpu_ms("keyturn", "sign in"), parts.get("hash, argon2-cffi"), 1.05, "the bare hash"),
        (
            "sign in, libsodium",
            run.cpu_ms("keyturn-libsodium", "sign in"),
            parts.get("hash, libsodium"),
            1.05,
            "that hash",
        ),
        (
            "refresh",
            run.cpu_ms("keyturn", "refresh"),
            refresh_floor,
            2.2,
            "FastAPI hello + a signature + two hand-written DynamoDB calls",
        ),
        (
            "guarded route",
            run.cpu_ms("floors", "guarded, from the token"),
            _sum(hello, parts.get("ES256 check")),
            1.6,
            "FastAPI hello + one ES256 check",
        ),
        ("key set", run.cpu_ms("keyturn", "key set"), run.cpu_ms("floors", "Starlette bytes"), 1.5, "Starlette bytes"),
    ]
    if checked := run.guard_ms.get("signature"):
        spent = run.guard_ms["authenticate"]
        beyond = f"{checked:.2f} (its signature check; {spent - checked:.2f} ms beyond it, at most 0.25)"
        guard_row = f"| a token in the guard library | {spent:.2f} | {beyond} | {spent / checked:.2f} | |"
    yield "| operation | CPU ms | of what | ratio | target |"
    yield "|---|---|---|---|---|"
    for name, spent, floor, most, of_what in rows:
        if spent is not None and floor:
            yield f"| {name} | {spent:.2f} | {floor:.2f} ({of_what}) | {spent / floor:.2f} | {most} |"
    if checked:
        yield guard_row
    if "keyturn" in run.memory_bytes:
        yield f"| idle worker | | | {run.memory_bytes['keyturn'] / 2**20:.0f} MiB | 110 MiB |"


def _sum(*parts: float | None) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
