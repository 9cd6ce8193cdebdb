"""One question to the revocation feed, and what came of it: asked with the feed's key, verified with the issuer's."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from keyturn.errors import GuardError, IssuerFault
from keyturn.http import Fetched, Fetcher, HttpFetcher
from keyturn.issuer_keys import IssuerKeys
from keyturn.issuer_url import check_issuer
from keyturn.revocation_statement import MAX_CHARACTERS, MEDIA_TYPE, Statement, parse_statement, read_statement
from keyturn.waiting import drive

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from keyturn.keys import VerifyingKey
    from keyturn.ports import Clock

PATH: Final = "/v1/revocations"
_KEY_BYTES: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A statement, and the tag by which the feed knows what it has told."""

    statement: Statement
    etag: str


class NoPage(Enum):
    """Why there is no statement, though nothing is wrong."""

    NOTHING_NEW = auto()
    UNKNOWN_CURSOR = auto()
    """It is not the issuer's any more: begin anew."""


class FeedReader:
    """Reads the feed of ``issuer`` at ``url``, or below the issuer's address.

    Raises:
        ValueError: ``key`` is not the base64 of 32 bytes, or an address is not secure: the key is sent there.
    """

    def __init__(
        self,
        issuer: str,
        *,
        key: str,
        keys: Mapping[str, VerifyingKey] | IssuerKeys | None,
        url: str | None,
        ssl_context: ssl.SSLContext | None,
        fetcher: Fetcher | None,
        clock: Clock,
    ) -> None:
        self._issuer = check_issuer(issuer)
        self._url = check_issuer(url or issuer.rstrip("/") + PATH)
        self._authorization = f"Bearer {_checked_key(key)}"
        self._keys = keys
        self._owned: IssuerKeys | None = None
        self._ssl_context = ssl_context
        self._fetcher = fetcher or HttpFetcher(max_bytes=MAX_CHARACTERS, ssl_context=ssl_context)
        self._clock = clock

    def prepare(self) -> None:
        """Load whatever reading needs, outside of any bound on time."""
        self._fetcher.prepare()

    def offer_keys(self, keys: Mapping[str, VerifyingKey] | IssuerKeys, *, issuer: str) -> None:
        """Verify with these, where none were given and they are of the same issuer."""
        if self._keys is None and issuer == self._issuer:
            self._keys = keys

    def read(self, cursor: str, *, etag: str, seconds: float, earliest: int) -> Page | NoPage:
        """What came after ``cursor``, asked for within ``seconds``; a statement is no older than ``earliest``.

        Raises:
            IssuerFault: there is no answer, or one that is not the issuer's to this question.
        """
        headers = {"Authorization": self._authorization, "Accept": MEDIA_TYPE}
        if etag:
            headers["If-None-Match"] = etag
        url = f"{self._url}?cursor={quote(cursor)}" if cursor else self._url
        fetched = self._fetcher.get(url, seconds=seconds, headers=headers)
        if fetched.status == HTTPStatus.BAD_REQUEST and cursor:
            return NoPage.UNKNOWN_CURSOR
        if fetched.status == HTTPStatus.NOT_MODIFIED and etag:
            return NoPage.NOTHING_NEW
        _check_answer(fetched)
        unverified = parse_statement(fetched.body.decode("ascii", "replace"))
        statement = read_statement(
            unverified,
            key=self._key(unverified.kid, seconds=seconds),
            expected_issuer=self._issuer,
            expected_cursor=cursor,
            earliest=earliest,
        )
        return Page(statement=statement, etag=fetched.headers.get("etag", ""))

    def close(self) -> None:
        """Let go of connections."""
        self._fetcher.close()
        if self._owned is not None:
            self._owned.close()

    def _key(self, kid: str, *, seconds: float) -> VerifyingKey:
        source = self._keys
        if source is None:
            source = self._keys = self._owned = IssuerKeys(
                self._issuer, ssl_context=self._ssl_context, clock=self._clock
            )
        try:
            keys = drive(source.holding(kid), seconds=seconds) if isinstance(source, IssuerKeys) else source
        except GuardError as fault:
            raise IssuerFault(f"the statement's key is not to be had: {fault.code}") from None
        if kid not in keys:
            raise IssuerFault("the statement's key is unknown")
        return keys[kid]


def _check_answer(fetched: Fetched) -> None:
    match fetched.status:
        case HTTPStatus.OK:
            if fetched.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
                raise IssuerFault("the answer is no statement by its media type")
        case HTTPStatus.UNAUTHORIZED:
            raise IssuerFault("the feed key is not accepted: see KEYTURN_REVOCATION_FEED_KEYS of the issuer")
        case HTTPStatus.NOT_FOUND:
            raise IssuerFault("the issuer has no revocation feed: it is on while it has KEYTURN_REVOCATION_FEED_KEYS")
        case _:
            raise IssuerFault(f"the answer has status {fetched.status}")


def _checked_key(key: str) -> str:
    try:
        raw = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise ValueError("key is not the base64 of 32 bytes (a feed key without its number)")
    return key
