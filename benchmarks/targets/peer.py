"""What the peers are started and asked with."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from benchmarks.harness.install import PEERS
from benchmarks.harness.processes import Program, Running, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.targets.context import Context

LANES = 64
"""The most connections of a run: each has a session of its own, so that no two rotate one."""


@contextmanager
def served(
    context: Context,
    name: str,
    command: tuple[str, ...],
    *,
    peer: str,
    port: int,
    folder: Path | None = None,
    **variables: str,
) -> Iterator[Running]:
    """A peer that answers on ``port``; it runs in its folder of the sources, or in ``folder``."""
    program = Program(
        name=name,
        command=command,
        folder=folder or PEERS / peer,
        port=port,
        environ={**variables, "BENCH_PORT": str(port)},
    )
    with run(program, context.folder / f"{peer}-{port}.log") as running:
        yield running


def bearer(token: str) -> str:
    """The header's line."""
    return f"Authorization: Bearer {token}\r\n"


def form(**fields: str) -> bytes:
    """A form's body."""
    return urlencode(fields).encode()
