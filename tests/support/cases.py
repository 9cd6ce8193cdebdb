"""Many cases in one test, for what costs more to set up than to try: every case runs, and all that fail are told."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


@dataclass
class Cases:
    """``with cases.case("throttled at call 3"): ...`` for each, ``cases.verdict()`` at the end."""

    names: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def case(self, name: str) -> _Case:
        self.names.append(name)
        return _Case(name, self.failures)

    def verdict(self) -> None:
        assert self.names, "no case was tried"
        told = "\n".join(self.failures)
        assert not self.failures, f"{len(self.failures)} of {len(self.names)} cases:\n{told}"


@dataclass(frozen=True)
class _Case:
    name: str
    failures: list[str]

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        where = traceback.extract_tb(trace)[-1]
        what, _, _ = str(error).partition("\n")
        self.failures.append(f"{self.name}: {type(error).__name__}: {what} ({where.name}, line {where.lineno})")
        return True
