from __future__ import annotations

import subprocess
import sys

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyturn import base64url, errors, verifier
from keyturn.keys import KeySet
from keyturn.verifier import MAX_LEEWAY_SECONDS, verify

# A busy machine, or the first run that builds Hypothesis's tables, is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KID = {"ES256": "es", "EdDSA": "ed", "RS256": "rs"}


def expectations(base):
    return {name: base[name] for name in ("expected_issuer", "expected_audience", "now_ms", "leeway_seconds")}


def test_ecdsa_twin_nothing_may_be_keyed_on_the_bytes_of_a_token(mint, base):
    """Anybody can turn s into n - s: another text, the same token. Caches and deny-lists go by ``token_id``."""
    token = mint.token()
    signed, _, signature = token.rpartition(".")
    r_and_s = base64url.decode(signature)
    s = int.from_bytes(r_and_s[32:])
    twin = f"{signed}.{base64url.encode(r_and_s[:32] + (P256_ORDER - s).to_bytes(32, 'big'))}"
    assert twin != token
    principals = [verify(text, keys=mint.keys, **expectations(base)) for text in (token, twin)]
    assert principals[0] == principals[1]


@pytest.mark.parametrize("alg", KID)
@PATIENT
@given(data=st.data())
def test_a_token_changed_in_one_character_is_refused(alg, data, mint, base):
    token = mint.token({"header": {"alg": alg, "kid": KID[alg]}})
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters())
    if token[at] == other:
        return
    with pytest.raises(errors.TokenError):
        verify(token[:at] + other + token[at + 1 :], keys=mint.keys, **expectations(base))


@PATIENT
@given(data=st.data())
def test_a_token_with_a_piece_cut_out_moved_or_doubled_is_refused(data, mint, base):
    token = mint.token()
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(token))] * 2)))
    times = data.draw(st.sampled_from([0, 2, 3]))
    changed = token[:first] + token[first:second] * times + token[second:]
    if changed == token:
        return
    with pytest.raises(errors.TokenError):
        verify(changed, keys=mint.keys, **expectations(base))


@PATIENT
@given(text=st.text())
def test_any_text_is_refused_with_a_token_error(text, mint, base):
    with pytest.raises(errors.TokenError):
        verify(text, keys=mint.keys, **expectations(base))


@pytest.mark.parametrize("alg", KID)
@PATIENT
@given(data=st.data())
def test_any_signature_of_the_right_size_is_refused(alg, data, mint, base):
    size = 256 if alg == "RS256" else 64
    header, claims, _ = mint.token({"header": {"alg": alg, "kid": KID[alg]}}).split(".")
    signature = base64url.encode(data.draw(st.binary(min_size=size, max_size=size)))
    with pytest.raises(errors.BadSignature):
        verify(f"{header}.{claims}.{signature}", keys=mint.keys, **expectations(base))


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(alphabet=st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="abc", max_size=3), inner, max_size=3),
    max_leaves=4,
)
CLAIM_NAMES = ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "sid", "auth_time", "amr", "acr", "nbf"]


@PATIENT
@given(claims=st.dictionaries(st.sampled_from(CLAIM_NAMES), JSON_VALUES, min_size=1))
def test_any_signed_claims_are_a_principal_or_refused_with_a_token_error(claims, mint, base):
    try:
        principal = mint.verify({"claims": claims})
    except errors.TokenError:
        return
    assert principal.subject
    assert type(principal.expires_at) is int
    assert all(isinstance(method, str) for method in principal.amr)


def test_one_key_set_does_not_open_what_another_closes(mint, base):
    with pytest.raises(errors.UnknownKey):
        verify(mint.token(), keys=KeySet.of(), **expectations(base))


def test_an_unknown_key_costs_no_signature_check(mint, base, monkeypatch):
    monkeypatch.setattr(verifier, "check_signature", lambda *_, **__: pytest.fail("the signature was checked"))
    with pytest.raises(errors.UnknownKey):
        verify(mint.token({"header": {"kid": "gone"}}), keys=mint.keys, **expectations(base))


def test_no_claim_is_judged_before_the_signature(mint, base):
    recipe = {"sign": "by another ES256 key", "claims": {"exp": 1, "iss": "x"}, "without_claims": ["sub"]}
    with pytest.raises(errors.BadSignature):
        mint.verify(recipe)


@pytest.mark.parametrize("leeway_seconds", [-1, MAX_LEEWAY_SECONDS + 1, 10**9])
def test_a_leeway_out_of_range_is_the_callers_mistake(leeway_seconds, mint):
    with pytest.raises(ValueError, match="leeway_seconds"):
        mint.verify(leeway_seconds=leeway_seconds)


def test_the_longest_leeway_is_allowed(mint):
    assert mint.verify(leeway_seconds=MAX_LEEWAY_SECONDS, now_ms=1800000329_999)


def test_by_default_clocks_may_be_two_seconds_apart(mint, base):
    expected = expectations(base)
    del expected["leeway_seconds"]
    assert verify(mint.token(), keys=mint.keys, **(expected | {"now_ms": 1799999998_000}))
    with pytest.raises(errors.NotYetValid):
        verify(mint.token(), keys=mint.keys, **(expected | {"now_ms": 1799999997_999}))


def test_a_life_up_to_the_longest_allowed_is_accepted(mint):
    assert mint.verify(max_lifetime_seconds=300)
    with pytest.raises(errors.InvalidClaim):
        mint.verify(max_lifetime_seconds=299)


def test_a_refusal_tells_nothing_of_the_token(mint):
    for recipe in ({"sign": "in DER"}, {"claims": {"sub": "\nsomebody"}}, {"raw_claims": ',"sub":"somebody"'}):
        with pytest.raises(errors.TokenError) as caught:
            mint.verify(recipe)
        assert "somebody" not in repr(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


def test_codes_are_stable_and_each_its_own():
    classes = errors.TokenError.__subclasses__()
    codes = {error.code for error in classes}
    assert len(codes) == len(classes) == 15
    assert all(f"{error.__name__}" in errors.__doc__ and error.code in errors.__doc__ for error in classes)


def test_pyjwt_alone_takes_what_we_refuse(mint, base):
    """Why the pre-parser exists: when this fails, PyJWT has become stricter and the vectors can stay."""
    options = {"verify_exp": False, "verify_iat": False}
    for recipe in (
        {"raw_claims": ',"exp":1900000000'},
        {"without_claims": ["exp"], "raw_claims": ',"exp":1e308'},
        {"claims_encoding": "utf-16"},
        {"claims_segment": "padded"},
        {"header": {"typ": "JWT"}},
        {"sign": "the twin"},
    ):
        decoded = jwt.decode(
            mint.token(recipe),
            mint.ours["es"].public_key(),
            algorithms=["ES256"],
            audience=base["expected_audience"],
            options=options,
        )
        assert decoded["sub"] == base["claims"]["sub"]


def test_importing_the_verifier_brings_in_no_framework_no_client_and_nothing_of_the_service():
    program = "import sys, keyturn; assert 'jwt' not in sys.modules; import keyturn.verifier; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert not {"httpx", "service", "fastapi", "flask", "django", "pydantic"} & set(done.stdout.split())
