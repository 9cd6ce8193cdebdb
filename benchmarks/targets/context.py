"""What every target is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse battery staple"
PEOPLE = 40
"""Accounts that sign in in turn; making one costs a hash."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """A folder for logs and databases, the engine's address, and whether this is the short form."""

    folder: Path
    engine_url: str
    short: bool

    @property
    def aws(self) -> dict[str, str]:
        """AWS's variables for the engine."""
        return {
            "AWS_ENDPOINT_URL_DYNAMODB": self.engine_url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def people(self) -> int:
        """How many accounts there are."""
        return 4 if self.short else PEOPLE

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return 200 if self.short else 4_000
