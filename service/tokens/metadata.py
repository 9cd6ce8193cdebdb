"""Metadata of the issuer (RFC 8414): only what works, so that no client tries what does not."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Self

MAX_AGE_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """The document as bytes; ``max_age_seconds`` is also how long the key set may be cached."""

    body: bytes
    etag: str
    max_age_seconds: int = MAX_AGE_SECONDS

    @classmethod
    def of(cls, *, issuer: str, publishes_revocations: bool = False) -> Self:
        """There is no authorization or token endpoint yet, hence no response and no grant type."""
        document: dict[str, object] = {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "response_types_supported": [],
            "grant_types_supported": [],
            "subject_types_supported": ["public"],
        }
        if publishes_revocations:
            document["keyturn_revocation_feed"] = f"{issuer}/v1/revocations"
        body = json.dumps(document, separators=(",", ":")).encode()
        return cls(body=body, etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"')
