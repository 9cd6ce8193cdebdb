from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from jwt.algorithms import ECAlgorithm

from keyturn.errors import KeyRefused
from keyturn.keys import MAX_KEYS, KeySet, VerifyingKey


@pytest.fixture
def jwk(mint):
    public = ECAlgorithm.to_jwk(mint.ours["es"].public_key(), as_dict=True)
    return {"kty": "EC", "crv": "P-256", "kid": "es", "alg": "ES256", "use": "sig", "x": public["x"], "y": public["y"]}


def test_a_jwk_becomes_a_key(jwk, mint):
    assert VerifyingKey.from_jwk(jwk) == mint.keys["es"]


def test_use_and_key_ops_may_be_absent_or_allow_verifying(jwk, mint):
    del jwk["use"]
    assert VerifyingKey.from_jwk(jwk) == mint.keys["es"]
    assert VerifyingKey.from_jwk(jwk | {"key_ops": ["verify"]}) == mint.keys["es"]


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"use": None},
        {"use": ["sig"]},
        {"key_ops": ["sign"]},
        {"key_ops": []},
        {"key_ops": "verify"},
        {"alg": None},
        {"alg": "HS256"},
        {"alg": "none"},
        {"alg": "ES384"},
        {"alg": ["ES256"]},
        {"alg": "RS256"},
        {"kid": None},
        {"kid": ""},
        {"kid": "../es"},
        {"kid": "a" * 65},
        {"kid": ["es"]},
        {"d": "AQ"},
        {"kty": "oct", "k": "AQ"},
    ],
)
def test_a_jwk_that_must_not_verify_is_refused(change, jwk):
    with pytest.raises(KeyRefused):
        VerifyingKey.from_jwk(jwk | change)


def test_a_key_cannot_be_built_with_another_algorithm_than_its_own(mint):
    for alg in ("RS256", "EdDSA", "HS256", "none"):
        with pytest.raises(KeyRefused):
            VerifyingKey(kid="es", alg=alg, public_key=mint.ours["es"].public_key())


def test_a_key_cannot_be_changed(mint):
    with pytest.raises(FrozenInstanceError):
        mint.keys["es"].alg = "RS256"


def test_a_set_answers_by_kid(jwk, mint):
    keys = KeySet.from_jwks({"keys": [jwk, jwk | {"kid": "es2"}]})
    assert list(keys) == ["es", "es2"]
    assert len(keys) == 2
    assert keys["es"] == mint.keys["es"]
    assert keys.get("gone") is None


def test_an_empty_set_is_a_set():
    assert len(KeySet.from_jwks({"keys": []})) == 0


def test_keys_for_another_use_or_of_an_algorithm_to_come_are_passed_over(jwk):
    others = [jwk | {"kid": "enc", "use": "enc"}, {"kid": "pq", "kty": "AKP", "alg": "ML-DSA-65", "pub": "AQ"}]
    assert list(KeySet.from_jwks({"keys": [*others, jwk]})) == ["es"]


@pytest.mark.parametrize(
    "change", [{"d": "AQ"}, {"use": "enc", "d": "AQ"}, {"alg": "HS256", "kty": "oct"}, {"alg": "X", "k": "AQ"}]
)
def test_a_private_or_symmetric_key_anywhere_refuses_the_whole_set(change, jwk):
    with pytest.raises(KeyRefused):
        KeySet.from_jwks({"keys": [jwk, jwk | {"kid": "other"} | change]})


def test_an_unsound_key_of_ours_refuses_the_whole_set(jwk):
    with pytest.raises(KeyRefused):
        KeySet.from_jwks({"keys": [jwk, jwk | {"kid": "other", "x": jwk["y"]}]})


def test_a_key_without_an_algorithm_refuses_the_whole_set(jwk):
    del jwk["alg"]
    with pytest.raises(KeyRefused):
        KeySet.from_jwks({"keys": [jwk]})


def test_two_keys_of_one_name_are_refused(jwk):
    with pytest.raises(KeyRefused):
        KeySet.from_jwks({"keys": [jwk, jwk]})


@pytest.mark.parametrize("jwks", [{}, {"keys": None}, {"keys": {}}, {"keys": "es"}, {"keys": ["es"]}, {"keys": [None]}])
def test_what_is_no_set_is_refused(jwks):
    with pytest.raises(KeyRefused):
        KeySet.from_jwks(jwks)


def test_a_set_is_bounded(jwk):
    many = [jwk | {"kid": str(number)} for number in range(MAX_KEYS + 1)]
    assert len(KeySet.from_jwks({"keys": many[1:]})) == MAX_KEYS
    with pytest.raises(KeyRefused):
        KeySet.from_jwks({"keys": many})
    with pytest.raises(KeyRefused):
        KeySet.of(*map(VerifyingKey.from_jwk, many))


def test_keys_that_are_passed_over_count_as_well(jwk):
    with pytest.raises(KeyRefused):
        KeySet.from_jwks({"keys": [jwk | {"use": "enc"}] * (MAX_KEYS + 1)})


def test_a_set_cannot_be_changed(mint):
    with pytest.raises(TypeError):
        mint.keys["es"] = mint.keys["rs"]
    with pytest.raises(TypeError):
        mint.keys._keys["es"] = mint.keys["rs"]
