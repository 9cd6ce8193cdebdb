"""A process that starts, answers one request and ends; it prints the CPU seconds of each step as JSON.

``python -m benchmarks.first_request keyturn`` with Keyturn's settings, or ``floor``: FastAPI with aioboto3's client.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from fastapi import FastAPI


def main() -> None:
    """Run, and print the steps; each is the CPU time since the one before."""
    steps = {"python": time.process_time()}
    if sys.argv[1] == "keyturn":
        app, path = _keyturn(), "/readyz"
    else:
        app, path = _floor(), "/"
    steps["import"] = time.process_time()
    asyncio.run(_serve(app, path, steps))
    ends = list(steps.values())
    spent = dict(zip(steps, [ends[0], *(after - before for before, after in itertools.pairwise(ends))], strict=True))
    sys.stdout.write(json.dumps({**spent, "modules": len(sys.modules)}) + "\n")


def _keyturn() -> FastAPI:
    """What ``keyturn serve`` imports."""
    from importlib import import_module

    from service.kernel.collector import without_collecting

    with without_collecting():
        import_module("service.cli.main")
        import_module("service.cli.server")
    return import_module("service.workers").worker_app()  # type: ignore[no-any-return]


def _floor() -> FastAPI:
    from contextlib import asynccontextmanager

    import aioboto3
    import uvicorn
    from fastapi import FastAPI

    @asynccontextmanager
    async def lifespan(_app: FastAPI):  # type: ignore[no-untyped-def]  # noqa: ANN202
        async with aioboto3.Session().client("dynamodb"):
            yield

    app = FastAPI(openapi_url=None, lifespan=lifespan)
    uvicorn.Config(app)

    @app.get("/")
    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    return app


async def _serve(app: FastAPI, path: str, steps: dict[str, float]) -> None:
    opening: AbstractAsyncContextManager[Any] = app.router.lifespan_context(app)
    async with opening:
        steps["open"] = time.process_time()
        status = await _ask(app, path)
        if status != 200:  # noqa: PLR2004
            raise SystemExit(f"{path}: {status}")
        steps["first request"] = time.process_time()


async def _ask(app: FastAPI, path: str) -> int:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 8000),
    }
    said: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        said.extend([message["status"]] if "status" in message else [])

    await app(scope, receive, send)
    return said[0]


if __name__ == "__main__":
    main()
