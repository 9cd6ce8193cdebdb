"""One set of tables for all tests of a process: each uses names of its own. What is answered must be documented."""

from __future__ import annotations

import re

import pytest

from service.cli.openapi import _document as openapi_document
from tests.support.accounts import make_person
from tests.support.operator import keyturn
from tests.support.people import sign_in
from tests.support.shared import shared_prefix, templates_are_compiled_once

__all__ = ["keyturn", "shared_prefix", "templates_are_compiled_once"]

# The edge answers these before a route is known, or for any route alike.
_OF_THE_EDGE = {404, 405, 413, 431, 500}


@pytest.fixture
def environ(environ, shared_prefix):
    """The service's variables, on the shared tables."""
    return {**environ, "KEYTURN_TABLE_PREFIX": shared_prefix}


@pytest.fixture(scope="session")
def observed():
    """Every problem that a test has seen, as ``(method, path, status, code)``; at the end all must be documented."""
    seen = set()
    yield seen
    document = openapi_document()
    undocumented = sorted(one for one in seen if not _is_documented(document, *one))
    assert not undocumented, f"openapi.yaml does not list: {undocumented}"


def _is_documented(document, method, path, status, code):
    for template, operations in document["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) and method.lower() in operations:
            responses = operations[method.lower()]["responses"]
            examples = responses.get(str(status), {}).get("content", {}).get("application/problem+json", {})
            return code in examples.get("examples", {}) or status in _OF_THE_EDGE
    return status in _OF_THE_EDGE


@pytest.fixture
def watch(observed):
    """Lets a client's problems be recorded."""

    async def record(response):
        if response.headers.get("content-type") == "application/problem+json" and response.request.method != "HEAD":
            await response.aread()
            body = response.json()
            observed.add((response.request.method, response.request.url.path, body["status"], body["code"]))

    def attach(client):
        client.event_hooks["response"].append(record)
        return client

    return attach


@pytest.fixture
async def client(settings, open_app, watch):
    """A client of the service on the shared tables."""
    async with open_app(settings) as client:
        yield watch(client)


@pytest.fixture
async def ada(client):
    """Somebody with an account."""
    return await make_person(client)


@pytest.fixture
async def tokens(client, ada):
    """Ada's tokens of one device."""
    return await sign_in(client, ada.email)
