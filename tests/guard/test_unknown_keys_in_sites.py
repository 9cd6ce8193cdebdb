"""A new key, met by many requests at once of a real application: one fetch for all of them."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from fastapi import FastAPI
from flask import Flask

from keyturn import Principal
from keyturn.fastapi import Guard as FastApiGuard
from keyturn.flask import Guard as FlaskGuard
from keyturn.flask import current_principal
from tests.guard.conftest import JWKS_PATH
from tests.guard.test_unknown_keys import TASKS, THREADS, holding_back, known
from tests.support.asgi import scope_of

__all__ = ["known"]


def test_twenty_threads_of_a_flask_application_that_meet_a_new_key_cause_one_fetch(live, known):
    app = Flask(__name__)
    guard = FlaskGuard(known, app)

    @app.get("/me")
    @guard.signed_in
    def me():
        return current_principal.subject

    live.rotate()
    headers, release = live.headers_for("user"), holding_back(live)
    with ThreadPoolExecutor(THREADS) as pool:
        waiting = [pool.submit(lambda: app.test_client().get("/me", headers=headers)) for _ in range(THREADS)]
        assert live.arrived.wait(20)
        assert not any(one.done() for one in waiting)
        release.set()
        assert {(one.result(20).status_code, one.result().text) for one in waiting} == {(200, "user")}
    assert live.asked == [JWKS_PATH]


async def test_a_thousand_tasks_of_a_fastapi_application_that_meet_a_new_key_cause_one_fetch(live, known):
    app, guard = FastAPI(), FastApiGuard(known)

    @app.get("/me")
    async def me(caller: Annotated[Principal, guard.signed_in]):
        return caller.subject

    live.rotate()
    headers, release = live.headers_for("user"), holding_back(live)
    waiting = [asyncio.create_task(answered(app, "/me", headers)) for _ in range(TASKS)]
    assert await asyncio.to_thread(live.arrived.wait, 20)
    assert not any(one.done() for one in waiting)
    release.set()
    assert set(await asyncio.gather(*waiting)) == {(200, "user")}
    assert live.asked == [JWKS_PATH]


async def answered(app, path, headers):
    """Status and JSON of one GET; a client for each of a thousand would cost more than what is tested."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    shown = [(name.lower().encode(), text.encode()) for name, text in headers.items()]
    await app(scope_of(path, *shown), receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])
