"""One bounded GET: in time, in size, without redirects, cookies and compression. The library's one door to httpx."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

from keyturn.errors import IssuerFault

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    import httpx

_HEADERS: Final = {
    "Accept": "application/json, application/jwk-set+json",
    "Accept-Encoding": "identity",
    "User-Agent": "keyturn-guard",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """An answer as it came; ``headers`` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@cache
def default_ssl_context() -> ssl.SSLContext:
    """The one that httpx makes, made once: reading the certificates takes longer than a fetch."""
    import httpx

    return httpx.create_ssl_context()


class Fetcher(Protocol):
    """Gets documents of the issuer; one call at a time."""

    def prepare(self) -> None:
        """Load whatever ``get`` needs. A cold disk may take longer over it than an answer, which is not late for it.

        Raises:
            IssuerFault: it cannot be loaded.
        """
        ...

    def get(self, url: str, *, seconds: float, headers: Mapping[str, str] | None = None) -> Fetched:
        """The answer of ``url``, of whatever status, within ``seconds``.

        Raises:
            IssuerFault: none came, or not in time, or a larger one than allowed.
        """
        ...

    def close(self) -> None:
        """Let go of connections; ``get`` makes new ones."""
        ...


class HttpFetcher:
    """Fetches by httpx. The client is made at the first call, and again after a fork: two must not share a socket.

    Proxies and certificate files that the environment names are honoured, as everywhere in httpx.
    """

    def __init__(self, *, max_bytes: int, ssl_context: ssl.SSLContext | None = None) -> None:
        self._max_bytes = max_bytes
        self._ssl_context = ssl_context
        self._client: httpx.Client | None = None
        self._pid = 0

    def prepare(self) -> None:
        """Import httpx, read the certificates and make the client, unless that has been done."""
        self._own_client()

    def get(self, url: str, *, seconds: float, headers: Mapping[str, str] | None = None) -> Fetched:
        """The answer of ``url``; the bound on time holds for each wait and for the body as a whole."""
        import httpx

        client, deadline = self._own_client(), time.monotonic() + seconds
        try:
            asked = {**_HEADERS, **(headers or {})}
            with client.stream("GET", url, headers=asked, timeout=seconds) as response:
                body = self._body(response, deadline=deadline)
                return Fetched(status=response.status_code, headers=dict(response.headers), body=body)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # Messages of the network name hosts and paths, and no secrets; still only the kind goes on.
            raise IssuerFault(f"no answer: {type(error).__name__}") from None

    def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _own_client(self) -> httpx.Client:
        from http.cookiejar import CookieJar, DefaultCookiePolicy

        import httpx

        if self._client is None or self._pid != os.getpid():
            no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
            try:
                verify = self._ssl_context or default_ssl_context()
                self._client = httpx.Client(verify=verify, cookies=no_cookies, follow_redirects=False)
            except (OSError, ValueError, httpx.InvalidURL) as error:
                # SSL_CERT_FILE or a proxy that the environment names is not there, or is none.
                raise IssuerFault(f"no certificates, or a bad proxy: {type(error).__name__}") from None
            self._pid = os.getpid()
        return self._client

    def _body(self, response: httpx.Response, *, deadline: float) -> bytes:
        if "content-encoding" in response.headers:
            raise IssuerFault("the answer is compressed, which was not asked for")
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > self._max_bytes:
                raise IssuerFault("the answer is too large")
            if time.monotonic() > deadline:
                raise IssuerFault("the answer takes too long")
        return bytes(body)
