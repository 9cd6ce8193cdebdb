"""Enumeration by time: another's object and none cost the caller the same, through every adapter.

The least of several times, taken in turns, is what a request costs on a machine that was not busy just then.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager

import pytest
from django.test import AsyncClient, Client, override_settings

from keyturn import NotFound, Owns
from keyturn.fastapi import Guard as FastApiGuard
from keyturn.flask import Guard as FlaskGuard
from tests.guard import test_django as django_site
from tests.guard import test_fastapi as fastapi_site
from tests.guard import test_flask as flask_site
from tests.guard import test_rest_framework as rest_site
from tests.guard.asgi import client_of
from tests.guard.attacks import bearer

TURNS = 15
DIFFERENCE_SECONDS = 0.02
"""Far more than the noise of the least of so many; what each answer loads is counted in the tests of each adapter."""
ANOTHERS, NOBODYS = 2, 3


@contextmanager
def by_hand(issuer, *, is_async):
    load = django_site.load_note_async if is_async else django_site.load_note
    owns, verifier = Owns(load), issuer.verifier()
    caller = verifier.verify(issuer.token_for("ada"))

    def ask(note_id):
        try:
            if is_async:
                asyncio.run(owns.check_async(caller, {"note_id": note_id}))
            else:
                owns.check(caller, {"note_id": note_id})
        except NotFound as error:
            return error.status
        return 200

    yield ask


@contextmanager
def by_fastapi(issuer):
    client, headers = client_of(fastapi_site.application(FastApiGuard(issuer.verifier()))), headers_of(issuer)
    with asyncio.Runner() as runner:
        yield lambda note_id: runner.run(client.get(f"/notes/{note_id}", headers=headers)).status_code


@contextmanager
def by_flask(issuer, *, ending=""):
    client, headers = flask_site.application(FlaskGuard(issuer.verifier())).test_client(), headers_of(issuer)
    yield lambda note_id: client.get(f"/notes/{note_id}{ending}", headers=headers).status_code


@contextmanager
def by_django(issuer, *, site=django_site, door, is_async=False):
    headers, kind = headers_of(issuer), AsyncClient if is_async else Client
    settings = {"KEYTURN": {"verifier": issuer.verifier()}, "MIDDLEWARE": []}
    with override_settings(ROOT_URLCONF=site.__name__, **settings):
        client = kind(raise_request_exception=False)

        def ask(note_id):
            answer = client.get(f"/{door}/{note_id}", headers=headers)
            return (asyncio.run(answer) if is_async else answer).status_code

        yield ask


def headers_of(issuer):
    return bearer(issuer.token_for("ada"))


DOORS = {
    "plain": (by_hand, {"is_async": False}),
    "async": (by_hand, {"is_async": True}),
    "fastapi": (by_fastapi, {}),
    "flask into": (by_flask, {}),
    "flask": (by_flask, {"ending": "/id"}),
    "django": (by_django, {"door": "notes"}),
    "django async": (by_django, {"door": "notes-async", "is_async": True}),
    "django class": (by_django, {"door": "class/notes"}),
    "django class async": (by_django, {"door": "class/notes-async", "is_async": True}),
    "rest framework": (by_django, {"site": rest_site, "door": "notes"}),
    "rest framework, generic": (by_django, {"site": rest_site, "door": "rows"}),
}


@pytest.mark.parametrize("door", DOORS)
def test_enumeration_by_time_anothers_object_and_none_are_the_same(door, keyturn_issuer):
    make, options = DOORS[door]
    with make(keyturn_issuer, **options) as ask:
        assert [ask(1), ask(ANOTHERS), ask(NOBODYS)] == [200, 404, 404]
        taken = {ANOTHERS: [], NOBODYS: []}
        for _ in range(TURNS):
            for note_id, times in taken.items():
                began = time.perf_counter()
                ask(note_id)
                times.append(time.perf_counter() - began)
    assert abs(min(taken[ANOTHERS]) - min(taken[NOBODYS])) < DIFFERENCE_SECONDS
