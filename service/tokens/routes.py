"""The public documents: key set and metadata. Bytes made once, cacheable by anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Response

from service.tokens.keyring import KeyRing
from service.tokens.metadata import Metadata
from service.web.problem_docs import problem_responses
from service.web.provide import provided
from service.web.strict_route import StrictRoute

JWKS_PATH = "/.well-known/jwks.json"
OAUTH_METADATA_PATH = "/.well-known/oauth-authorization-server"
OPENID_METADATA_PATH = "/.well-known/openid-configuration"
PUBLIC_PATHS = frozenset({JWKS_PATH, OAUTH_METADATA_PATH, OPENID_METADATA_PATH})

router = APIRouter(route_class=StrictRoute, tags=["discovery"])


@dataclass(frozen=True, kw_only=True)
class Document:
    """A public document and how long it may be kept."""

    body: bytes
    etag: str
    max_age_seconds: int

    def answer(self, known: str | None) -> Response:
        """The document, or that ``known``, which a client sent as If-None-Match, still holds."""
        headers = {"Cache-Control": f"public, max-age={self.max_age_seconds}", "ETag": self.etag}
        if known is not None and self.etag in known:
            return Response(status_code=304, headers=headers)
        return Response(self.body, headers=headers, media_type="application/json")


KnownEtag = Annotated[str | None, Header(alias="If-None-Match", description="The ETag of the answer that is known.")]


def _example(value: object) -> dict[int | str, dict[str, object]]:
    headers = {name: {"schema": {"type": "string"}} for name in ("Cache-Control", "ETag")}
    return {
        200: {"content": {"application/json": {"schema": {"type": "object"}, "example": value}}, "headers": headers},
        304: {"description": "What is known is still right.", "headers": headers},
    }


@router.get(
    JWKS_PATH,
    responses={
        **_example({"keys": [{"kty": "EC", "crv": "P-256", "kid": "…", "alg": "ES256", "use": "sig"}]}),
        **problem_responses(503),
    },
    summary="The keys that verify access tokens (RFC 7517)",
)
async def jwks(
    keyring: Annotated[KeyRing, provided(KeyRing)],
    metadata: Annotated[Metadata, provided(Metadata)],
    known: KnownEtag = None,
) -> Response:
    """Keys appear here before they sign, and stay until the last token that they signed has expired."""
    current = await keyring.jwks()
    return Document(body=current.body, etag=current.etag, max_age_seconds=metadata.max_age_seconds).answer(known)


@router.get(
    OAUTH_METADATA_PATH,
    responses=_example({"issuer": "https://auth.example.com"}),
    summary="Authorization server metadata (RFC 8414)",
)
async def oauth_metadata(metadata: Annotated[Metadata, provided(Metadata)], known: KnownEtag = None) -> Response:
    """Lists only what works."""
    return _metadata(known, metadata)


@router.get(
    OPENID_METADATA_PATH,
    responses=_example({"issuer": "https://auth.example.com"}),
    summary="The same metadata where OpenID clients look for it",
)
async def openid_metadata(metadata: Annotated[Metadata, provided(Metadata)], known: KnownEtag = None) -> Response:
    """Lists only what works."""
    return _metadata(known, metadata)


def _metadata(known: str | None, metadata: Metadata) -> Response:
    document = Document(body=metadata.body, etag=metadata.etag, max_age_seconds=metadata.max_age_seconds)
    return document.answer(known)
