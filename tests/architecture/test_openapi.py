"""openapi.yaml: what the application says, whole enough to work from."""

from __future__ import annotations

import pytest
import yaml

from service.cli.openapi import render


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load(render())


def operations(document):
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def resolve(document, schema):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def has_example(document, content):
    if "example" in content or content.get("examples"):
        return True
    schema = resolve(document, content["schema"])
    return bool(schema.get("examples")) or all(
        resolve(document, member).get("examples")
        or any(kind.get("examples") for kind in member.get("anyOf", []))
        or member.get("default") is not None
        for member in schema.get("properties", {}).values()
    )


def test_the_file_is_what_the_application_says(root):
    assert (root / "openapi.yaml").read_text() == render()


def test_it_does_not_depend_on_the_environment(monkeypatch):
    before = render()
    monkeypatch.setenv("KEYTURN_ENV", "prod")
    monkeypatch.setenv("KEYTURN_ISSUER", "https://somewhere.example")
    assert render() == before


def test_every_operation_has_a_summary_a_description_and_a_tag(document):
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["tags"], name


def test_every_operation_shows_an_example_of_each_body(document):
    for name, operation in operations(document):
        bodies = [operation["requestBody"]["content"]] if "requestBody" in operation else []
        bodies += [response["content"] for response in operation["responses"].values() if "content" in response]
        for content in bodies:
            for kind, body in content.items():
                assert has_example(document, body) or _is_optional(document, body), (name, kind)


def _is_optional(document, body):
    return "anyOf" in body["schema"] and all(
        has_example(document, {"schema": one}) for one in body["schema"]["anyOf"] if one.get("type") != "null"
    )


def test_every_error_is_a_problem(document):
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], (name, status)
                examples = response["content"]["application/problem+json"]["examples"]
                for code, example in examples.items():
                    assert example["value"]["code"] == code
                    assert example["value"]["status"] == int(status)


def test_guarded_operations_say_so_and_how_they_refuse(document):
    assert document["components"]["securitySchemes"]["accessToken"]["scheme"] == "bearer"
    for name, operation in operations(document):
        guarded = operation.get("security") in ([{"accessToken": []}], [{"feedKey": []}])
        examples = operation["responses"].get("401", {}).get("content", {}).get("application/problem+json", {})
        assert guarded == ("missing_token" in examples.get("examples", {})), name


def test_every_operation_but_the_probes_says_that_it_is_limited(document):
    unlimited = {name for name, operation in operations(document) if "429" not in operation["responses"]}
    assert unlimited == {"GET /healthz", "GET /readyz"}
    for name, operation in operations(document):
        if name not in unlimited:
            assert "Retry-After" in operation["responses"]["429"]["headers"], name


def test_operation_ids_are_unique(document):
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
