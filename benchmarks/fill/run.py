"""``make fill``: the same operations on a small store and on one that holds a million people, in interleaved rounds.

Prints p50 and p99 of both and their ratios, of the latencies of all rounds together: one round has too few for its p99.
Exit status 1 when a p99 is more than ``--within`` apart. ``--write`` puts the table into docs/scale.md. Both stores are
files of their own in a folder that is removed at the end.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from benchmarks.fill.store import ENGINE, Filled, Size, filled
from benchmarks.harness.measure import Figures, Target, measure
from benchmarks.harness.processes import pin_load

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
BLOCK = re.compile(r"(<!-- filled -->\n).*?(<!-- end of filled -->)", re.DOTALL)
CONNECTIONS = 2
HASHED = "sign in"
HASHED_TIMES = 2
"""How many times as long a round of it takes: it comes seldom."""
MEDIAN, TAIL = 0.5, 0.99
SMALL, LARGE = "small", "filled"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The figures of both stores by operation, how they were filled, and how it was measured."""

    small: Size
    large: Size
    filled: dict[str, Filled]
    figures: dict[tuple[str, str], Figures]
    rounds: int
    seconds: float

    def ratio(self, operation: str, part: float) -> float:
        """A percentile of the large store in that of the small one."""
        return self.figures[LARGE, operation].pooled_ms(part) / self.figures[SMALL, operation].pooled_ms(part)

    def operations(self) -> list[str]:
        """What was asked, in the order of asking."""
        return list(dict.fromkeys(operation for _, operation in self.figures))

    def worst(self) -> float:
        """The largest ratio of p99."""
        return max(self.ratio(operation, TAIL) for operation in self.operations())


def main() -> int:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--sessions", type=int, default=5_000_000)
    parser.add_argument("--asked", type=int, default=6_000, help="sessions that are used, of each store")
    parser.add_argument("--rounds", type=int, default=7, choices=range(1, 100))
    parser.add_argument("--seconds", type=float, default=4.0, help="for each operation a round, twice for sign-ins")
    parser.add_argument("--within", type=float, default=0.20, help="how far a p99 may be above the small store's")
    parser.add_argument("--folder", type=Path, help="where the stores are made: a filled one takes 1.2 KB a session")
    parser.add_argument("--write", action="store_true", help="put the table into docs/scale.md")
    arguments = parser.parse_args()
    pin_load()
    done = uvloop.run(compare(arguments))
    text = report(done)
    sys.stdout.write(text)
    if arguments.write:
        PAGE.write_text(BLOCK.sub(lambda match: match[1] + text + match[2], PAGE.read_text("utf-8")), "utf-8")
    return 0 if done.worst() <= 1 + arguments.within else 1


async def compare(arguments: argparse.Namespace) -> Comparison:
    """Both stores, asked in turns."""
    large = Size(name=LARGE, users=arguments.users, sessions=arguments.sessions, asked=arguments.asked)
    small = Size(name=SMALL, users=max(1, arguments.asked // 5), sessions=arguments.asked, asked=arguments.asked)
    with tempfile.TemporaryDirectory(prefix="keyturn-fill-", dir=arguments.folder) as folder:
        async with AsyncExitStack() as stack:
            targets: dict[str, Target] = {}
            how: dict[str, Filled] = {}
            for size in (large, small):
                targets[size.name], how[size.name] = await stack.enter_async_context(filled(Path(folder), size))
                say(f"{size.name}: {how[size.name]}")
            done = Comparison(
                small=small,
                large=large,
                filled=how,
                figures={},
                rounds=arguments.rounds,
                seconds=arguments.seconds,
            )
            for number in range(arguments.rounds + 1):
                await _round(targets, done, number)
    return done


async def _round(targets: dict[str, Target], done: Comparison, number: int) -> None:
    """Each operation on both stores, which goes first by turns; the first round warms up and is not counted."""
    names = [SMALL, LARGE] if number % 2 else [LARGE, SMALL]
    for operation in targets[SMALL].operations:
        seconds = done.seconds * HASHED_TIMES if operation == HASHED else done.seconds
        for name in names:
            target = targets[name]
            sample = await measure(target, target.operations[operation], connections=CONNECTIONS, seconds=seconds)
            if number:
                done.figures.setdefault((name, operation), Figures()).samples.append(sample)
                say(
                    f"{operation:<14} {name:<7} p50 {sample.p50_ms:7.2f}  p99 {sample.p99_ms:7.2f}  {sample.operations}"
                )


def report(done: Comparison) -> str:
    """The comparison as Markdown."""
    small, large, how = done.small, done.large, done.filled[LARGE]
    held = f"{how.items:,} items in {ENGINE}, a file of {how.file_bytes / 2**30:.1f} GiB, filled in {how.seconds:.0f} s"
    machine = f"{os.cpu_count()} cores ({platform.machine()}), one worker, {CONNECTIONS} connections"
    hashed_seconds = done.seconds * HASHED_TIMES
    rounds = f"{done.rounds} interleaved rounds of {done.seconds:g} s, and of {hashed_seconds:g} s for {HASHED}"
    lines = [
        f"{large.users:,} people and {large.sessions:,} sessions beside {small.users:,} and {small.sessions:,}:",
        f"{held}.",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine}, {rounds}; p50 and p99 are of the latencies of all rounds together.",
        "",
        "| operation | small p50 ms | filled p50 ms | ratio | small p99 ms | filled p99 ms | ratio | asked |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for operation in done.operations():
        few, many = done.figures[SMALL, operation], done.figures[LARGE, operation]
        cells = [operation]
        for part in (MEDIAN, TAIL):
            cells += [
                f"{few.pooled_ms(part):.2f}",
                f"{many.pooled_ms(part):.2f}",
                f"{done.ratio(operation, part):.2f}",
            ]
        cells.append(f"{sum(sample.operations for sample in many.samples):,}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def say(line: str) -> None:
    """A line of progress."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
