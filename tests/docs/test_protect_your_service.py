"""The README's programs for each framework, as pasted, against the running service."""

from __future__ import annotations

import json
import sys
import types

import httpx
import pytest
from django.test import Client, override_settings

from tests.docs.markdown import ROOT, fences, section
from tests.support.django_base import set_up
from tests.support.forging import signed_by_another

README = (ROOT / "README.md").read_text("utf-8")
SHOWN_URL = "http://127.0.0.1:8000"
MOST_LINES = 10

set_up()


def programs():
    """FastAPI's, Flask's and Django's."""
    shown = [fence.text for fence in fences(section(README, "Protect your service"))]
    assert len(shown) == 3
    return shown


def run(text, name, url):
    """The module that the pasted text makes."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(text.replace(SHOWN_URL, url), "README.md", "exec"), vars(module))
    return module


def by_fastapi(url):
    app = run(programs()[0], "readme_fastapi", url).app

    async def get(path, headers):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notes.test") as client:
            answer = await client.get(path, headers=headers)
            return answer.status_code, answer.json()

    return get


def by_flask(url):
    client = run(programs()[1], "readme_flask", url).app.test_client()

    async def get(path, headers):
        answer = client.get(path, headers=headers)
        return answer.status_code, json.loads(answer.data)

    return get


def by_django(url):
    run(programs()[2], "readme_django", url)
    (line,) = [line for line in README.splitlines() if line.startswith("Django, with `KEYTURN = ")]
    names = {}
    exec(line.split("`")[1].replace(SHOWN_URL, url), names)

    async def get(path, headers):
        with override_settings(ROOT_URLCONF="readme_django", MIDDLEWARE=[], KEYTURN=names["KEYTURN"]):
            client = Client()
            answer = client.get(path, headers=headers)
            return answer.status_code, json.loads(answer.content)

    return get


@pytest.mark.parametrize("program", programs(), ids=["fastapi", "flask", "django"])
def test_each_program_is_short(program):
    assert len([line for line in program.splitlines() if line.strip()]) <= MOST_LINES


@pytest.mark.parametrize("site", [by_fastapi, by_flask, by_django], ids=lambda site: site.__name__)
async def test_each_program_lets_the_owner_in_and_nobody_else(site, tokens, dev_url, monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    get, mine = site(dev_url), {"Authorization": f"Bearer {tokens['access_token']}"}
    async with httpx.AsyncClient(timeout=10) as client:
        subject = (await client.get(f"{dev_url}/v1/me", headers=mine)).json()["user_id"]
    assert await get(f"/users/{subject}/notes", mine) == (200, {"notes_of": subject})
    for path in ("/users/somebody-else/notes", f"/users/{subject.upper()}/notes"):
        status, problem = await get(path, mine)
        assert (status, problem["code"]) == (404, "not_found")
    forged = signed_by_another(tokens["access_token"])
    for headers in ({}, {"Authorization": f"Bearer {forged}"}, {"Authorization": f"Bearer {tokens['refresh_token']}"}):
        status, problem = await get(f"/users/{subject}/notes", headers)
        assert status == 401
    for name in [name for name in sys.modules if name.startswith("readme_")]:
        guard = getattr(sys.modules.pop(name), "guard", None)
        if guard is not None:
            guard.verifier.close()
