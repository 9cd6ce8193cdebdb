"""A write that a cookie carries must prove which site sent it.

Two proofs, both needed. The browser's word (``Sec-Fetch-Site``, ``Origin``: scripts cannot set either), and a header
of ours, which a form cannot send at all and a foreign script only after a preflight that CORS refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import CrossSite

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = "X-Keyturn-Request"
HEADER_VALUE = "1"


@dataclass(frozen=True, kw_only=True)
class SiteRule:
    """The service's own origin, and the others that may act for a user, both as ``check_origins`` spells them."""

    own_origin: str
    allowed_origins: frozenset[str]

    def check(self, *, sec_fetch_site: Sequence[str], origin: Sequence[str], keyturn_request: Sequence[str]) -> None:
        """Pass a request of ours, given all lines of the three headers; raise ``CrossSite`` else.

        - ``Sec-Fetch-Site: same-origin``: passes, unless an ``Origin`` says otherwise.
        - any other ``Sec-Fetch-Site``: passes for an ``Origin`` on the list.
        - none: passes for an ``Origin`` that is ours or on the list.
        - neither header: refused; each browser that sends the cookie sends one of them with a write.
        """
        if list(keyturn_request) != [HEADER_VALUE]:
            raise CrossSite("custom header")
        if len(sec_fetch_site) > 1 or len(origin) > 1:
            raise CrossSite("header repeated")
        site = sec_fetch_site[0] if sec_fetch_site else None
        source = origin[0] if origin else None
        if not self._is_ours(site, source):
            raise CrossSite("origin")

    def _is_ours(self, site: str | None, source: str | None) -> bool:
        listed = source in self.allowed_origins
        own = source == self.own_origin
        if site == "same-origin":
            return source is None or own or listed
        if site is not None:
            return listed
        return own or listed
