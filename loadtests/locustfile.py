"""A day of a small product in half a minute: people mostly look, now and then refresh, seldom sign in or sign up.

Run it with ``make load``, which starts a service of its own. Every answer that is not as it should be is a failure.
It goes to 127.0.0.1 only, and signs people up with the mails in the service's Maildir, named by LOADTEST_MAILDIR.
"""

from __future__ import annotations

import os
import re
import time
import uuid
from email import message_from_bytes, policy
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from locust import FastHttpUser, between, events, task
from locust.exception import StopUser

PASSWORD = "correct horse battery staple"
MAIL_SECONDS = 20
DEVICE_HEADER = "X-Keyturn-Device"
_TOKEN = re.compile(r"[?&]token=([A-Za-z0-9._~-]+)")


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def refuse_other_machines(environment: Any, **_: Any) -> None:
    """Load is for a service of one's own."""
    if urlsplit(environment.host or "").hostname != "127.0.0.1":
        raise SystemExit("loadtests: only http://127.0.0.1 is loaded")


class Mailbox:
    """Mailed tokens by address; each mail is read once, whoever waits for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "new"
        self._seen: set[Path] = set()
        self._tokens: dict[str, str] = {}

    def wait(self, address: str) -> str | None:
        """The token mailed to ``address``; None when it has not come in time."""
        until = time.monotonic() + MAIL_SECONDS
        while time.monotonic() < until:
            self._read_new()
            if address in self._tokens:
                return self._tokens.pop(address)
            time.sleep(0.05)
        return None

    def _read_new(self) -> None:
        paths = set(self._folder.iterdir()) if self._folder.is_dir() else set()
        for path in paths - self._seen:
            self._seen.add(path)
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            body = mail.get_body(("plain",))
            found = _TOKEN.search(body.get_content()) if body else None
            if found:
                self._tokens[mail["To"].lower()] = found[1]


MAILBOX = Mailbox(Path(os.environ.get("LOADTEST_MAILDIR", "mail")))


class Person(FastHttpUser):
    """One person with one device, who keeps the tokens of the last answer as an app does."""

    wait_time = between(0.05, 0.25)
    connection_timeout = 10.0
    network_timeout = 10.0

    def on_start(self) -> None:
        """Sign up, confirm, sign in."""
        self.email = new_address()
        self.access_token = self.refresh_token = self.device = ""
        if not self.sign_up(self.email):
            raise StopUser
        self.sign_in()

    @task(200)
    def me(self) -> None:
        headers = {"Authorization": f"Bearer {self.access_token}"}
        with self.client.get("/v1/me", headers=headers, catch_response=True) as answer:
            if answer.status_code != HTTPStatus.OK:
                answer.failure(f"{answer.status_code}")
            elif answer.json()["email"] != self.email:
                answer.failure("somebody else's account")

    @task(50)
    def refresh(self) -> None:
        """The same token comes back while its generation is young; a lost answer is asked for again."""
        presented = self.refresh_token
        if self.exchange(presented, name="/v1/refresh") and self.refresh_token != presented:
            successor = self.refresh_token
            if self.exchange(presented, name="/v1/refresh (again)", expected=successor):
                self.refresh_token = successor

    @task(5)
    def sign_in(self) -> None:
        body = {"identifier": self.email, "password": PASSWORD}
        headers = {DEVICE_HEADER: self.device} if self.device else {}
        with self.client.post("/v1/login", json=body, headers=headers, catch_response=True) as answer:
            if self.keep(answer):
                self.device = answer.headers.get(DEVICE_HEADER, "")

    @task(1)
    def somebody_new(self) -> None:
        self.sign_up(new_address())

    def sign_up(self, email: str) -> bool:
        """Whether the account of ``email`` was opened."""
        with self.client.post(
            "/v1/register", json={"email": email, "password": PASSWORD}, catch_response=True
        ) as answer:
            if answer.status_code != HTTPStatus.ACCEPTED:
                answer.failure(f"{answer.status_code}")
                return False
            token = MAILBOX.wait(email)
            if token is None:
                answer.failure("no mail came")
                return False
        with self.client.post("/v1/email/verify", json={"token": token}, catch_response=True) as answer:
            if answer.status_code != HTTPStatus.NO_CONTENT:
                answer.failure(f"{answer.status_code}")
                return False
        return True

    def exchange(self, presented: str, *, name: str, expected: str | None = None) -> bool:
        """Whether a refresh was answered as it should be."""
        body = {"refresh_token": presented}
        with self.client.post("/v1/refresh", json=body, name=name, catch_response=True) as answer:
            if not self.keep(answer):
                return False
            if expected is not None and self.refresh_token != expected:
                answer.failure("a second successor")
                return False
        return True

    def keep(self, answer: Any) -> bool:
        """Take the tokens of an answer; False and a failure where there are none."""
        if answer.status_code != HTTPStatus.OK:
            answer.failure(f"{answer.status_code}")
            return False
        tokens = answer.json()
        self.access_token, self.refresh_token = tokens["access_token"], tokens["refresh_token"]
        return True


def new_address() -> str:
    """An address that nobody has."""
    return f"load-{uuid.uuid4().hex}@example.com"
