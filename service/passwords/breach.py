"""Is this password known from breaches? What every list answers, and the twin for where there is none."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from service.kernel.secret import Secret

BASE_URL = "https://api.pwnedpasswords.com"
"""The range API that is asked where no other is named."""


class Breach(enum.Enum):
    """What a list says of a password."""

    LISTED = "listed"
    CLEAN = "clean"
    UNKNOWN = "unknown"
    """The list could not be asked, or its answer could not be understood."""


class BreachList(Protocol):
    """A list of passwords that attackers have."""

    async def contains(self, password: Secret[str]) -> Breach:
        """Whether ``password`` is listed. Raises nothing: a list that is away answers UNKNOWN."""
        ...


class NullBreachList:
    """Stands where no list was asked for: nothing is listed."""

    async def contains(self, password: Secret[str]) -> Breach:  # noqa: ARG002 - the port's signature
        """CLEAN, always."""
        return Breach.CLEAN
