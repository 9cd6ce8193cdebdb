from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keyturn.jwk import PRIVATE_MEMBERS
from keyturn.keys import VerifyingKey
from service.tokens import material
from service.tokens.model import Algorithm

# RFC 7638 section 3.1
RFC_7638_KEY = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
    "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
    "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
    "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
# RFC 8037 appendix A.3
RFC_8037_KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


@pytest.fixture(scope="module", params=list(Algorithm), ids=str)
def made(request):
    return request.param, material.generate(request.param)


def test_the_thumbprint_is_that_of_rfc_7638s_example():
    assert material.thumbprint(RFC_7638_KEY) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_the_thumbprint_is_that_of_rfc_8037s_example():
    assert material.thumbprint(RFC_8037_KEY) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_public_key_is_taken_by_the_guard_library_and_verifies_for_its_one_algorithm(made):
    algorithm, key = made
    verifying = VerifyingKey.from_jwk(material.public_jwk(key, algorithm))
    assert verifying.alg == algorithm.value
    assert verifying.public_key == key.public_key()


def test_a_public_key_holds_no_private_member_and_names_itself(made):
    algorithm, key = made
    jwk = material.public_jwk(key, algorithm)
    assert PRIVATE_MEMBERS.isdisjoint(jwk)
    assert (jwk["alg"], jwk["use"], jwk["kid"]) == (algorithm.value, "sig", material.thumbprint(jwk))


def test_a_key_comes_back_from_its_bytes(made):
    algorithm, key = made
    again = material.from_der(material.to_der(key))
    assert material.public_jwk(again, algorithm) == material.public_jwk(key, algorithm)


def test_keys_have_the_strength_that_the_standards_ask_for(made):
    algorithm, key = made
    match key:
        case rsa.RSAPrivateKey():
            assert (algorithm, key.key_size, key.public_key().public_numbers().e) == (Algorithm.RS256, 3072, 65537)
        case ec.EllipticCurvePrivateKey():
            assert (algorithm, key.curve.name) == (Algorithm.ES256, "secp256r1")
        case ed25519.Ed25519PrivateKey():
            assert algorithm is Algorithm.EDDSA


def test_no_two_keys_are_alike():
    made = {material.public_jwk(material.generate(Algorithm.ES256), Algorithm.ES256)["kid"] for _ in range(20)}
    assert len(made) == 20


def test_coordinates_are_padded_to_their_full_width():
    # A coordinate with a leading zero byte comes about once in 128 keys.
    for scalar in range(1, 400):
        jwk = material.public_jwk(ec.derive_private_key(scalar, ec.SECP256R1()), Algorithm.ES256)
        assert len(jwk["x"]) == len(jwk["y"]) == 43


def test_a_key_of_a_kind_that_we_do_not_sign_with_is_refused():
    der = dsa.generate_private_key(1024).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(TypeError):
        material.from_der(der)


def test_there_is_no_symmetric_algorithm():
    assert {algorithm.value for algorithm in Algorithm} == {"ES256", "EdDSA", "RS256"}
