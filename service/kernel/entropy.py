"""Chance is an argument: the one place that may draw it, and the port through which it is handed in."""

from __future__ import annotations

import secrets
from typing import Protocol


class Entropy(Protocol):
    """What the service may know of chance."""

    def token_bytes(self, size_bytes: int) -> bytes:
        """``size_bytes`` bytes that nobody can foresee."""
        ...


class SystemEntropy:
    """The operating system's generator."""

    def token_bytes(self, size_bytes: int) -> bytes:
        """``size_bytes`` bytes from the kernel."""
        return secrets.token_bytes(size_bytes)
