"""The cookie of a web session: its name makes a browser take it over HTTPS only, for this host (RFC 6265bis)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PREFIX: Final = "__Host-"
SAME_SITE: Final = ("Lax", "Strict")
RETRY_AFTER_SECONDS: Final = 5
"""What a 503 tells the browser to wait, where DynamoDB does not answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cookie:
    """Secure, HttpOnly, for ``/``, without a domain. ``unsafe_http`` is for development on plain HTTP: no prefix.

    Raises:
        ValueError: the name has not the prefix, or another same-site rule is asked for.
    """

    name: str = "__Host-session"
    same_site: str = "Lax"
    unsafe_http: bool = False

    def __post_init__(self) -> None:
        if not self.unsafe_http and (not self.name.startswith(PREFIX) or self.name == PREFIX):
            raise ValueError(
                f"a session cookie is called {PREFIX}…, so that no other host and no plain HTTP can set it"
            )
        if self.same_site not in SAME_SITE:
            raise ValueError("same_site is Lax or Strict")

    @property
    def sent_name(self) -> str:
        """The name on the wire; a browser would refuse the prefix over plain HTTP."""
        return self.name.removeprefix(PREFIX) if self.unsafe_http else self.name
