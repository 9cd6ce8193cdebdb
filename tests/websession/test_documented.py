"""docs/websessions.md does what it says: its code runs, and its costs are those that DynamoDB counts."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from examples.run import free_port, wait_for
from keyturn.websession.flask import WebSessions
from tests.docs.markdown import ROOT, fences
from tests.websession.test_flask import NAME, app, browser, cookie_of, extension

__all__ = ["app", "browser", "extension"]

TEXT = (ROOT / "docs/websessions.md").read_text("utf-8")
FLASK, DJANGO = (fence.text for fence in fences(TEXT) if fence.language == "python")

START, TRY = (fence.text for fence in fences(TEXT) if fence.language == "sh")

DRIVE_FLASK = """
browser = app.test_client()
assert browser.post("/sign-in/u").json == {"user": "u"}
with browser.session_transaction() as stored:
    assert stored["theme"] == "dark"
assert browser.post("/sign-out").json == {"user": None}
"""
DRIVE_DJANGO = """
import django
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import path

urlpatterns = [path("put", lambda request: HttpResponse(request.session.update({"a": 1}))),
               path("get", lambda request: HttpResponse(str(request.session["a"])))]
names = [name for name in globals() if name.isupper()]
settings.configure(**{name: globals()[name] for name in names}, ROOT_URLCONF=__name__, SECRET_KEY="x",
                   ALLOWED_HOSTS=["testserver"], INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"])
django.setup()
browser = Client()
browser.get("/put", secure=True)
assert browser.get("/get", secure=True).content == b"1"
"""


@pytest.mark.parametrize(("shown", "drive"), [(FLASK, DRIVE_FLASK), (DJANGO, DRIVE_DJANGO)], ids=["flask", "django"])
def test_the_code_that_is_shown_runs_when_it_is_pasted(shown, drive, engine_url, table_name):
    environ = {
        **os.environ,
        "SESSION_TABLE": table_name,
        "SESSION_KEYS": f"1:{base64.b64encode(os.urandom(32)).decode()}",
        "PYTHONPATH": str(ROOT),
    }
    run = [sys.executable, "-W", "error::DeprecationWarning:keyturn", "-c", shown + drive]
    done = subprocess.run(run, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def curl_session(engine_url, folder, start, asks):
    """What curl prints for ``asks``, and its first answer's headers, from the page's program as ``start`` starts it."""
    (folder / "web.py").write_text(FLASK)
    port, table = str(free_port()), f"web-{uuid.uuid4().hex}"
    start, asks = (text.replace("5000", port).replace("web-sessions", table) for text in (start, asks))
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "FLASK_", "SESSION_"))}
    environ |= {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "AWS_ENDPOINT_URL_DYNAMODB": engine_url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nobody",
    }
    log = folder / "log"
    with log.open("wb") as out:
        site = subprocess.Popen(
            ["bash", "-ec", start], cwd=folder, env=environ, stdout=out, stderr=out, start_new_session=True
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/me", log)
        lines = [f"{line} -sS -w , -D headers-{number}" for number, line in enumerate(asks.splitlines())]
        run = ["bash", "-ec", "\n".join(lines)]
        done = subprocess.run(run, cwd=folder, env=environ, capture_output=True, text=True, check=True, timeout=60)
    finally:
        os.killpg(site.pid, signal.SIGTERM)
        site.wait(30)
    return json.loads(f"[{done.stdout.rstrip(',')}]"), (folder / "headers-0").read_text()


def test_the_program_keeps_its_session_with_curl_as_shown(engine_url, tmp_path):
    answers, headers = curl_session(engine_url, tmp_path, START, TRY)
    assert answers == [
        {"user": "ada"},
        {"user": "ada", "theme": "dark"},
        {"user": None},
        {"user": None, "theme": None},
    ]
    assert "Set-Cookie: session=" in headers
    assert "Secure" not in headers


def test_without_debug_mode_its_cookie_is_for_https_only(engine_url, tmp_path):
    """Whatever a version of curl makes of such a cookie on loopback."""
    _, headers = curl_session(engine_url, tmp_path, START.replace(" --debug", ""), TRY.splitlines()[0])
    assert "Set-Cookie: __Host-session=" in headers
    assert "; Secure;" in headers


def test_a_request_costs_what_the_document_says(browser, app, dynamodb, sessions, subject):
    documented = {name: (float(w), float(r)) for name, w, r in table_of_costs()}
    spent = {"Read": 0.0, "Write": 0.0}

    def ask(params, **_):
        params["ReturnConsumedCapacity"] = "TOTAL"

    def note(parsed, model, **_):
        kind = "Read" if model.name in {"GetItem", "Query"} else "Write"
        consumed = parsed["ConsumedCapacity"]
        tables = consumed if isinstance(consumed, list) else [consumed]
        spent[kind] += sum(one["CapacityUnits"] for one in tables)

    def cost(request):
        spent.update(Read=0.0, Write=0.0)
        request()
        return spent["Write"], spent["Read"]

    def new_id():
        old = sessions.open(cookie_of(browser))
        new = sessions.rotate(old, old.data, subject=old.subject, proven=False)
        browser.set_cookie(NAME, new.id.cookie, domain="localhost")

    browser.post("/put/fill/" + "x" * 500)
    dynamodb.meta.events.register("provide-client-params.dynamodb", ask, unique_id="ask")
    dynamodb.meta.events.register("after-call.dynamodb", note, unique_id="note")
    costs = [
        cost(lambda: browser.post(f"/sign-in/{subject}")),
        cost(lambda: browser.get("/whoami")),
        cost(lambda: browser.post("/put/a/1")),
        cost(new_id),
        cost(lambda: browser.post("/sign-out")),
    ]
    dynamodb.meta.events.unregister("provide-client-params.dynamodb", unique_id="ask")
    dynamodb.meta.events.unregister("after-call.dynamodb", unique_id="note")
    assert isinstance(app.session_interface, WebSessions)
    assert costs == [
        documented["sign in"],
        documented["a page that reads the session"],
        documented["a page that changes it, and one page in a tenth of the idle life"],
        documented["a new id without sign-in, as after a changed password"],
        documented["sign out"],
    ]


def table_of_costs():
    lines = TEXT.split("## What it costs")[1].split("## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return rows[1:]


def test_importing_keyturn_imports_nothing_of_it():
    code = (
        "import keyturn, sys; print([n for n in sys.modules if n.startswith(('keyturn.', 'boto', 'flask', 'django'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
