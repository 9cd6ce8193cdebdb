"""slowapi, behind its one door: a rate for each path, and the refusal of a network that has used it up.

slowapi's decorators would stand on our routes and change their signatures, and its middleware counts by path, of which
a client may invent as many as it likes. So each rule is a small function that slowapi guards. Its own fallback for a
storage that is away is not used: where two requests find it away at once, the second is answered with an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.responses import Response

from service.errors import TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
        limiter = Limiter(
            key_func=_by_request(name_of),
            strategy="fixed-window",
            storage_uri=storage_url,
            storage_options=dict(options),
            key_prefix=key_prefix,
        )
        # slowapi reads variables RATELIMIT_... and a file .env, neither of which are settings of ours.
        limiter.enabled = True
        limiter._swallow_errors = False  # noqa: SLF001 - with it, a storage that is away would let everything pass
        # Its warning carries whose count it is, at the pace of the attack.
        limiter.logger.setLevel("ERROR")
        self._by_path = {path: _passage(limiter, path, rate) for path, rate in rates.items()}
        self._rest = _passage(limiter, "rest", rest)

    def refusal(self, request: Request) -> TooManyRequests | None:
        """Count ``request``; the refusal where it is one too many. Raises StorageError when it cannot be counted."""
        passage = self._by_path.get(request.scope["path"], self._rest)
        try:
            passage(request)
        except RateLimitExceeded as exceeded:
            window_seconds = 60 if exceeded.limit is None else exceeded.limit.limit.get_expiry()
            return TooManyRequests("coarse limit", retry_after_seconds=window_seconds)
        return None


def _by_request(name_of: Callable[[Request], str]) -> Callable[[Request], str]:
    # slowapi hands the request over only to a parameter of this name.
    def key(request: Request) -> str:
        return name_of(request)

    return key


def _passage(limiter: Limiter, name: str, rate: str) -> Callable[[Request], Response]:
    def passage(request: Request) -> Response:  # noqa: ARG001
        return Response()

    # slowapi keeps limits by a function's name: two of one name would share theirs.
    passage.__name__ = name
    guarded: Callable[[Request], Response] = limiter.shared_limit(rate, scope=name)(passage)
    return guarded
