"""A client in another language, with another author's library (npm `jose`), verifies our tokens from the JWKS."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent / "jose"
LOCK = PROJECT / "package-lock.json"
NODE, NPM = shutil.which("node"), shutil.which("npm")
# Offline first: a copy in npm's own cache is enough, and what is not there is fetched once.
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")


@pytest.fixture(scope="session")
def jose(tmp_path_factory):
    """A folder in which ``verify.mjs`` can run: the pinned library, installed from the lock."""
    if NODE is None or NPM is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("jose")
    for name in ("package.json", "package-lock.json", "verify.mjs"):
        shutil.copy(PROJECT / name, folder / name)
    done = subprocess.run([NPM, *INSTALL], cwd=folder, capture_output=True, text=True, check=False, timeout=100)
    if done.returncode and re.search(r"E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|HOSTUNREACH)", done.stderr):
        pytest.skip("npm cannot reach its registry, and its cache does not hold jose")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def verify(jose, jwks_url):
    def answer(token, *, issuer, audience, now_seconds):
        question = {
            "jwks_url": jwks_url,
            "token": token,
            "issuer": issuer,
            "audience": audience,
            "now_seconds": now_seconds,
        }
        done = subprocess.run(
            [NODE, "verify.mjs"],
            input=json.dumps(question),
            cwd=jose,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return answer


def expected(issued, **changes):
    return {"issuer": issued.issuer, "audience": issued.audience, "now_seconds": issued.now_seconds} | changes


def test_a_token_of_ours_is_accepted(verify, issued):
    assert verify(issued.token, **expected(issued)) == {"claims": issued.claims}


def test_a_tampered_token_is_refused(verify, issued):
    assert verify(issued.tampered(), **expected(issued))["refused"] == "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"


def test_another_audience_is_refused(verify, issued):
    answer = verify(issued.token, **expected(issued, audience="https://other.example"))
    assert answer == {"refused": "ERR_JWT_CLAIM_VALIDATION_FAILED", "claim": "aud"}


def test_another_issuer_is_refused(verify, issued):
    answer = verify(issued.token, **expected(issued, issuer=issued.issuer + "/"))
    assert answer == {"refused": "ERR_JWT_CLAIM_VALIDATION_FAILED", "claim": "iss"}


def test_an_expired_token_is_refused(verify, issued):
    answer = verify(issued.token, **expected(issued, now_seconds=issued.claims["exp"]))
    assert answer == {"refused": "ERR_JWT_EXPIRED", "claim": "exp"}


def test_the_lock_pins_by_digest_and_names_no_registry():
    packages = json.loads(LOCK.read_text("utf-8"))["packages"]
    libraries = {name: package for name, package in packages.items() if name}
    assert list(libraries) == ["node_modules/jose"]
    assert all(package["integrity"].startswith("sha512-") for package in libraries.values())
    assert not any("resolved" in package for package in libraries.values())
