"""Who may read the feed: a service that holds one of its keys. A key opens nothing else, and names no user."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase

from keyturn.bearer import read_bearer
from keyturn.errors import NoToken, TokenError
from service.errors import NotFound, Unauthenticated
from service.settings_rules import decode_key
from service.web.provide import services_of


@dataclass(frozen=True, kw_only=True)
class FeedKeys:
    """The keys that pollers present; none while the feed is off."""

    keys: tuple[bytes, ...]

    def admit(self, authorization: list[str]) -> None:
        """Raises NotFound while the feed is off, Unauthenticated for whoever presents none of the keys."""
        if not self.keys:
            raise NotFound
        try:
            presented = read_bearer(authorization)
        except (NoToken, TokenError) as error:
            raise Unauthenticated(error.code, presented=not isinstance(error, NoToken)) from None
        if not self._knows(decode_key(presented) or b""):
            raise Unauthenticated("not a feed key", presented=True)

    def _knows(self, presented: bytes) -> bool:
        # Each is compared, whichever fits: the time tells neither the place nor a beginning that is right.
        return sum(hmac.compare_digest(presented, key) for key in self.keys) > 0


class _FeedKey(SecurityBase):
    """Whoever holds a feed key; also the security scheme in OpenAPI."""

    def __init__(self) -> None:
        self.model = HTTPBearerModel(description="A key of `KEYTURN_REVOCATION_FEED_KEYS`, without its number.")
        self.scheme_name = "feedKey"

    async def __call__(self, request: Request) -> None:
        services_of(request).get(FeedKeys).admit(request.headers.getlist("authorization"))


feed_reader = _FeedKey()
FeedReader = Depends(feed_reader)
