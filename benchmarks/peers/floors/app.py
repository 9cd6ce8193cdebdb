"""What is underneath: FastAPI and Starlette with nothing of ours, and a route with our guard and nothing else."""

import os
from typing import Annotated

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from keyturn import KeySet, Principal, Verifier
from keyturn.fastapi import Guard

JWKS = os.environ["BENCH_JWKS"].encode()
hello = FastAPI(openapi_url=None)


@hello.get("/hello")
async def say_hello() -> dict[str, str]:
    return {"hello": "world"}


async def static_bytes(_request: object) -> Response:
    return Response(JWKS, media_type="application/json")


static = Starlette(routes=[Route("/static", static_bytes)])


def guarded() -> FastAPI:
    import json

    app = FastAPI(openapi_url=None)
    verifier = Verifier(os.environ["BENCH_ISSUER"], os.environ["BENCH_ISSUER"], keys=KeySet.from_jwks(json.loads(JWKS)))
    guard = Guard(verifier)

    @app.get("/me")
    async def me(caller: Annotated[Principal, guard.signed_in]) -> dict[str, str]:
        return {"subject": caller.subject}

    return app


async def app(scope, receive, send):  # type: ignore[no-untyped-def]
    """One process for all floors: which one is the path's first word."""
    if scope["type"] == "lifespan":
        await hello(scope, receive, send)
    elif scope["path"] == "/static":
        await static(scope, receive, send)
    elif scope["path"] == "/me":
        await GUARDED(scope, receive, send)
    else:
        await hello(scope, receive, send)


GUARDED = guarded()
