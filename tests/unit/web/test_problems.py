from __future__ import annotations

import json

import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from service import errors
from service.web.problems import install, response_for


def body_of(response):
    return json.loads(response.body)


ALL = [
    errors.BadRequest("d"),
    errors.InvalidCredentials(),
    errors.InvalidGrant(),
    errors.Unauthenticated(presented=False),
    errors.StepUpRequired(max_age_seconds=5),
    errors.InsufficientScope(scope="users:read"),
    errors.CrossSite(),
    errors.NotFound(),
    errors.Conflict(),
    errors.PayloadTooLarge(),
    errors.UnsupportedMediaType(),
    errors.Invalid(errors.FieldError(field="a", code="missing", message="m")),
    errors.TooManyRequests(retry_after_seconds=3),
    errors.Unavailable("the table is away"),
]


@pytest.mark.parametrize("error", ALL, ids=lambda e: type(e).__name__)
def test_each_error_of_the_tree_is_a_problem_that_is_not_cached(error):
    response = response_for(error)
    body = body_of(response)
    assert response.status_code == body["status"] == error.status
    assert body["type"] == f"urn:keyturn:problem:{error.code}"
    assert (body["code"], body["title"]) == (error.code, error.title)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    for name, value in error.headers().items():
        assert response.headers[name] == value


def test_the_detail_for_the_log_stays_out_of_the_answer():
    assert b"table" not in response_for(errors.Unavailable("the table is away")).body


def test_refused_fields_are_listed():
    error = errors.Invalid(errors.FieldError(field="a", code="missing", message="m"))
    assert body_of(response_for(error))["errors"] == [{"field": "a", "code": "missing", "message": "m"}]


def test_every_401_names_a_scheme():
    assert response_for(errors.InvalidCredentials()).headers["www-authenticate"] == 'Bearer realm="keyturn"'
    assert "error=" in response_for(errors.Unauthenticated(presented=True)).headers["www-authenticate"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_request"),
        (401, "missing_token"),
        (403, "forbidden"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (406, "invalid_request"),
        (413, "payload_too_large"),
        (415, "unsupported_media_type"),
        (429, "too_many_requests"),
        (500, "internal_error"),
        (502, "internal_error"),
        (503, "unavailable"),
    ],
)
def test_the_frameworks_refusals_get_our_codes_and_lose_their_detail(status, code):
    response = response_for(HTTPException(status, detail="hunter2", headers={"Allow": "GET"}))
    assert body_of(response)["code"] == code
    assert response.status_code == status
    assert response.headers["allow"] == "GET"
    assert b"hunter2" not in response.body


def test_an_answer_that_is_no_error_keeps_its_status_and_has_no_body():
    response = response_for(HTTPException(304, headers={"ETag": '"x"'}))
    assert (response.status_code, response.body, response.headers["etag"]) == (304, b"", '"x"')


def test_a_header_of_the_exception_cannot_change_the_media_type():
    response = response_for(HTTPException(400, headers={"Content-Type": "text/html", "Cache-Control": "public"}))
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"


def test_an_unforeseen_exception_is_a_500_that_says_nothing():
    response = response_for(RuntimeError("hunter2"))
    assert response.status_code == 500
    assert body_of(response)["code"] == "internal_error"
    assert b"hunter2" not in response.body


def test_a_client_that_left_is_not_a_fault_of_ours():
    assert response_for(ClientDisconnect()).status_code == 400


def test_a_validation_error_is_422_without_its_input():
    error = RequestValidationError(
        [{"type": "missing", "loc": ("body", "email"), "msg": "hunter2", "input": "hunter2"}]
    )
    response = response_for(error)
    assert response.status_code == 422
    assert body_of(response)["errors"][0]["field"] == "email"
    assert b"hunter2" not in response.body


def test_install_registers_the_root_of_each_tree():
    app = FastAPI()
    install(app)
    for kind in (errors.KeyturnError, RequestValidationError, HTTPException, Exception):
        assert kind in app.exception_handlers
