"""The ratios that the product promises, each with what it is a ratio of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.report import Run


def target_lines(run: Run) -> Iterator[str]:
    """The table, as Markdown."""
    parts, hello = run.in_process, run.cpu_ms("floors", "FastAPI hello")
    refresh_floor, lean_floor = (
        _sum(hello, parts.get("ES256 signature"), 2 * run.store_call_ms.get(client, 0.0) or None)
        for client in ("aiohttp", "lean")
    )
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
            "FastAPI hello + a signature + two DynamoDB calls by hand over aiohttp",
        ),
        (
            "refresh, beside our own calls",
            run.cpu_ms("keyturn", "refresh"),
            lean_floor,
            "",
            "the same with two calls of the client that Keyturn uses",
        ),
        (
            "guarded route, with keyturn's guard",
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
        own, all_of_it = (memory["keyturn"] / 2**20 for memory in (run.memory_bytes, run.resident_bytes))
        yield f"| idle worker | | {all_of_it:.0f} MiB with what is shared | {own:.0f} MiB | 110 MiB |"


def _sum(*parts: float | None) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
