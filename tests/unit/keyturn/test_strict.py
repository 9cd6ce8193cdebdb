from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyturn.errors import BadHeader, BadSignature, Malformed, TokenError, TooLarge, WrongAlgorithm, WrongType
from keyturn.strict import MAX_HEADER_CHARACTERS, MAX_TOKEN_CHARACTERS, parse

# A busy machine, or the first run that builds Hypothesis's tables, is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
HEADERS = st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "jwk"]), JSON_VALUES) | st.fixed_dictionaries(
    {"alg": st.sampled_from(["ES256", "none", "RS256"]), "typ": st.just("at+jwt"), "kid": st.sampled_from(["es", "x"])}
)


def segment(value):
    raw = json.dumps(value).encode("utf-8", "surrogatepass") if not isinstance(value, bytes) else value
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def parses_or_refuses(token):
    with suppress(TokenError):
        parse(token)


@PATIENT
@given(st.text())
def test_any_text_is_parsed_or_refused_with_a_token_error(text):
    parses_or_refuses(text)


@PATIENT
@given(st.lists(st.binary(max_size=40), min_size=3, max_size=3))
def test_any_three_segments_are_parsed_or_refused_with_a_token_error(segments):
    parses_or_refuses(".".join(map(segment, segments)))


@PATIENT
@given(HEADERS, JSON_VALUES, st.binary(min_size=64, max_size=64))
def test_any_json_is_parsed_or_refused_with_a_token_error(header, claims, signature):
    parses_or_refuses(f"{segment(header)}.{segment(claims)}.{segment(signature)}")


def test_a_token_as_issued_comes_apart(mint, base):
    token = mint.token()
    parsed = parse(token)
    assert (parsed.kid, parsed.alg) == ("es", "ES256")
    assert parsed.header == base["header"]
    assert parsed.claims == base["claims"]
    assert parsed.signing_input.decode() == token.rpartition(".")[0]
    assert len(parsed.signature) == 64


def test_what_is_known_of_a_header_cannot_be_changed_and_says_nothing_of_the_claims(mint, base):
    header = segment(base["header"])
    first = parse(f"{header}.{segment({'sub': 'ada'})}.{segment(bytes(64))}")
    with pytest.raises(TypeError):
        first.header["alg"] = "none"
    second = parse(f"{header}.{segment({'sub': 'bob'})}.{segment(bytes(range(64)))}")
    assert (second.kid, second.alg, second.header) == ("es", "ES256", base["header"])
    assert (first.claims, second.claims) == ({"sub": "ada"}, {"sub": "bob"})
    assert first.signing_input != second.signing_input
    assert first.signature != second.signature


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"typ": "JWT"}, WrongType),
        ({"alg": "none"}, WrongAlgorithm),
        ({"kid": "../es"}, BadHeader),
        ({"jwk": {}}, BadHeader),
    ],
)
def test_a_header_that_is_nearly_a_known_one_is_judged_by_itself_each_time(mint, base, change, error):
    parse(mint.token())
    forged = f"{segment(base['header'] | change)}.{segment(base['claims'])}.{segment(bytes(64))}"
    for _ in range(2):
        with pytest.raises(error):
            parse(forged)


def test_a_parsed_token_shows_nothing_of_its_claims(mint):
    assert repr(parse(mint.token())) == "ParsedToken(kid='es', alg='ES256')"


@pytest.mark.parametrize(("length", "error"), [(MAX_TOKEN_CHARACTERS, Malformed), (MAX_TOKEN_CHARACTERS + 1, TooLarge)])
def test_the_whole_token_is_bounded(length, error):
    with pytest.raises(error):
        parse("A" * length)


@pytest.mark.parametrize("length", [10**6, 10**7])
def test_a_huge_text_is_refused_before_it_is_looked_at(length):
    with pytest.raises(TooLarge):
        parse("." * length)


@pytest.mark.parametrize(
    ("length", "error"), [(MAX_HEADER_CHARACTERS, Malformed), (MAX_HEADER_CHARACTERS + 1, TooLarge)]
)
def test_the_header_is_bounded(length, error):
    with pytest.raises(error):
        parse("A" * length + ".e30.AA")


@pytest.mark.parametrize(
    ("alg", "size", "fits"),
    [
        ("ES256", 64, True),
        ("ES256", 63, False),
        ("ES256", 70, False),
        ("ES256", 72, False),
        ("EdDSA", 65, False),
        ("RS256", 255, False),
        ("RS256", 256, True),
        ("RS256", 1024, True),
        ("RS256", 1025, False),
    ],
)
def test_a_signature_of_the_wrong_size_is_refused_without_a_key(alg, size, fits):
    header = {"alg": alg, "typ": "at+jwt", "kid": "es"}
    token = f"{segment(header)}.e30.{segment(b'A' * size)}"
    if fits:
        assert len(parse(token).signature) == size
    else:
        with pytest.raises(BadSignature):
            parse(token)
