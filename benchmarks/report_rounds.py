"""The raw output of a run: every sample of every round, as it was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.harness.measure import Beside, Figures


def round_lines(
    figures: Mapping[tuple[str, str], Figures], beside: Mapping[str, list[Beside]], parts_ms: Mapping[str, list[float]]
) -> Iterator[str]:
    """A line for each server, operation and round, and one for each part with all of its rounds, as Markdown."""
    yield from ("", "## Every round", "", "```text")
    figures_of = " ".join(f"{name:>8}" for name in ("CPU ms", "a second", "p50 ms", "p99 ms"))
    yield f"{'server':<22} {'operation':<29} {'round':>5} {'done':>7} {figures_of}"
    for (name, operation), found in figures.items():
        for number, sample in enumerate(found.samples, start=1):
            yield (
                f"{name:<22} {operation:<29} {number:>5} {sample.operations:>7} {sample.cpu_ms:>8.3f} "
                f"{sample.per_second:>8.1f} {sample.p50_ms:>8.2f} {sample.p99_ms:>8.2f}"
            )
    for name, rounds in beside.items():
        for number, waits in enumerate(rounds, start=1):
            for told, p50_ms, p99_ms in (
                ("a light request alone", waits.alone_p50_ms, waits.alone_p99_ms),
                ("a light one beside sign-ins", waits.beside_p50_ms, waits.beside_p99_ms),
            ):
                yield f"{name:<22} {told:<29} {number:>5} {'':>7} {'':>8} {'':>8} {p50_ms:>8.2f} {p99_ms:>8.2f}"
    if parts_ms:
        yield "CPU ms of each part in every round"
    for name, spent in parts_ms.items():
        yield f"{name:<22} " + " ".join(f"{cpu_ms:.3f}" for cpu_ms in spent)
    yield "```"
