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
from tests.interop.test_jose import expected, jose, verify
from tests.support.live import client_of, store, workers
from tests.support.people import sign_in, sign_up

__all__ = ["jose", "store", "verify", "workers"]

KEYTURN = [sys.executable, "-c", "from service.command import main; main()"]


@pytest.fixture
async def worker(workers):
    return await workers.start()


@pytest.fixture
async def client(worker, mailbox):
    """A client of the service, for a person who has an account."""
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


def by_pyjwt(jwks_url, token, issued):
    """The claims, as a client finds them that has PyJWT and the address of the JWKS."""
    key = jwt.PyJWKClient(jwks_url, timeout=5).get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=[key.algorithm_name], audience=issued.audience, issuer=issued.issuer)


def test_every_algorithm_of_the_service_verifies_with_pyjwt(algorithm, issued, jwks_url):
    assert jwt.get_unverified_header(issued.token)["alg"] == algorithm
    assert by_pyjwt(jwks_url, issued.token, issued) == issued.claims
    with pytest.raises(jwt.InvalidSignatureError):
        by_pyjwt(jwks_url, issued.tampered(), issued)


def test_every_algorithm_of_the_service_verifies_with_jose(algorithm, issued, verify):
    assert jwt.get_unverified_header(issued.token)["alg"] == algorithm
    assert verify(issued.token, **expected(issued)) == {"claims": issued.claims}
    assert verify(issued.tampered(), **expected(issued))["refused"] == "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"
    assert verify(issued.token, **expected(issued, audience="https://other.example"))["claim"] == "aud"


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

    def test_tokens_of_both_keys_verify_with_pyjwt(self, jwks_url, old, new):
        assert jwt.get_unverified_header(new.token)["kid"] != jwt.get_unverified_header(old.token)["kid"]
        assert [by_pyjwt(jwks_url, one.token, one) for one in (old, new)] == [old.claims, new.claims]

    def test_tokens_of_both_keys_verify_with_jose(self, verify, old, new):
        for token in (old, new):
            assert verify(token.token, **expected(token)) == {"claims": token.claims}
