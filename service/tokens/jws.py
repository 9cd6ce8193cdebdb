"""Signing: claims in, a compact JWS out. The service's one door to PyJWT.

PyJWT's algorithm signs. What stands around the signature is put together here: the header of a key is always the same,
and the claims are ours, so neither is looked at again for each token.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

import jwt
import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.tokens.snapshot import Signer

_HEADERS = 64


def sign(claims: Mapping[str, object], *, signer: Signer, typ: str) -> str:
    """``claims`` signed by ``signer``; ``typ`` says what it is, so that no kind passes for another (RFC 8725 3.11)."""
    algorithm = signer.algorithm.value
    signed = _header(algorithm, signer.kid, typ) + b"." + _base64url(orjson.dumps(claims))
    signature = jwt.get_algorithm_by_name(algorithm).sign(signed, signer.key)
    return (signed + b"." + _base64url(signature)).decode("ascii")


@lru_cache(maxsize=_HEADERS)
def _header(algorithm: str, kid: str, typ: str) -> bytes:
    return _base64url(orjson.dumps({"alg": algorithm, "kid": kid, "typ": typ}))


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
