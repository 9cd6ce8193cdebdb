"""Signature Version 4 for the one kind of request that DynamoDB's data plane knows: ``POST /`` with a JSON body.

What changes once a day (the signing key) and once a second (the time stamp) is kept. The signatures are those of
botocore's own signer, byte for byte; a test draws requests and compares them.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol

from botocore.exceptions import CredentialRetrievalError

_SERVICE = "dynamodb"
_CONTENT_TYPE = "application/x-amz-json-1.0"
_TOKEN = "x-amz-security-token"  # noqa: S105 - a header's name
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)


class Credentials(Protocol):
    """Keys of one moment, as botocore freezes them; ``token`` is None for keys that do not expire."""

    @property
    def access_key(self) -> str | None:
        """The public part."""
        ...

    @property
    def secret_key(self) -> str | None:
        """What signs."""
        ...

    @property
    def token(self) -> str | None:
        """The session token."""
        ...


Keys = tuple[str | None, str | None, str | None]


@dataclass(frozen=True, kw_only=True)
class _Day:
    """What keys sign with on one day (UTC)."""

    keys: Keys
    day: str
    signing_key: bytes
    scope: str
    canonical_token: str
    token_header: str
    signed_headers: str


class Signer:
    """Makes the heads of requests to one host in one region."""

    def __init__(self, *, host: str, region: str) -> None:
        self._host = host
        self._region = region
        self._second = -1
        self._stamp = ""
        self._day: _Day | None = None

    def head(self, target: str, body: bytes, *, credentials: Credentials, now_ms: int) -> bytes:
        """The signed head of a request. Raises CredentialRetrievalError for keys that no header can carry."""
        stamp = self._stamp_of(now_ms // 1000)
        day = self._day_of((credentials.access_key, credentials.secret_key, credentials.token), stamp[:8])
        canonical = (
            f"POST\n/\n\ncontent-type:{_CONTENT_TYPE}\nhost:{self._host}\nx-amz-date:{stamp}\n{day.canonical_token}"
            f"x-amz-target:{target}\n\n{day.signed_headers}\n{sha256(body).hexdigest()}"
        )
        to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{day.scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(day.signing_key, to_sign.encode(), "sha256").hex()
        return (
            f"POST / HTTP/1.1\r\nhost: {self._host}\r\ncontent-type: {_CONTENT_TYPE}\r\nx-amz-date: {stamp}\r\n"
            f"{day.token_header}x-amz-target: {target}\r\n"
            f"authorization: AWS4-HMAC-SHA256 Credential={day.keys[0]}/{day.scope}, "
            f"SignedHeaders={day.signed_headers}, Signature={signature}\r\n"
            f"user-agent: keyturn\r\naccept-encoding: identity\r\ncontent-length: {len(body)}\r\n\r\n"
        ).encode("ascii")

    def _stamp_of(self, second: int) -> str:
        if second != self._second:
            self._stamp = datetime.fromtimestamp(second, tz=UTC).strftime("%Y%m%dT%H%M%SZ")
            self._second = second
        return self._stamp

    def _day_of(self, keys: Keys, day: str) -> _Day:
        known = self._day
        if known is None or known.day != day or known.keys != keys:
            known = self._day = _make_day(keys, day, self._region)
        return known


def _make_day(keys: Keys, day: str, region: str) -> _Day:
    access_key, secret_key, token = keys
    if not (_PRINTABLE.fullmatch(access_key or "") and secret_key and (token is None or _PRINTABLE.fullmatch(token))):
        # A line break in a variable would end the header and begin another.
        raise CredentialRetrievalError(provider="environment", error_msg="a key is empty or not printable ASCII")
    signing_key = f"AWS4{secret_key}".encode()
    for part in (day, region, _SERVICE, "aws4_request"):
        signing_key = hmac.digest(signing_key, part.encode(), "sha256")
    return _Day(
        keys=keys,
        day=day,
        signing_key=signing_key,
        scope=f"{day}/{region}/{_SERVICE}/aws4_request",
        canonical_token="" if token is None else f"{_TOKEN}:{token}\n",
        token_header="" if token is None else f"{_TOKEN}: {token}\r\n",
        signed_headers=f"content-type;host;x-amz-date;{'' if token is None else _TOKEN + ';'}x-amz-target",
    )
