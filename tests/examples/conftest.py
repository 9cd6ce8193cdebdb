"""Keyturn and the three notes services as ``make examples`` starts them, and tokens of real people and of forgers."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import httpx
import pytest
from prometheus_client import CollectorRegistry

from examples.run import PORTS, examples
from service.base import build_keyring, open_base
from service.cli.running import read_running
from service.settings import load
from service.telemetry.metrics import Metrics
from service.tokens.access_token import AccessTokens, Grant
from tests.support.forging import signed_by_another

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Person:
    user_id: str
    tokens: dict

    @property
    def bearer(self):
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}


@dataclass(frozen=True)
class Stage:
    """The services' addresses, and how to come by people and tokens."""

    sites: dict
    issuer: str
    data: object

    def person(self, name):
        """Somebody who has signed up, confirmed and signed in."""
        email = f"{name}@example.com"
        with httpx.Client(base_url=self.issuer, headers={"Accept": "application/json"}, timeout=30) as client:
            assert client.post("/v1/register", json={"email": email, "password": PASSWORD}).status_code == 202
            assert client.post("/v1/email/verify", json={"token": mailed_token(client, email)}).status_code == 204
            tokens = client.post("/v1/login", json={"identifier": email, "password": PASSWORD}).json()
            me = client.get("/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"}).json()
        return Person(me["user_id"], tokens)

    def signed(self, person, *, audience=None, age_seconds=0):
        """A token of ``person`` by the service's own key, as the service itself would have signed it."""
        return asyncio.run(_signed(self, person, audience or self.issuer, age_seconds))

    def forged(self, person):
        """A token of ``person`` by a key of somebody else, which names the service's own."""
        return signed_by_another(self.signed(person))


async def _signed(stage, person, audience, age_seconds):
    settings = load({**read_running(stage.data / "keyturn")})
    with pytest.MonkeyPatch.context() as patch:
        for name, text in read_running(stage.data / "keyturn").items():
            if name.startswith("AWS_"):
                patch.setenv(name, text)
        async with open_base(settings, Metrics(registry=CollectorRegistry())) as base:
            keyring = build_keyring(base)
            signer = AccessTokens(
                keyring=keyring,
                entropy=base.entropy,
                issuer=settings.issuer,
                audience=audience,
                ttl_seconds=settings.access_ttl_seconds,
                tells_epoch=True,
            )
            now_ms = base.clock.now_ms() - age_seconds * 1000
            grant = Grant(
                subject=person.user_id,
                session_id=person.tokens["session_id"],
                client_id="first-party",
                scope="",
                auth_time_seconds=now_ms // 1000,
                amr=("pwd",),
                acr="aal1",
                epoch=0,
            )
            token = await signer.issue(grant, now_ms=now_ms)
            await keyring.aclose()
            return token


def mailed_token(client, email):
    for _ in range(400):
        mails = [mail for mail in client.get("/dev/mail").json()["mails"] if mail["to"] == email]
        if mails:
            return client.get(f"/dev/mail/{mails[0]['name']}").json()["links"][0].split("token=")[1]
        time.sleep(0.05)
    raise AssertionError("no mail came")


@pytest.fixture(scope="session")
def stage(tmp_path_factory, _aws_of_nobody):
    folder = tmp_path_factory.mktemp("examples")
    with examples(folder, port=0, ports=dict.fromkeys(PORTS, 0)) as sites:
        issuer = sites.pop("keyturn")
        yield Stage(sites, issuer, folder)
