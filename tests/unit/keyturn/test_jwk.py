from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from keyturn.errors import KeyRefused
from keyturn.jwk import check_fits, check_public, public_key

# A busy machine, or the first run that builds Hypothesis's tables, is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

TO_JWK = {"ES256": ECAlgorithm, "EdDSA": OKPAlgorithm, "RS256": RSAAlgorithm}
KID = {"ES256": "es", "EdDSA": "ed", "RS256": "rs"}


def encoded(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "==")


@pytest.fixture
def jwk_of(mint):
    return lambda alg: dict(TO_JWK[alg].to_jwk(mint.ours[KID[alg]].public_key(), as_dict=True))


@pytest.mark.parametrize("alg", TO_JWK)
def test_a_sound_key_is_read(alg, jwk_of, mint):
    assert public_key(jwk_of(alg), alg=alg) == mint.ours[KID[alg]].public_key()


@pytest.mark.parametrize("alg", TO_JWK)
@pytest.mark.parametrize("other", TO_JWK)
def test_a_key_is_of_one_algorithm_alone(alg, other, jwk_of, mint):
    if alg != other:
        with pytest.raises(KeyRefused):
            public_key(jwk_of(alg), alg=other)
        with pytest.raises(KeyRefused):
            check_fits(mint.ours[KID[alg]].public_key(), alg=other)


@pytest.mark.parametrize(
    ("alg", "change"),
    [
        ("ES256", {"kty": "RSA"}),
        ("ES256", {"kty": None}),
        ("ES256", {"crv": "P-384"}),
        ("ES256", {"crv": "secp256k1"}),
        ("ES256", {"x": None}),
        ("ES256", {"x": 7}),
        ("ES256", {"x": ""}),
        ("ES256", {"x": encoded(bytes(33))}),
        ("ES256", {"x": encoded(bytes(31))}),
        ("ES256", {"x": encoded(bytes(32)) + "="}),
        ("EdDSA", {"crv": "X25519"}),
        ("EdDSA", {"crv": "Ed448"}),
        ("EdDSA", {"x": encoded(bytes(31))}),
        ("EdDSA", {"kty": "EC"}),
        ("RS256", {"kty": "EC"}),
        ("RS256", {"crv": "P-256"}),
        ("RS256", {"e": "Aw"}),
        ("RS256", {"e": "AAEAAQ"}),
        ("RS256", {"e": "AQAA"}),
        ("RS256", {"n": "AQ"}),
        ("RS256", {"n": None}),
    ],
)
def test_a_wrong_parameter_is_refused(alg, change, jwk_of):
    with pytest.raises(KeyRefused):
        public_key(jwk_of(alg) | change, alg=alg)


@pytest.mark.parametrize("x", [bytes(32), b"\xff" * 32, bytes(31) + b"\1"])
def test_a_point_that_is_not_on_the_curve_is_refused(x, jwk_of):
    with pytest.raises(KeyRefused) as caught:
        public_key(jwk_of("ES256") | {"x": encoded(x)}, alg="ES256")
    assert caught.value.__context__ is None


def test_a_coordinate_has_one_spelling_though_another_means_the_same_number(jwk_of):
    jwk = jwk_of("ES256")
    with pytest.raises(KeyRefused, match="wrong size"):
        public_key(jwk | {"x": encoded(b"\0" + decoded(jwk["x"]))}, alg="ES256")


def test_an_rsa_number_with_a_leading_zero_is_refused(jwk_of):
    jwk = jwk_of("RS256")
    with pytest.raises(KeyRefused, match="leading zero"):
        public_key(jwk | {"n": encoded(b"\0" + decoded(jwk["n"]))}, alg="RS256")


@pytest.mark.parametrize("bits", [1024, 2047])
def test_a_small_rsa_key_is_refused(bits):
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    with pytest.raises(KeyRefused):
        public_key(RSAAlgorithm.to_jwk(key, as_dict=True), alg="RS256")


def test_an_rsa_key_so_large_that_verifying_costs_seconds_is_refused(jwk_of):
    with pytest.raises(KeyRefused, match="too large"):
        public_key(jwk_of("RS256") | {"n": encoded(b"\xff" * 1025)}, alg="RS256")


def test_a_large_rsa_key_is_refused_as_an_object_too():
    numbers = rsa.RSAPublicNumbers(e=65537, n=(1 << 8192) + 1)
    with pytest.raises(KeyRefused):
        check_fits(numbers.public_key(), alg="RS256")


def test_an_rsa_exponent_of_three_is_refused():
    key = rsa.generate_private_key(public_exponent=3, key_size=2048).public_key()
    with pytest.raises(KeyRefused):
        check_fits(key, alg="RS256")


def test_another_curve_is_refused_as_an_object_too():
    with pytest.raises(KeyRefused):
        check_fits(ec.generate_private_key(ec.SECP384R1()).public_key(), alg="ES256")


def test_a_key_of_no_known_type_is_refused(mint):
    for key in (ed448.Ed448PrivateKey.generate().public_key(), mint.ours["es"], b"secret"):
        with pytest.raises(KeyRefused):
            check_fits(key, alg="EdDSA")


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_private_member_is_refused(member, jwk_of):
    with pytest.raises(KeyRefused, match="private"):
        check_public(jwk_of("RS256") | {member: "AQ"})


def test_a_symmetric_key_is_refused():
    with pytest.raises(KeyRefused, match="symmetric"):
        check_public({"kty": "oct"})


VALUES = st.none() | st.integers() | st.text(max_size=50) | st.binary(max_size=64).map(encoded) | st.lists(st.text())


@PATIENT
@given(
    st.sampled_from([("ES256", "EC", "P-256"), ("EdDSA", "OKP", "Ed25519"), ("RS256", "RSA", None)]),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("x", "y", "n", "e"), VALUES)),
)
def test_any_parameters_are_a_key_or_refused(kind, members):
    alg, kty, crv = kind
    with suppress(KeyRefused):
        check_fits(public_key({"kty": kty, "crv": crv, **members}, alg=alg), alg=alg)
