"""A door that somebody adds must be named here, with what stops guessing at it; docs/throttling.md says the same."""

from __future__ import annotations

import re
from pathlib import Path

from service.cli.openapi import _document as openapi_document
from tests.doors.doors import COUNTED_BY_MAIL, LANED

PAGE = Path(__file__).parents[2] / "docs/throttling.md"

UNGUESSABLE = {
    ("POST", "/v1/refresh"),
    ("POST", "/v1/logout"),
    ("POST", "/v1/email/change/confirm"),
}
"""Take a secret of 160 bits or more, and a guess at it changes nothing for its owner."""

NO_SECRET_OF_AN_ACCOUNT = {
    ("POST", "/v1/register"),
    ("POST", "/v1/password/check"),
}
"""Take a password that is nobody's yet."""

_SECRET = re.compile(r"password|token|code|secret|otp|assertion|credential|recovery", re.IGNORECASE)


def fields(document, schema):
    """The names of a body's members, whichever form it has."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found = set(schema.get("properties", {}))
    for inner in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        found |= fields(document, inner)
    return found


def doors_of_the_service():
    document = openapi_document()
    found = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                if any(_SECRET.search(name) for name in fields(document, content["schema"])):
                    found.add((method.upper(), path))
    return found


def test_each_door_that_takes_a_secret_is_hammered_here_or_says_why_not():
    hammered = {door.route for door in (*LANED, *COUNTED_BY_MAIL)}
    assert doors_of_the_service() == hammered | UNGUESSABLE | NO_SECRET_OF_AN_ACCOUNT


def test_the_page_says_for_each_door_what_stops_guessing():
    section = PAGE.read_text().partition("\n## Doors\n")[2].partition("\n## ")[0]
    documented = set(re.findall(r"`(POST|DELETE|PATCH) (/[^`]*)`", section))
    assert documented >= doors_of_the_service()
