"""Clients of other authors, in four languages: each takes our tokens as they are, and nothing that was made of them."""

from __future__ import annotations

import importlib.metadata
import json
import re

import jwt
import pytest

from tests.interop import programs
from tests.interop.python_clients import by_authlib, by_joserfc, by_pyjwt
from tests.interop.tampering import public_forms, with_key, without_key

ALGORITHMS = ("ES256", "EdDSA", "RS256")
PYTHON = {"pyjwt": by_pyjwt, "joserfc": by_joserfc, "authlib": by_authlib}
PROGRAMS = {
    "jose": programs.node,
    "oauth4webapi": programs.node,
    "go-oidc": programs.go,
    "nimbus-jose-jwt": programs.java,
}
CLIENTS = (*PYTHON, *PROGRAMS)
CANNOT = {
    (
        "authlib",
        "EdDSA",
    ): "its validator takes the algorithms that joserfc recommends, which since RFC 9864 leave out EdDSA",
    ("nimbus-jose-jwt", "EdDSA"): "it verifies Ed25519 only with Tink beside it",
}


@pytest.fixture(scope="session")
def commands(tmp_path_factory):
    """Answers the command of a client that is a program; each is made at its first use."""
    made = {}

    def command(name):
        build = PROGRAMS[name]
        if build not in made:
            made[build] = build(tmp_path_factory.mktemp(name))
        return made[build]

    return command


@pytest.fixture(scope="session")
def verify(commands):
    """Answers what a client says to each token."""

    def answers(client, question):
        if client in PYTHON:
            return PYTHON[client](question)
        return programs.ask(commands(client), {**question, "client": client})

    return answers


@pytest.fixture(scope="session")
def tokens(signing_keys, jwks, issue):
    """Every token of this page by algorithm and name; ``ours`` is the one that has to be accepted."""
    found = {}
    for jwk in jwks["keys"]:
        key, alg = signing_keys[jwk["alg"]], jwk["alg"]
        ours = issue(alg)
        now = ours.now_seconds
        found[alg, "ours"] = ours.token
        forged = without_key(ours.token, public_forms(key.public_key(), jwk))
        forged |= with_key(ours.claims, key, alg=alg, kid=jwk["kid"], now_seconds=now)
        # By another of our keys than the header's kid names.
        other = next(one for one in jwks["keys"] if one is not jwk)
        forged["signed_with_another_key"] = with_key(
            ours.claims, signing_keys[other["alg"]], alg=other["alg"], kid=jwk["kid"], now_seconds=now
        )["an_id_token"]
        found |= {(alg, name): token for name, token in forged.items()}
    return found


@pytest.fixture(scope="session")
def verdicts(verify, tokens, jwks_url, issue):
    """What a client says to all of them; it is asked once."""
    said = {}

    def of(client):
        if client not in said:
            expected = issue("ES256")
            question = {
                "jwks_url": jwks_url,
                "issuer": expected.issuer,
                "audience": expected.audience,
                "tokens": list(tokens.values()),
            }
            said[client] = dict(zip(tokens, verify(client, question), strict=True))
        return said[client]

    return of


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_of_ours_is_accepted(verdicts, tokens, client, alg, claims_of):
    if reason := CANNOT.get((client, alg)):
        assert "refused" in verdicts(client)[alg, "ours"], "it can now: take it from the list"
        pytest.skip(f"{client}: {reason}")
    said = verdicts(client)[alg, "ours"]
    assert without_lists(said.get("claims")) == without_lists(claims_of(tokens[alg, "ours"])), said


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_nothing_that_was_made_of_it_is_accepted(verdicts, client, alg):
    said = {name: answer for (of, name), answer in verdicts(client).items() if of == alg and name != "ours"}
    assert len(said) >= 14
    assert {name: answer for name, answer in said.items() if "refused" not in answer} == {}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_token_without_any_scope_is_accepted(verify, signing_keys, jwks_url, issue, client):
    """Who has no scope has no claim of it: an empty one is none that the grammar knows (RFC 6749 section 3.3)."""
    ours = issue("ES256")
    headers = {"typ": "at+jwt", "kid": "key-ES256"}
    claims = {name: value for name, value in ours.claims.items() if name != "scope"}
    token = jwt.encode(claims, signing_keys["ES256"], algorithm="ES256", headers=headers)
    question = {"jwks_url": jwks_url, "issuer": ours.issuer, "audience": ours.audience, "tokens": [token]}
    (said,) = verify(client, question)
    assert "claims" in said, said


def without_lists(claims):
    """Some libraries answer an audience of one as a list of one (RFC 7519 section 4.1.3 allows both)."""
    if claims is None:
        return None
    audience = claims["aud"]
    return {**claims, "aud": audience[0] if isinstance(audience, list) and len(audience) == 1 else audience}


def test_the_locks_pin_by_digest_and_name_no_registry():
    packages = json.loads((programs.HERE / "node/package-lock.json").read_text("utf-8"))["packages"]
    libraries = {name: package for name, package in packages.items() if name}
    assert list(libraries) == ["node_modules/jose", "node_modules/oauth4webapi"]
    assert all(package["integrity"].startswith("sha512-") for package in libraries.values())
    assert not any("resolved" in package for package in libraries.values())
    sums = (programs.HERE / "go/go.sum").read_text("utf-8").splitlines()
    assert all(line.split()[-1].startswith("h1:") for line in sums)
    assert programs.NIMBUS.split("/")[3] in (programs.HERE / "java/pom.xml").read_text("utf-8")


def test_the_document_says_what_was_tried():
    text = (programs.HERE.parents[1] / "docs/interoperability.md").read_text("utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]
    documented = {name.lower(): (version, cells[: len(ALGORITHMS)]) for name, version, *cells in rows[1:]}
    assert set(documented) == set(CLIENTS)
    for client, (version, can) in documented.items():
        assert can == ["no" if (client, alg) in CANNOT else "yes" for alg in ALGORITHMS], client
        assert version == tried(client)


def tried(client):
    """The version of a client that the tests run."""
    if client in PYTHON:
        return importlib.metadata.version(client)
    pins = {
        "go-oidc": ("go/go.mod", r"go-oidc/v3 v(\S+)"),
        "nimbus-jose-jwt": ("java/pom.xml", r"<version>([\d.]+)</version>\s*</dependency>"),
    }
    file, pattern = pins.get(client, ("node/package.json", rf'"{client}": "(\S+)"'))
    return re.search(pattern, (programs.HERE / file).read_text("utf-8"))[1]
