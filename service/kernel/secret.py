"""A value that must never be printed: redaction by type, so that no log line depends on somebody's care."""

from __future__ import annotations

import hmac
from typing import Generic, TypeVar

T = TypeVar("T", str, bytes)

_MASK = "**redacted**"


class Secret(Generic[T]):
    """Holds a password, token, code or key; shows a mask wherever it is formatted, pickled or compared by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value: T = value

    def reveal(self) -> T:
        """The value itself; the call is ugly so that each use can be found."""
        return self._value

    def same_as(self, other: Secret[T]) -> bool:
        """Whether both hold the same value, in time that depends on the length alone."""
        return hmac.compare_digest(_to_bytes(self._value), _to_bytes(other.reveal()))

    def __repr__(self) -> str:
        return _MASK

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and type(self._value) is type(other.reveal()) and self.same_as(other)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not serialised")


def _to_bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
