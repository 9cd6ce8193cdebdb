"""What became of a step."""

from __future__ import annotations

from dataclasses import dataclass

AWS_OWNED = "aws-owned"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """``changed`` is False when the table was so already.

    ``skipped`` says what the engine cannot do; ``encrypted_with`` the key of a step that asks for the customer's key.
    """

    changed: bool
    skipped: str | None = None
    encrypted_with: str | None = None

    @property
    def note(self) -> str | None:
        """What an operator should know of it."""
        if self.skipped is None and self.encrypted_with == AWS_OWNED:
            return "no customer key is configured: encrypted with AWS's own key"
        return self.skipped
