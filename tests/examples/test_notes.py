"""The three notes services over sockets, each attacked in the same ways."""

from __future__ import annotations

import time
import uuid

import httpx
import pytest

from examples.run import PORTS

# The feed is polled every second; the rest is room for a busy machine.
REVOKED_WITHIN_SECONDS = 20


@pytest.fixture(scope="module")
def ada(stage):
    return stage.person("ada")


@pytest.fixture(scope="module")
def eve(stage):
    return stage.person("eve")


@pytest.fixture(params=sorted(PORTS))
def site(request, stage):
    with httpx.Client(base_url=stage.sites[request.param], timeout=30) as client:
        yield client


@pytest.fixture
def note(site, ada):
    answer = site.post("/notes", json={"text": "milk"}, headers=ada.bearer)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_note_is_written_read_listed_and_removed_by_its_owner(site, ada, note):
    assert site.get(f"/notes/{note['note_id']}", headers=ada.bearer).json() == {**note, "text": "milk"}
    assert note in site.get("/notes", headers=ada.bearer).json()
    assert note in site.get(f"/users/{ada.user_id}/notes", headers=ada.bearer).json()
    assert site.delete(f"/notes/{note['note_id']}", headers=ada.bearer).status_code == 204
    assert site.get(f"/notes/{note['note_id']}", headers=ada.bearer).status_code == 404
    assert site.delete(f"/notes/{note['note_id']}", headers=ada.bearer).status_code == 404


def doors(person, note):
    return [
        ("GET", "/notes"),
        ("POST", "/notes"),
        ("GET", f"/notes/{note['note_id']}"),
        ("DELETE", f"/notes/{note['note_id']}"),
        ("GET", f"/users/{person.user_id}/notes"),
    ]


def refused(site, person, note, headers):
    for method, path in doors(person, note):
        answer = site.request(method, path, headers=headers, json={"text": "x"} if method == "POST" else None)
        assert answer.status_code == 401, (method, path)
        assert answer.headers["www-authenticate"].startswith("Bearer"), (method, path)
        assert note["text"] not in answer.text


def test_attack_no_token(site, ada, note):
    refused(site, ada, note, {})


def test_attack_a_forged_token(site, stage, ada, note):
    refused(site, ada, note, {"Authorization": f"Bearer {stage.forged(ada)}"})


def test_a_token_made_here_by_the_services_own_key_is_good(site, stage, ada):
    good = stage.signed(ada)
    assert site.get("/notes", headers={"Authorization": f"Bearer {good}"}).status_code == 200


def test_attack_an_expired_token(site, stage, ada, note):
    expired = stage.signed(ada, age_seconds=600)
    refused(site, ada, note, {"Authorization": f"Bearer {expired}"})


def test_attack_a_token_for_another_audience(site, stage, ada, note):
    foreign = stage.signed(ada, audience="https://other.example.com")
    refused(site, ada, note, {"Authorization": f"Bearer {foreign}"})


def test_attack_a_refresh_token_as_access_token(site, ada, note):
    refused(site, ada, note, {"Authorization": f"Bearer {ada.tokens['refresh_token']}"})


def test_attack_another_users_note_is_not_there(site, ada, eve, note):
    nobodys = f"/notes/{uuid.uuid4()}"
    for method in ("GET", "DELETE"):
        answers = [site.request(method, path, headers=eve.bearer) for path in (f"/notes/{note['note_id']}", nobodys)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
    assert note not in site.get("/notes", headers=eve.bearer).json()
    assert site.get(f"/notes/{note['note_id']}", headers=ada.bearer).status_code == 200


def test_attack_enumeration_finds_nobody_and_nothing(site, ada, eve, note):
    guesses = [ada.user_id, str(uuid.uuid4()), "1", "me", eve.user_id.upper()]
    answers = [site.get(f"/users/{guess}/notes", headers=eve.bearer) for guess in guesses]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    for guess in ("1", "a#b", "..", f"{note['note_id']}#", f"{ada.user_id}"):
        path = "/notes/" + guess.replace("#", "%23").replace("..", "%2E%2E%00")
        assert site.get(path, headers=eve.bearer).status_code == 404, guess


def test_attack_the_token_of_a_session_that_was_ended(site, stage, note, ada):
    name = f"leaver-{uuid.uuid4().hex[:8]}"
    leaver = stage.person(name)
    assert site.get("/notes", headers=leaver.bearer).status_code == 200
    with httpx.Client(base_url=stage.issuer, timeout=30) as client:
        body = {"refresh_token": leaver.tokens["refresh_token"]}
        assert client.post("/v1/logout", json=body).status_code == 204
    until = time.monotonic() + REVOKED_WITHIN_SECONDS
    while site.get("/notes", headers=leaver.bearer).status_code == 200:
        assert time.monotonic() < until, "the session's end was not noticed"
        time.sleep(0.1)
    refused(site, leaver, note, leaver.bearer)
    assert site.get("/notes", headers=ada.bearer).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"text": 1}', b'{"text": ""}', b"null", b"\xff", b'{"text": "\\ud800"}']
)
def test_bad_bodies_are_told_and_nothing_is_written(site, eve, body):
    before = site.get("/notes", headers=eve.bearer).json()
    headers = {**eve.bearer, "Content-Type": "application/json"}
    assert 400 <= site.post("/notes", content=body, headers=headers).status_code < 500
    assert site.get("/notes", headers=eve.bearer).json() == before
