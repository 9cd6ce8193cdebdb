"""Claims by type: met when a route is called, and out of FastAPI's sight."""

from __future__ import annotations

import inspect
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response

from service.web.provide import Services, bound, provided
from service.web.strict_route import StrictRoute


class Flow:
    word = "flow"


class Other:
    word = "other"


TheFlow = Annotated[Flow, provided(Flow)]


async def guard(request: Request) -> str:
    return request.method


async def route(
    flow: TheFlow,
    other: Annotated[Other, provided(Other)],
    response: Response,
    method: Annotated[str, Depends(guard)],
    say: str = "nothing",
) -> list[str]:
    """What FastAPI documents."""
    response.headers["X-Seen"] = "1"
    return [flow.word, other.word, method, say]


async def asks_for_the_request(request: Request, flow: TheFlow) -> list[str]:
    return [request.url.path, flow.word]


def make_app(*instances):
    router = APIRouter(route_class=StrictRoute)
    router.get("/a")(route)
    router.get("/b")(asks_for_the_request)
    app = FastAPI()
    app.include_router(router)
    app.state.services = Services(*instances)
    return app


async def get(app, path):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        return await client.get(path)


async def test_a_route_gets_what_it_claims_beside_what_fastapi_gives():
    answer = await get(make_app(Flow(), Other()), "/a?say=hello")
    assert (answer.json(), answer.headers["x-seen"]) == (["flow", "other", "GET", "hello"], "1")


async def test_a_route_that_asks_for_the_request_has_it():
    assert (await get(make_app(Flow()), "/b")).json() == ["/b", "flow"]


async def test_a_claim_that_nobody_built_is_an_error_and_no_default():
    with pytest.raises(KeyError):
        await get(make_app(Flow()), "/a")


def test_fastapi_sees_no_claims():
    router = APIRouter(route_class=StrictRoute)
    router.get("/a")(route)
    (only,) = router.routes
    assert [one.name for one in only.dependant.dependencies] == ["method"]
    assert only.description == "What FastAPI documents."


def test_what_claims_nothing_is_left_as_it_is():
    assert bound(guard) is guard
    assert list(inspect.signature(bound(asks_for_the_request)).parameters) == ["request"]


@bound
async def claims(flow: TheFlow) -> str:
    return flow.word


async def test_a_guard_may_claim_too():
    app = FastAPI()
    app.state.services = Services(Flow())

    @app.get("/")
    async def home(word: Annotated[str, Depends(claims)]) -> str:
        return word

    assert (await get(app, "/")).json() == "flow"
