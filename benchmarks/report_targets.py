"""The ratios that the product promises, each with what it is a ratio of."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.targets.parts import CALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.report import Run


@dataclass(frozen=True, kw_only=True)
class Row:
    """An operation and the parts that together are its floor, CPU milliseconds of each round."""

    name: str
    spent: Sequence[float]
    floor: Sequence[Sequence[float]]
    of_what: str
    most: float | str = ""

    def lines(self) -> Iterator[str]:
        """As Markdown; nothing where a part of it was not measured."""
        if not self.spent or not all(self.floor):
            return
        floor = [sum(parts) for parts in zip(*self.floor, strict=True)]
        ratios = sorted(ratios_of(self.spent, floor))
        quarter = len(ratios) // 4
        yield (
            f"| {self.name} | {statistics.median(self.spent):.2f} | {statistics.median(floor):.2f} ({self.of_what}) "
            f"| {statistics.median(ratios):.2f} | {ratios[quarter]:.2f} to {ratios[-1 - quarter]:.2f} "
            f"| {min(self.spent) / min(floor):.2f} | {self.most} |"
        )


def ratios_of(spent: Sequence[float], floor: Sequence[float]) -> list[float]:
    """One for each round: what was measured in the same minute met the same neighbours."""
    return [one / least for one, least in zip(spent, floor, strict=True)]


def target_lines(run: Run) -> Iterator[str]:
    """The table, as Markdown."""
    yield "CPU milliseconds are medians of the rounds; a ratio is that of the rounds' own, beside their middle half and"
    yield "the ratio of the least of all rounds, in which other programs had the smallest part."
    yield ""
    yield "| operation | CPU ms | of what | ratio | middle half | of the least | target |"
    yield "|---|---|---|---|---|---|---|"
    for row in _rows(run):
        yield from row.lines()
    if checked := run.guard_ms.get("signature"):
        spent = run.guard_ms["authenticate"]
        beyond = f"{checked:.2f} (its signature check; {spent - checked:.2f} ms beyond it, at most 0.25)"
        yield f"| a token in the guard library | {spent:.2f} | {beyond} | | | {spent / checked:.2f} | |"
    if "keyturn" in run.memory_bytes:
        own, all_of_it = (memory["keyturn"] / 2**20 for memory in (run.memory_bytes, run.resident_bytes))
        yield f"| idle worker | | {all_of_it:.0f} MiB with what is shared | {own:.0f} MiB | | | 110 MiB |"


def _rows(run: Run) -> Iterator[Row]:
    def part(name: str) -> list[float]:
        return run.parts_ms.get(name, [])

    def twice(client: str) -> list[float]:
        return [2 * call for call in part(CALL + client)]

    hello, refresh = run.cpu_ms("floors", "FastAPI hello"), run.cpu_ms("keyturn", "refresh")
    for name, server, engine in (
        ("sign in", "keyturn", "argon2-cffi"),
        ("sign in, libsodium", "keyturn-libsodium", "libsodium"),
    ):
        yield Row(
            name=name,
            spent=run.cpu_ms(server, "sign in"),
            floor=[part(f"hash, {engine}")],
            of_what="the bare hash",
            most=1.05,
        )
    yield Row(
        name="refresh",
        spent=refresh,
        floor=[hello, part("ES256 signature"), twice("aiohttp")],
        of_what="FastAPI hello + a signature + two DynamoDB calls by hand over aiohttp",
        most=2.2,
    )
    yield Row(
        name="refresh, beside our own calls",
        spent=refresh,
        floor=[hello, part("ES256 signature"), twice("lean")],
        of_what="the same with two calls of the client that Keyturn uses",
    )
    yield Row(
        name="guarded route, with keyturn's guard",
        spent=run.cpu_ms("floors", "guarded, from the token"),
        floor=[hello, part("ES256 check")],
        of_what="FastAPI hello + one ES256 check",
        most=1.6,
    )
    yield Row(
        name="key set",
        spent=run.cpu_ms("keyturn", "key set"),
        floor=[run.cpu_ms("floors", "Starlette bytes")],
        of_what="Starlette bytes",
        most=1.5,
    )
