"""The same clients as beside it, pointed at a running service: its tokens, its JWKS, and a rotation of its keys."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from functools import partial

import jwt
import pytest

from tests.interop.conftest import Issued
from tests.interop.python_clients import fetch
from tests.interop.tampering import public_forms, without_key
from tests.interop.test_clients import CANNOT, CLIENTS, commands, verify, without_lists
from tests.support.live import client_of, store, workers
from tests.support.people import sign_in, sign_up

__all__ = ["commands", "store", "verify", "workers"]

KEYTURN = [sys.executable, "-c", "from service.command import main; main()"]


@pytest.fixture
async def worker(workers):
    return await workers.start()


@pytest.fixture
async def client(worker, mailbox):
    """A client of the service, for a person who has signed up like everybody, and so has no scope."""
    async with client_of(worker) as client:
        await sign_up(client, mailbox)
        yield client


@pytest.fixture
def jwks_url(worker):
    return f"{worker.url}/.well-known/jwks.json"


def as_issued(token):
    """A token with what its own claims say of it; the verifiers below check whether they are true."""
    claims = json.loads(jwt.utils.base64url_decode(token.split(".")[1]))
    return Issued(
        token=token,
        issuer="http://localhost:8000",
        audience="http://localhost:8000",
        now_seconds=int(time.time()),
        claims=claims,
    )


@pytest.fixture
async def issued(client):
    return as_issued((await sign_in(client))["access_token"])


@pytest.fixture(params=["ES256", "EdDSA", "RS256"])
def algorithm(request, environ):
    environ["KEYTURN_SIGNING_ALGORITHM"] = request.param
    return request.param


def test_every_client_takes_tokens_of_every_algorithm_of_the_service(algorithm, issued, jwks_url, verify):
    """And none that was made of them with what is public."""
    jwk = next(key for key in fetch(jwks_url)["keys"] if key["kid"] == jwt.get_unverified_header(issued.token)["kid"])
    assert jwk["alg"] == algorithm
    assert "scope" not in issued.claims
    forged = without_key(issued.token, public_forms(jwt.PyJWK(jwk).key, jwk))
    question = {"jwks_url": jwks_url, "issuer": issued.issuer, "audience": issued.audience}
    for client, said in asked(verify, {**question, "tokens": [issued.token, *forged.values()]}):
        if (client, algorithm) not in CANNOT:
            assert without_lists(said[0].get("claims")) == without_lists(issued.claims), (client, said[0])
        assert all("refused" in answer for answer in said[1:]), (client, dict(zip(forged, said[1:], strict=True)))


def asked(verify, question):
    """What each client answers that this machine can make; test_clients.py says which it cannot."""
    for client in CLIENTS:
        try:
            said = verify(client, question)
        except pytest.skip.Exception:
            continue
        yield client, said


class TestAfterAnEmergencyRotation:
    @pytest.fixture
    async def old(self, workers, mailbox):
        """A token from before the rotation."""
        async with client_of(await workers.start()) as client:
            await sign_up(client, mailbox)
            return as_issued((await sign_in(client))["access_token"])

    @pytest.fixture
    async def worker(self, workers, old):
        """A worker that was started after it."""
        rotate = [*KEYTURN, "keys", "rotate", "--now"]
        run = partial(subprocess.run, rotate, env=workers.environ, capture_output=True, check=True, timeout=60)
        await asyncio.to_thread(run)
        return await workers.start()

    @pytest.fixture
    async def new(self, worker):
        async with client_of(worker) as client:
            return as_issued((await sign_in(client))["access_token"])

    def test_tokens_of_both_keys_verify_with_every_client(self, verify, jwks_url, old, new):
        assert jwt.get_unverified_header(new.token)["kid"] != jwt.get_unverified_header(old.token)["kid"]
        question = {"jwks_url": jwks_url, "issuer": old.issuer, "audience": old.audience}
        for client, said in asked(verify, {**question, "tokens": [old.token, new.token]}):
            assert ["claims" in answer for answer in said] == [True, True], (client, said)
