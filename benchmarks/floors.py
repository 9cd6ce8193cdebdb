"""What the frameworks cost with nothing of ours: the floors that ``hot_path`` compares with."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

fastapi_hello = FastAPI(openapi_url=None)
JWKS = b'{"keys":[{"kty":"EC","crv":"P-256","x":"%b","y":"%b","kid":"%b","use":"sig","alg":"ES256"}]}' % (
    b"x" * 43,
    b"y" * 43,
    b"k" * 22,
)


@fastapi_hello.get("/")
async def hello() -> dict[str, str]:
    return {"hello": "world"}


async def _jwks(_request: object) -> Response:
    return Response(JWKS, media_type="application/json")


starlette_bytes = Starlette(routes=[Route("/", _jwks)])
