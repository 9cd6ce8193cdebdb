"""What holds for every input of a form: a second reader agrees, and nothing of a stranger's decides for another."""

from __future__ import annotations

import base64
import unicodedata

import jwt
from argon2 import extract_parameters
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keyturn.bearer import read_bearer
from keyturn.strict import parse
from service.kernel.email import Email, parse_email
from service.kernel.identifier import parse_identifier
from service.kernel.text import NameRefusal
from service.kernel.username import parse_username
from service.passwords.model import Argon2Cost, CostBounds, Scheme, StoredHash, parse_stored
from service.web.client_ip import client_address

KEY = ec.derive_private_key(7, ec.SECP256R1())
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.none() | st.integers(-(2**53), 2**53),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
DATES = st.fixed_dictionaries({"exp": st.integers(0, 2**40), "iat": st.integers(0, 2**40)})
ADDRESSES = st.builds("{}@{}.example".format, st.from_regex(r"[a-zA-Z0-9+]{1,12}", fullmatch=True), st.just("Bücher"))
HOPS = st.lists(st.ip_addresses().map(str) | st.text("0123456789abcf.:[] x", max_size=12), max_size=4).map(", ".join)


@settings(max_examples=60)
@given(
    st.dictionaries(TEXTS.filter(lambda name: name not in {"exp", "iat", "iss", "sub", "jti"}), VALUES, max_size=4),
    DATES,
)
def test_every_token_that_another_library_makes_in_our_form_is_read_as_that_library_reads_it(claims, dates):
    token = jwt.encode(claims | dates, KEY, algorithm="ES256", headers={"typ": "at+jwt", "kid": "es"})
    parsed = parse(token)
    theirs = jwt.decode_complete(token, options={"verify_signature": False})
    assert dict(parsed.claims) == theirs["payload"] == claims | dates
    assert dict(parsed.header) == theirs["header"]
    assert parsed.signature == theirs["signature"]


@given(ADDRESSES, st.randoms(use_true_random=False))
def test_an_address_is_one_account_however_it_is_typed(address, chance):
    typed = "".join(chance.choice([letter.upper(), letter.lower()]) for letter in address)
    forms = [parse_email(unicodedata.normalize(form, text)) for form in ("NFC", "NFD") for text in (address, typed)]
    assert len({found.canonical for found in forms}) == 1
    assert parse_identifier(typed).canonical == forms[0].canonical


@given(st.text(max_size=20), st.text(max_size=20))
def test_two_names_are_one_account_only_where_they_differ_in_case_and_composition(first, second):
    for parse_name in (parse_email, parse_username):
        one, other = (
            parse_name(f"{text}@example.com" if parse_name is parse_email else text) for text in (first, second)
        )
        if isinstance(one, NameRefusal) or isinstance(other, NameRefusal):
            continue
        assert (one.canonical == other.canonical) == (first.lower() == second.lower())


@given(st.text("aA.@1", max_size=12))
def test_no_text_is_an_address_and_a_username(text):
    assert not (isinstance(parse_email(text), Email) and not isinstance(parse_username(text), NameRefusal))


@given(
    st.tuples(st.integers(8, 200_000), st.integers(1, 12), st.integers(1, 20)), st.binary(min_size=8, max_size=32),
    st.binary(min_size=16, max_size=64), st.sampled_from(["argon2id", "argon2i"]),
)  # fmt: skip
def test_an_argon2_hash_is_read_as_its_own_library_reads_it(parameters, salt, digest, kind):
    memory, time, lanes = parameters
    assume(memory >= 8 * lanes)
    salt_text, digest_text = (base64.b64encode(part).decode().rstrip("=") for part in (salt, digest))
    text = f"${kind}$v=19$m={memory},t={time},p={lanes}${salt_text}${digest_text}"
    theirs = extract_parameters(text)
    cost = Argon2Cost(memory_kib=theirs.memory_cost, time=theirs.time_cost, lanes=theirs.parallelism)
    found = parse_stored(text, bounds=CostBounds())
    if CostBounds().allow_argon2(cost):
        assert found == StoredHash(scheme=Scheme.ARGON2, text=text)
    else:
        assert not isinstance(found, StoredHash)


@given(st.lists(HOPS, min_size=1, max_size=3), HOPS, st.integers(1, 3))
def test_spoofing_what_a_client_writes_before_the_hops_of_its_proxies_changes_nothing(lines, invented, proxies):
    assume(len(",".join(lines).split(",")) >= proxies)
    asked = {"peer": "192.0.2.1", "trusted_proxies": proxies}
    assert client_address(forwarded_for=[invented, *lines], **asked) == client_address(forwarded_for=lines, **asked)
    joined = ", ".join([invented, *lines])
    assert client_address(forwarded_for=[joined], **asked) == client_address(forwarded_for=lines, **asked)


@given(
    st.from_regex(r"[A-Za-z0-9\-._~+/]{1,60}={0,3}", fullmatch=True), st.sampled_from(["Bearer", "bearer", "BEARER"])
)
def test_every_token_in_the_form_of_rfc_6750_is_read_whole(token, scheme):
    assert read_bearer([f"{scheme} {token}"]) == token
