"""The table of known paths answers as FastAPI's own search does, and only sooner."""

from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Request

from service.app import ROUTERS
from service.web.direct_routes import DirectRoutes, _table


def make_routers():
    first, second = APIRouter(prefix="/v1"), APIRouter(prefix="/v1")

    @first.get("/things/{name}")
    async def thing(name: str) -> dict[str, str]:
        return {"thing": name}

    @second.get("/known")
    async def known(request: Request, say: Annotated[str, Query()] = "") -> dict[str, str]:
        return {"route": request.scope["route"].path, "params": str(request.path_params), "say": say}

    @second.post("/known", status_code=201)
    async def make() -> None:
        return None

    return first, second


def make_app(*, direct):
    routers = make_routers()
    app = FastAPI()
    for router in routers:
        app.include_router(router)
    if direct:
        app.router.middleware_stack = DirectRoutes(app.router.middleware_stack, routers)
    return app


async def ask(app, method, path):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        answer = await client.request(method, path)
        return answer.status_code, answer.text, {**answer.headers}


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    ["/v1/known", "/v1/known?say=a", "/v1/known/", "/v1/KNOWN", "/v1/things/a", "/v1/things/", "/", "//v1/known"],
)
async def test_answers_are_the_same_with_and_without_the_table(method, path):
    assert await ask(make_app(direct=True), method, path) == await ask(make_app(direct=False), method, path)


async def test_a_known_path_is_not_searched_for(monkeypatch):
    app = make_app(direct=True)
    app.router.routes.clear()
    assert (await ask(app, "GET", "/v1/known"))[0] == 200
    assert (await ask(app, "GET", "/v1/things/a"))[0] == 404


def test_a_path_that_two_routes_would_answer_is_refused():
    first, second = make_routers()

    @first.get("/{anything}")
    async def anything(anything: str) -> None:
        return None

    with pytest.raises(ValueError, match="GET /v1/known"):
        DirectRoutes(None, (first, second))


def test_every_path_of_the_service_without_a_parameter_is_in_the_table():
    routes = [route for router in ROUTERS for route in router.routes]
    plain = {(method, route.path) for route in routes for method in route.methods if "{" not in route.path}
    assert set(_table(routes)) == plain
    assert ("POST", "/v1/refresh") in plain
