"""Signing: claims in, a compact JWS out. The service's one door to PyJWT."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.tokens.snapshot import Signer


def sign(claims: Mapping[str, object], *, signer: Signer, typ: str) -> str:
    """``claims`` signed by ``signer``; ``typ`` says what it is, so that no kind passes for another (RFC 8725 3.11)."""
    headers = {"typ": typ, "kid": signer.kid}
    return jwt.encode(dict(claims), signer.key, algorithm=signer.algorithm.value, headers=headers)
