"""docs/frameworks.md: its programs run as pasted, with the verifier of ``mysite/auth.py``, and refuse others."""

from __future__ import annotations

import json
import re
import sys
import types
from ast import literal_eval

import httpx
import pytest
from django.test import Client, override_settings

from tests.docs.markdown import ROOT, fences, section
from tests.support.django_base import set_up

set_up()

TEXT = (ROOT / "docs/frameworks.md").read_text("utf-8")
STARLETTE = "Starlette and other ASGI frameworks"


def run(text, name):
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(text, "docs/frameworks.md", "exec"), vars(module))
    return module


@pytest.fixture
def program(keyturn_issuer, monkeypatch):
    """Runs the program under a heading; the page's verifier asks an issuer in this process."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    first = next(fence for fence in fences(TEXT) if fence.language == "python")
    mysite = types.ModuleType("mysite")
    monkeypatch.setitem(sys.modules, "mysite", mysite)
    for name in ("mysite.auth", "page"):
        monkeypatch.setitem(sys.modules, name, None)
    auth = mysite.auth = run(first.text, "mysite.auth")
    auth.verifier.close()
    auth.verifier = keyturn_issuer.verifier()

    def run_one(heading):
        (shown,) = [fence.text for fence in fences(section(TEXT, heading)) if fence.language == "python"]
        return run(shown, "page")

    return run_one


def of_asgi(app):
    async def call(method, path, headers):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notes.test") as client:
            answer = await client.request(method, path, headers=headers)
            return answer.status_code, answer.json()

    return call


def of_flask(app):
    async def call(method, path, headers):
        answer = app.test_client().open(path, method=method, headers=headers)
        return answer.status_code, json.loads(answer.data)

    return call


def of_django(_):
    async def call(method, path, headers):
        (shown,) = re.findall(r"The setting is `KEYTURN = ([^`]+)`", TEXT)
        with override_settings(ROOT_URLCONF="page", MIDDLEWARE=[], KEYTURN=literal_eval(shown)):
            answer = Client().generic(method, path, headers=headers)
            return answer.status_code, json.loads(answer.content)

    return call


def test_each_framework_has_its_program():
    shown = [title for title in TEXT.split("\n## ")[1:] if "```python" in title]
    titles = [title.splitlines()[0] for title in shown]
    assert titles == ["FastAPI", STARLETTE, "Flask", "Django", "Django REST framework"]


@pytest.mark.parametrize(
    ("heading", "made"),
    [
        ("FastAPI", lambda page: of_asgi(page.app)),
        ("Flask", lambda page: of_flask(page.app)),
        ("Django", of_django),
        ("Django REST framework", of_django),
    ],
)
async def test_who_may_write_is_who_has_the_scope_and_signed_in_lately(program, keyturn_issuer, heading, made):
    call, headers_for = made(program(heading)), keyturn_issuer.headers_for
    assert await call("POST", "/notes", headers_for("ada", scopes=["notes:write"])) == (200, {"for": "ada"})
    for headers, status in (
        ({}, 401),
        (headers_for("ada"), 403),
        (headers_for("ada", scopes=["notes:write"], age=301), 401),
    ):
        assert (await call("POST", "/notes", headers))[0] == status


@pytest.mark.parametrize(
    ("heading", "made"),
    [
        ("FastAPI", lambda page: of_asgi(page.app)),
        ("Flask", lambda page: of_flask(page.app)),
        ("Django", of_django),
    ],
)
async def test_a_note_is_its_owners_and_not_there_for_others(program, keyturn_issuer, heading, made):
    call = made(program(heading))
    ada, eve = (keyturn_issuer.headers_for(name, scopes=["notes:read"]) for name in ("ada", "eve"))
    assert await call("GET", "/notes/1", ada) == (200, {"owner_id": "ada", "text": "milk"})
    refused = await call("GET", "/notes/1", eve)
    assert refused == await call("GET", "/notes/2", eve)
    assert (refused[0], refused[1]["code"]) == (404, "not_found")
    assert (await call("GET", "/notes/1", {}))[0] == 401


async def test_a_mount_of_starlette_is_for_who_has_the_scope(program, keyturn_issuer):
    call = of_asgi(program(STARLETTE).app)
    assert await call("GET", "/admin/report", keyturn_issuer.headers_for("ada", scopes=["admin"])) == (
        200,
        {"for": "ada"},
    )
    assert (await call("GET", "/admin/report", keyturn_issuer.headers_for("ada")))[0] == 403
    assert (await call("GET", "/admin/report", {}))[0] == 401
