"""People who use the service as its clients do: over HTTP, and by reading their mail."""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx

from keyturn import base64url

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse battery staple"
_MAIL_SECONDS = 20.0
_TOKEN = re.compile(r"[?&]token=([A-Za-z0-9._~-]+)")
_CODE = re.compile(r"^([0-9A-Z]{4}-[0-9A-Z]{4})$", re.MULTILINE)


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a session."""

    email: str
    tokens: dict[str, Any]

    @property
    def authorization(self) -> str:
        """The value of the header."""
        return f"Bearer {self.tokens['access_token']}"

    @property
    def user_id(self) -> str:
        """Who the access token says that this is."""
        claims = self.tokens["access_token"].split(".")[1]
        return str(json.loads(base64url.decode(claims) or b"{}")["sub"])


@dataclass
class Town:
    """Makes people on the service at ``url``, whose mail lands in the Maildir ``mail``."""

    url: str
    mail: Path
    _client: httpx.Client = field(init=False)
    _texts: dict[str, list[str]] = field(init=False, default_factory=dict)
    _read: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self._client = httpx.Client(base_url=self.url, trust_env=False, timeout=30)

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def newcomer(self) -> str:
        """The address of somebody who has registered and not confirmed it."""
        email = f"p{uuid.uuid4().hex}@example.com"
        self._post("/v1/register", {"email": email, "password": PASSWORD})
        return email

    def person(self) -> Person:
        """Somebody new who has signed in."""
        email = self.newcomer()
        self._post("/v1/email/verify", {"token": self.token_for(email)})
        return self.signed_in(email)

    @cached_property
    def resident(self) -> str:
        """The address of somebody who has an account, keeps it, and may sign in again and again."""
        return self.person().email

    def signed_in(self, email: str) -> Person:
        """A fresh session of somebody who has an account."""
        return Person(email=email, tokens=self._post("/v1/login", {"identifier": email, "password": PASSWORD}).json())

    def forgetful(self) -> str:
        """The address of somebody who has just asked for another password."""
        email = self.person().email
        self._post("/v1/password/forgot", {"email": email})
        return email

    def moving(self, person: Person) -> str:
        """The new address that ``person`` has asked for."""
        email = f"p{uuid.uuid4().hex}@example.com"
        body = {"new_email": email, "password": PASSWORD}
        self._post("/v1/email/change", body, headers={"Authorization": person.authorization})
        return email

    def token_for(self, email: str) -> str:
        """The token of the next mail to ``email`` that has one; each mail is read once."""
        return self._next(email, _TOKEN)

    def code_for(self, email: str) -> str:
        """The code of the next mail to ``email`` that has one."""
        return self._next(email, _CODE)

    def _next(self, email: str, form: re.Pattern[str]) -> str:
        until = time.monotonic() + _MAIL_SECONDS
        while time.monotonic() < until:
            self._collect()
            waiting = self._texts.get(email, [])
            while waiting:
                if found := form.search(waiting.pop(0)):
                    return found[1]
            time.sleep(0.01)
        raise TimeoutError(f"no mail for {email}")

    def _collect(self) -> None:
        folder = self.mail / "new"
        fresh = [path for path in folder.iterdir() if path.name not in self._read] if folder.exists() else []
        for path in sorted(fresh, key=lambda path: path.stat().st_mtime_ns):
            self._read.add(path.name)
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            self._texts.setdefault(mail["To"].lower(), []).append(mail.get_body(("plain",)).get_content())

    def _post(self, path: str, body: dict[str, Any], **more: Any) -> httpx.Response:
        answer = self._client.post(path, json=body, **more)
        answer.raise_for_status()
        return answer
