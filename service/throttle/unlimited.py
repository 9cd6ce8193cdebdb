"""The twin of the limiter for ``KEYTURN_THROTTLE=off``, which ``prod`` refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from service.throttle.limiter import Look

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from service.store.codec import Item
    from service.throttle.lanes import Lanes
    from service.throttle.limiter import Admission


class Unlimited:
    """Lets everything through and writes nothing."""

    def look(self, lanes: Lanes) -> Look:  # noqa: ARG002
        """Nothing is read."""
        return Look(lanes=(), reads=())

    async def admit(self, look: Look, items: Sequence[Item | None] | None) -> Admission:  # noqa: ARG002
        """An attempt that nobody counts."""
        return Uncounted()

    async def before(self, lanes: Lanes) -> Admission:  # noqa: ARG002
        """An attempt that nobody counts."""
        return Uncounted()


class Uncounted:
    """An attempt without lanes; its outcomes are asked for in the same order, so that tests find a forgotten slot."""

    def __init__(self) -> None:
        self._has_slot = False

    async def at_slot(self) -> None:
        """Nothing to look at."""
        self._has_slot = True

    async def failed(self) -> None:
        """Raises RuntimeError without a slot."""
        self._settle()

    async def succeeded(self) -> None:
        """Raises RuntimeError without a slot."""
        self._settle()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing is held."""

    def _settle(self) -> None:
        if not self._has_slot:
            raise RuntimeError("an attempt has one outcome, after its slot: is at_slot handed to the hasher?")
        self._has_slot = False
