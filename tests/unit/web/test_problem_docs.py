from __future__ import annotations

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from service import errors
from service.web.problem_docs import BODY, SCHEMA_NAME, install_schema, problem_responses


def test_each_status_has_an_example_for_each_of_its_codes():
    responses = problem_responses(errors.InvalidCredentials, 401, *BODY, errors.TooManyRequests, 503)
    assert set(responses) == {400, 401, 413, 415, 422, 429, 503}
    examples = responses[401]["content"]["application/problem+json"]["examples"]
    assert set(examples) == {"invalid_credentials", "missing_token", "invalid_token"}
    for name, example in examples.items():
        assert example["value"]["code"] == name
        assert example["value"]["status"] == 401
    assert responses[422]["content"]["application/problem+json"]["examples"]["invalid_fields"]["value"]["errors"]
    assert "Retry-After" in responses[429]["headers"]
    assert "headers" not in responses[413]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503])
def test_every_status_that_the_service_uses_is_known(status):
    assert list(problem_responses(status)) == [status]


def test_a_status_without_an_error_is_a_mistake_of_the_author():
    with pytest.raises(KeyError):
        problem_responses(418)


class Body(BaseModel):
    name: str


def test_openapi_shows_problems_and_none_of_the_frameworks_own():
    app = FastAPI()
    install_schema(app)

    @app.post("/a", responses=problem_responses(*BODY, 401))
    async def a(body: Body) -> None: ...

    @app.post("/b")
    async def b(body: Body) -> None: ...

    document = app.openapi()
    assert document == app.openapi()
    schemas = document["components"]["schemas"]
    assert SCHEMA_NAME in schemas
    assert not {"HTTPValidationError", "ValidationError"} & set(schemas)
    for path in ("/a", "/b"):
        assert list(document["paths"][path]["post"]["responses"]["422"]["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in str(document)
