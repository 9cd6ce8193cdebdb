"""slowapi, behind its one door: a rate for each path, and the refusal of a network that has used it up.

Its limiter counts; its decorators and its middleware are left out. The decorators would stand on our routes and look at
their signatures with each request, and the middleware counts by path, of which a client may invent as many as it likes.
Its fallback for a storage that is away is not used: where two requests find it away at once, the second is answered
with an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from limits import parse
from slowapi import Limiter

from service.errors import TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from limits import RateLimitItem
    from starlette.requests import Request


class Passages:
    """``rates`` by exact path, ``rest`` for all other paths together; ``name_of`` tells whose count a request is.

    ``storage_url`` and ``options`` say where is counted; names begin with ``key_prefix`` there.

    Raises ConfigurationError of ``limits`` for a storage that nobody knows, when it is made.
    """

    def __init__(
        self,
        *,
        rates: Mapping[str, str],
        rest: str,
        name_of: Callable[[Request], str],
        storage_url: str,
        key_prefix: str,
        options: Mapping[str, Any],
    ) -> None:
        self._limiter = Limiter(
            key_func=_unused, strategy="fixed-window", storage_uri=storage_url, storage_options=dict(options)
        )
        self._name_of = name_of
        self._key_prefix = key_prefix
        self._by_path = {path: (path, parse(rate)) for path, rate in rates.items()}
        self._rest = ("rest", parse(rest))

    def refusal(self, request: Request) -> TooManyRequests | None:
        """Count ``request``; the refusal where it is one too many. Raises StorageError when it cannot be counted."""
        named: tuple[str, RateLimitItem] = self._by_path.get(request.scope["path"], self._rest)
        scope, rate = named
        if self._limiter.limiter.hit(rate, self._key_prefix, self._name_of(request), scope):
            return None
        return TooManyRequests("coarse limit", retry_after_seconds=rate.get_expiry())


def _unused() -> str:
    raise NotImplementedError("slowapi's decorators are not used")
