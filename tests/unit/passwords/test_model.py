from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.passwords.model import (
    Argon2Cost,
    CostBounds,
    Scheme,
    StoredHash,
    Verdict,
    Why,
    parse_stored,
)

SALT, DIGEST = "bm90LXNvLXNlY3JldA", "r6e9teU4IOmt3ctZHzI6VIseIEJl2lB35+mgKAvu7RQ"
ARGON2 = f"$argon2id$v=19$m=19456,t=2,p=1${SALT}${DIGEST}"
PBKDF2 = "pbkdf2_sha256$1000000$abcDEF123$UHzgFViFqnnA/3JEzX68j7R3we3gQftXcQ5kGq3xT1s="
BCRYPT = "$2b$12$pdNSahEB.wvBTq2s1XfRLOZ/YG4sLcLLhc3akgtI14dS2Tj/Ce.I."
BOUNDS = CostBounds()


def parsed(stored, bounds=BOUNDS):
    return parse_stored(stored, bounds=bounds)


@pytest.mark.parametrize(
    ("stored", "scheme", "text"),
    [
        (ARGON2, Scheme.ARGON2, ARGON2),
        (ARGON2.replace("v=19", "v=16"), Scheme.ARGON2, ARGON2.replace("v=19", "v=16")),
        (ARGON2.replace("v=19$", ""), Scheme.ARGON2, ARGON2.replace("v=19$", "")),
        (ARGON2.replace("argon2id", "argon2i"), Scheme.ARGON2, ARGON2.replace("argon2id", "argon2i")),
        ("argon2" + ARGON2, Scheme.ARGON2, ARGON2),
        (PBKDF2, Scheme.DJANGO_PBKDF2_SHA256, PBKDF2),
        (BCRYPT, Scheme.BCRYPT, BCRYPT),
        (BCRYPT.replace("2b", "2a", 1), Scheme.BCRYPT, BCRYPT.replace("2b", "2a", 1)),
        (BCRYPT.replace("2b", "2y", 1), Scheme.BCRYPT, BCRYPT.replace("2b", "2y", 1)),
        ("bcrypt$" + BCRYPT, Scheme.BCRYPT, BCRYPT),
        ("bcrypt_sha256$" + BCRYPT, Scheme.DJANGO_BCRYPT_SHA256, "bcrypt_sha256$" + BCRYPT),
    ],
)
def test_a_hash_of_a_known_form_is_read(stored, scheme, text):
    assert parsed(stored) == StoredHash(scheme=scheme, text=text)


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "!",
        "plaintext password",
        ARGON2 + "\n",
        ARGON2 + "=",
        ARGON2[:40],
        ARGON2.replace("argon2id", "argon2d"),
        ARGON2.replace("argon2id", "argon2ID"),
        ARGON2.replace("v=19", "v=20"),
        ARGON2.replace("m=19456", "m=019456"),
        ARGON2.replace("m=19456", "m=-1"),
        ARGON2.replace("m=19456", "m=\u0661"),
        ARGON2.replace("m=19456", "m=0"),
        ARGON2.replace("t=2", "t=0"),
        ARGON2.replace("p=1", "p=0"),
        ARGON2.replace("m=19456,t=2,p=1", "m=15,t=2,p=2"),
        ARGON2.replace("p=1", "p=1,keyid=x"),
        ARGON2.replace("p=1", "p=1,data=eA"),
        ARGON2.replace("m=19456", "m=" + "9" * 400),
        PBKDF2.replace("1000000", "0"),
        PBKDF2.replace("1000000", "-5"),
        PBKDF2.replace("1000000", "01000"),
        PBKDF2.replace("pbkdf2_sha256", "pbkdf2_sha1"),
        PBKDF2[:-1],
        BCRYPT.replace("2b", "2x", 1),
        BCRYPT.replace("2b", "2", 1),
        BCRYPT.replace("$12$", "$03$"),
        BCRYPT.replace("$12$", "$32$"),
        BCRYPT.replace("$12$", "$1$"),
        BCRYPT[:28] + "z" + BCRYPT[29:],
        BCRYPT[:-1] + "z",
        BCRYPT[:-1],
        "bcrypt_sha256$" + BCRYPT[:-1],
        "bcrypt$bcrypt$" + BCRYPT,
        "argon2argon2" + ARGON2,
        ARGON2 + "\ud800",
        ARGON2 + "A" * 400_000,
    ],
)
def test_anything_else_is_malformed(stored):
    assert parsed(stored) is Why.MALFORMED_HASH


@pytest.mark.parametrize(
    ("form", "bound"),
    [
        ("$argon2id$v=19$m={},t=2,p=1$" + f"{SALT}${DIGEST}", BOUNDS.argon2_memory_kib),
        ("$argon2id$v=19$m=19456,t={},p=1$" + f"{SALT}${DIGEST}", BOUNDS.argon2_time),
        ("$argon2id$v=19$m=19456,t=2,p={}$" + f"{SALT}${DIGEST}", BOUNDS.argon2_lanes),
        (PBKDF2.replace("1000000", "{}"), BOUNDS.pbkdf2_rounds),
        (BCRYPT.replace("12", "{}"), BOUNDS.bcrypt_cost),
        ("bcrypt_sha256$" + BCRYPT.replace("12", "{}"), BOUNDS.bcrypt_cost),
    ],
)
def test_attack_a_stored_hash_that_asks_for_too_much_is_not_computed(form, bound):
    assert isinstance(parsed(form.format(bound)), StoredHash)
    assert parsed(form.format(bound + 1)) is Why.HASH_OVER_BOUND


def test_memory_of_a_terabyte_is_over_the_bound_and_no_overflow():
    assert parsed(ARGON2.replace("19456", "4294967295")) is Why.HASH_OVER_BOUND


@given(st.text(max_size=120))
def test_any_text_is_read_or_refused(text):
    assert parsed(text) is Why.MALFORMED_HASH or isinstance(parsed(text), StoredHash)


@pytest.mark.parametrize(("memory_kib", "time", "lanes"), [(7, 1, 1), (15, 1, 2), (8, 0, 1), (8, 1, 0), (-8, -1, -1)])
def test_a_cost_that_argon2_cannot_have_is_refused_and_not_rounded_up(memory_kib, time, lanes):
    with pytest.raises(ValueError, match="argon2 needs"):
        Argon2Cost(memory_kib=memory_kib, time=time, lanes=lanes)


def test_the_default_cost_is_19_mib_two_passes_one_lane():
    assert Argon2Cost() == Argon2Cost(memory_kib=19 * 1024, time=2, lanes=1)


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, 10**6))
def test_what_is_read_is_within_every_bound(memory, time, lanes):
    stored = f"$argon2id$v=19$m={memory},t={time},p={lanes}${SALT}${DIGEST}"
    if isinstance(parsed(stored), StoredHash):
        assert 8 * lanes <= memory <= BOUNDS.argon2_memory_kib
        assert time <= BOUNDS.argon2_time
        assert lanes <= BOUNDS.argon2_lanes
    else:
        over = memory > BOUNDS.argon2_memory_kib or time > BOUNDS.argon2_time or lanes > BOUNDS.argon2_lanes
        assert over or memory < 8 * lanes


@pytest.mark.parametrize("why", Why)
def test_only_a_match_is_ok(why):
    assert Verdict.no(why).ok == (why is Why.MATCH)
    assert Verdict.yes(needs_rehash=False).ok
