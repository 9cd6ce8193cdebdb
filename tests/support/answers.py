"""What an answer of the API must look like, in few words."""

from __future__ import annotations

import re

_REQUEST_ID = re.compile(r"[0-9a-f]{32}")


def is_problem(response, status, code, *, fields=None):
    """An RFC 9457 problem of ours and no member more; ``fields`` are its ``(field, code)`` pairs."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert _REQUEST_ID.fullmatch(response.headers["x-request-id"])
    body = response.json()
    assert set(body) - {"errors"} == {"type", "title", "status", "code"}
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:keyturn:problem:{code}"
    assert ("errors" in body) == (code == "invalid_fields")
    if fields is not None:
        assert {(error["field"], error["code"]) for error in body["errors"]} == set(fields)
    return True


def is_empty(response):
    """204 and nothing in it."""
    assert response.status_code == 204, response.text
    assert response.content == b""
    assert response.headers["cache-control"] == "no-store"
    return True


def shown(response):
    """All that a client can see of an answer, but for the name of the request."""
    headers = [(name, value) for name, value in response.headers.multi_items() if name != "x-request-id"]
    return response.status_code, headers, response.content
