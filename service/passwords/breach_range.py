"""The range API of Have I Been Pwned: five hexadecimal digits leave, and hundreds of suffixes come back.

``GET {base}/range/{first 5 digits of SHA-1}`` answers lines ``SUFFIX:COUNT``. With ``Add-Padding: true`` there are as
many lines for every prefix, those of padding with a count of 0, so that the length of an encrypted answer tells
nothing. Which of the suffixes is ours is looked up here.

Answers are not kept: a prefix is asked for twice by chance only, the commonest passwords are caught by the embedded
list before, and a store of recent prefixes is a store of hints at recent passwords.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

import httpx
import structlog

from service.passwords.breach import BASE_URL, Breach
from service.passwords.policy import normalise

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from service.kernel.clock import Clock
    from service.kernel.secret import Secret

_PREFIX_LENGTH = 5
_TOTAL_SECONDS = 1.5
_STEP_SECONDS = 1.0
_MAX_ANSWER_BYTES = 256 * 1024
_CONNECTIONS = 16
_FAILURES_BEFORE_REST = 3
_REST_SECONDS = 30.0
_HEADERS = {
    "Accept": "text/plain",
    # Not compressed: the bound on bytes then holds for what is read into memory.
    "Accept-Encoding": "identity",
    "Add-Padding": "true",
    "User-Agent": "keyturn",
}
_ANSWER = re.compile(rb"(?:[0-9A-F]{35}:[0-9]{1,12}(?:\r?\n|\Z))+", re.ASCII)

_log = structlog.get_logger("keyturn.passwords")


class _NoAnswerError(Exception):
    """Why the service gave no answer that counts; the reason is a constant of ours."""


@dataclass
class _Breaker:
    """After a few failures in a row the service is left alone for a while, so that nobody waits for it."""

    clock: Clock
    failures: int = 0
    rests_until_seconds: float = 0.0

    def is_resting(self) -> bool:
        return self.clock.monotonic_seconds() < self.rests_until_seconds

    def failed(self) -> None:
        self.failures += 1
        if self.failures >= _FAILURES_BEFORE_REST:
            self.failures = 0
            self.rests_until_seconds = self.clock.monotonic_seconds() + _REST_SECONDS

    def answered(self) -> None:
        self.failures = 0


@asynccontextmanager
async def open_range_client() -> AsyncIterator[httpx.AsyncClient]:
    """The client for ``RangeBreachList``: few connections, short waits, no redirects, and no cookie ever kept."""
    # Reading the authorities' certificates takes a while, and this is done while requests are served.
    trusted = await asyncio.to_thread(httpx.create_ssl_context)
    async with httpx.AsyncClient(
        verify=trusted,
        timeout=_STEP_SECONDS,
        limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS // 2),
        follow_redirects=False,
        # A cookie would tie one person's request to another's.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    ) as client:
        yield client


@dataclass(frozen=True, kw_only=True)
class RangeBreachList:
    """Asks the service at ``base_url`` (no slash at its end); ``count`` hears the outcome of each question.

    Outcomes are ``listed``, ``clean``, ``away`` (asked in vain) and ``resting`` (not asked after failures).
    """

    client: httpx.AsyncClient
    clock: Clock
    count: Callable[[str], None]
    base_url: str = BASE_URL
    _breaker: _Breaker = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_breaker", _Breaker(self.clock))

    async def contains(self, password: Secret[str]) -> Breach:
        """Whether the service knows ``password``; UNKNOWN when it is away, within about a second and a half."""
        octets = normalise(password)
        if octets is None:
            return Breach.UNKNOWN
        if self._breaker.is_resting():
            self.count("resting")
            return Breach.UNKNOWN
        digest = hashlib.sha1(octets, usedforsecurity=False).hexdigest().upper()
        try:
            answer = await self._ask(digest[:_PREFIX_LENGTH])
        except _NoAnswerError as error:
            self._breaker.failed()
            self.count("away")
            _log.warning("breach_service_away", reason=str(error))
            return Breach.UNKNOWN
        self._breaker.answered()
        found = Breach.LISTED if _count_of(digest[_PREFIX_LENGTH:], answer) else Breach.CLEAN
        self.count(found.value)
        return found

    async def _ask(self, prefix: str) -> bytes:
        """The service's answer, well-formed. Raises _NoAnswerError."""
        try:
            async with asyncio.timeout(_TOTAL_SECONDS):
                answer = await self._fetch(prefix)
        except TimeoutError:
            raise _NoAnswerError("it took too long") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise _NoAnswerError(type(error).__name__) from None
        if not _ANSWER.fullmatch(answer):
            raise _NoAnswerError("the answer is not a list of suffixes")
        return answer

    async def _fetch(self, prefix: str) -> bytes:
        url = f"{self.base_url}/range/{prefix}"
        answer = bytearray()
        async with self.client.stream("GET", url, headers=_HEADERS, follow_redirects=False) as response:
            if response.status_code != httpx.codes.OK:
                raise _NoAnswerError(f"status {response.status_code}")
            async for chunk in response.aiter_raw():
                answer += chunk
                if len(answer) > _MAX_ANSWER_BYTES:
                    raise _NoAnswerError("the answer is too large")
        return bytes(answer)


def _count_of(suffix: str, answer: bytes) -> int:
    """How often the password with ``suffix`` was seen; 0 for one that is not listed, and for padding."""
    for line in answer.splitlines():
        listed, _, count = line.partition(b":")
        if listed == suffix.encode():
            return int(count)
    return 0
