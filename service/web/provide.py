"""How a route gets what it needs: by type, from what the lifespan built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import Depends, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


class Services:
    """One instance of each type, made once."""

    def __init__(self, *instances: object) -> None:
        self._by_type: Mapping[type, object] = {type(instance): instance for instance in instances}

    def get(self, kind: type[T]) -> T:
        """The instance of ``kind``. Raises KeyError for a type that was never built: a mistake in wiring."""
        return self._by_type[kind]  # type: ignore[return-value]


class _Provider:
    def __init__(self, kind: type) -> None:
        self._kind = kind

    async def __call__(self, request: Request) -> Any:
        return request.app.state.services.get(self._kind)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Provider) and other._kind is self._kind

    def __hash__(self) -> int:
        return hash((_Provider, self._kind))


def provided(kind: type) -> Any:
    """A route's claim on the instance of ``kind``, to stand in an ``Annotated``."""
    return Depends(_Provider(kind))
