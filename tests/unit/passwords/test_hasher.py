from __future__ import annotations

import asyncio
import base64
import hashlib
import threading
import unicodedata
from itertools import count

import argon2.low_level
import bcrypt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.errors import TooManyRequests, Unavailable
from service.kernel.secret import Secret
from service.passwords.hasher import PasswordHasher
from service.passwords.model import Argon2Cost, CostBounds, Why, parse_stored
from service.passwords.pool import HashingPool

CHEAP = Argon2Cost(memory_kib=8, time=1, lanes=1)
RIGHT, WRONG = "seven bright red ducks", "seven bright red drakes"


class CountingEntropy:
    def __init__(self):
        self._numbers = count()

    def token_bytes(self, size_bytes):
        return next(self._numbers).to_bytes(size_bytes, "big")


@pytest.fixture
async def pool():
    pool = HashingPool(slots=2, queue=8)
    yield pool
    await pool.close()


@pytest.fixture
def hasher(pool):
    return PasswordHasher(pool=pool, entropy=CountingEntropy(), cost=CHEAP)


@pytest.fixture
def argon2_runs(monkeypatch, hasher):
    """The hashes that argon2 was asked to check from here on."""
    runs, real = [], argon2.low_level.verify_secret

    def spy(stored, secret, kind):
        runs.append(stored.decode())
        return real(stored, secret, kind)

    monkeypatch.setattr(argon2.low_level, "verify_secret", spy)
    return runs


def argon2_hash(password, *, memory=8, time=1, lanes=1, kind=argon2.low_level.Type.ID, version=19):
    made = argon2.low_level.hash_secret(
        password.encode(), b"0123456789abcdef", time, memory, lanes, 32, kind, version=version
    )
    return made.decode()


def pbkdf2_hash(password, *, rounds=1000, salt="abcDEF123"):
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), rounds)
    return f"pbkdf2_sha256${rounds}${salt}${base64.b64encode(digest).decode()}"


def bcrypt_hash(password, *, ident="2b"):
    made = bcrypt.hashpw(password.encode()[:72], b"$2b$04$abcdefghijklmnopqrstuu").decode()
    return made.replace("2b", ident, 1)


def bcrypt_sha256_hash(password):
    digest = hashlib.sha256(password.encode()).hexdigest().encode()
    return "bcrypt_sha256$" + bcrypt.hashpw(digest, b"$2b$04$abcdefghijklmnopqrstuu").decode()


FOREIGN = {
    "django pbkdf2": pbkdf2_hash,
    "bcrypt 2a": lambda password: bcrypt_hash(password, ident="2a"),
    "bcrypt 2b": bcrypt_hash,
    "bcrypt 2y": lambda password: bcrypt_hash(password, ident="2y"),
    "django bcrypt": lambda password: "bcrypt$" + bcrypt_hash(password),
    "django bcrypt_sha256": bcrypt_sha256_hash,
    "django argon2": lambda password: "argon2" + argon2_hash(password),
    "argon2 of another memory": lambda password: argon2_hash(password, memory=16),
    "argon2 of another time": lambda password: argon2_hash(password, time=2),
    "argon2 of other lanes": lambda password: argon2_hash(password, memory=16, lanes=2),
    "argon2i": lambda password: argon2_hash(password, kind=argon2.low_level.Type.I),
    "argon2 version 1.0": lambda password: argon2_hash(password, version=16),
    "argon2 version left out": lambda password: argon2_hash(password, version=16).replace("v=16$", ""),
}
each_foreign = pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN.keys())


async def test_a_hash_is_argon2id_with_the_cost_that_was_asked_for(hasher):
    stored = await hasher.hash(Secret(RIGHT))
    assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert argon2.low_level.verify_secret(stored.encode(), RIGHT.encode(), argon2.low_level.Type.ID)


async def test_the_salt_comes_from_the_entropy_that_was_handed_in(hasher):
    salts = [(await hasher.hash(Secret(RIGHT))).split("$")[4] for _ in range(2)]
    # 0 and 1 went into the decoy.
    assert [base64.b64decode(salt + "==") for salt in salts] == [bytes(15) + b"\x02", bytes(15) + b"\x03"]


async def test_the_right_password_matches_and_needs_nothing_more(hasher):
    verdict = await hasher.verify(Secret(RIGHT), await hasher.hash(Secret(RIGHT)))
    assert verdict.ok
    assert not verdict.needs_rehash


async def test_a_wrong_password_does_not_match(hasher):
    verdict = await hasher.verify(Secret(WRONG), await hasher.hash(Secret(RIGHT)))
    assert (verdict.ok, verdict.why, verdict.needs_rehash) == (False, Why.MISMATCH, False)


async def test_an_unknown_user_has_no_password(hasher):
    verdict = await hasher.verify(Secret(RIGHT), None)
    assert (verdict.ok, verdict.why) == (False, Why.NO_PASSWORD)


async def test_with_the_real_cost_a_password_matches_and_another_does_not(pool):
    hasher = PasswordHasher(pool=pool, entropy=CountingEntropy())
    stored = await hasher.hash(Secret(RIGHT))
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await hasher.verify(Secret(RIGHT), stored)).ok
    assert not (await hasher.verify(Secret(WRONG), stored)).ok
    assert not (await hasher.verify(Secret(RIGHT), None)).ok


@each_foreign
async def test_a_foreign_hash_is_verified_and_asks_to_be_replaced(hasher, make):
    verdict = await hasher.verify(Secret(RIGHT), make(RIGHT))
    assert verdict.ok
    assert verdict.needs_rehash


@each_foreign
async def test_a_wrong_password_on_a_foreign_hash_does_not_match(hasher, make):
    verdict = await hasher.verify(Secret(WRONG), make(RIGHT))
    assert (verdict.ok, verdict.why, verdict.needs_rehash) == (False, Why.MISMATCH, False)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        # Django, tests/auth_tests/test_hashers.py: test_pbkdf2, test_argon2 (twice), test_argon2_version_upgrade.
        ("lètmein", "pbkdf2_sha256$390000$seasalt$8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c="),
        (
            "secret",
            (
                "argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$"
                "gwQOXSNhxiOxPOA0+PY10P9QFO4NAYysnqRt1GSQLE55m+2GYDt9FEjPMHhP2Cuf0nOEXXMocVrsJAtNSsKyfg"
            ),
        ),
        ("secret", "argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q"),
        ("secret", "argon2$argon2id$v=19$m=102400,t=2,p=8$Y041dExhNkljRUUy$TMa6A8fPJhCAUXRhJXCXdw"),
        # Openwall crypt_blowfish, wrapper.c.
        ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ],
)
async def test_a_hash_that_another_system_published_is_verified(hasher, typed, stored):
    verdict = await hasher.verify(Secret(typed), stored)
    assert (verdict.ok, verdict.needs_rehash) == (True, True)
    assert not (await hasher.verify(Secret(typed + "x"), stored)).ok


async def test_every_spelling_of_a_password_opens_our_own_hash(hasher):
    stored = await hasher.hash(Secret("sieben rote Gänse ①"))
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert (await hasher.verify(Secret(unicodedata.normalize(form, "sieben rote Gänse ①")), stored)).ok


@pytest.mark.parametrize("make", [pbkdf2_hash, bcrypt_hash, bcrypt_sha256_hash])
async def test_a_foreign_hash_is_checked_as_it_was_made_with_what_was_typed(hasher, make):
    typed = "sieben rote Ga\u0308nse \u2460"
    assert (await hasher.verify(Secret(typed), make(typed))).ok


async def test_a_foreign_bcrypt_hash_of_a_long_password_is_verified_by_its_72_octets(hasher):
    long = "ä" * 50  # 100 octets, cut in the middle of none
    assert (await hasher.verify(Secret(long), bcrypt_hash(long))).ok
    assert (await hasher.verify(Secret("ä" * 36 + "something else"), bcrypt_hash(long))).ok
    assert not (await hasher.verify(Secret("ä" * 35), bcrypt_hash(long))).ok


async def test_a_published_bcrypt_hash_of_more_than_72_octets_is_verified(hasher):
    # Openwall crypt_blowfish, wrapper.c.
    stored = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
    read = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    assert (await hasher.verify(Secret(read + "chars after 72 are ignored"), stored)).ok
    assert not (await hasher.verify(Secret(read[:71]), stored)).ok


async def test_our_own_hash_of_a_long_password_is_of_all_of_it(hasher):
    stored = await hasher.hash(Secret("a" * 255 + "b"))
    assert (await hasher.verify(Secret("a" * 255 + "b"), stored)).ok
    assert not (await hasher.verify(Secret("a" * 255 + "c"), stored)).ok


async def test_bcrypt_sha256_reads_the_whole_of_a_long_password(hasher):
    assert (await hasher.verify(Secret("a" * 100), bcrypt_sha256_hash("a" * 100))).ok
    assert not (await hasher.verify(Secret("a" * 99), bcrypt_sha256_hash("a" * 100))).ok


@pytest.mark.parametrize("typed", ["a" * 257, "a" * 5000, "half \ud800", "nul\0byte", "\u0301" * 100_000])
@pytest.mark.parametrize("make", [lambda: None, lambda: argon2_hash(RIGHT), lambda: bcrypt_hash("nul")])
async def test_what_no_policy_lets_through_matches_nothing_and_raises_nothing(hasher, typed, make, argon2_runs):
    verdict = await hasher.verify(Secret(typed), make())
    assert (verdict.ok, verdict.why) == (False, Why.NOT_PRESENTABLE)
    assert len(argon2_runs) == 1
    with pytest.raises(ValueError, match="policy"):
        await hasher.hash(Secret(typed))


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        ("", Why.MALFORMED_HASH),
        ("!unusable", Why.MALFORMED_HASH),
        (RIGHT, Why.MALFORMED_HASH),
        ("$argon2id$v=19$m=8,t=1,p=1$" + "A" * 13 + "$" + "A" * 43, Why.MALFORMED_HASH),
        ("$argon2id$v=19$m=8,t=1,p=1$" + "A" * 22 + "$" + "A" * 42 + "B", Why.MALFORMED_HASH),
        ("$argon2id$v=19$m=4194304,t=2,p=1$" + "A" * 22 + "$" + "A" * 43, Why.HASH_OVER_BOUND),
        ("pbkdf2_sha256$4000000000$salt$" + "A" * 43 + "=", Why.HASH_OVER_BOUND),
        ("$2b$31$" + "." * 53, Why.HASH_OVER_BOUND),
    ],
)
async def test_attack_a_stored_hash_that_is_broken_or_dear_costs_one_decoy(hasher, stored, why, argon2_runs):
    async with asyncio.timeout(30):
        verdict = await hasher.verify(Secret(RIGHT), stored)
    assert (verdict.ok, verdict.why) == (False, why)
    assert argon2_runs[-1].startswith("$argon2id$v=19$m=8,t=1,p=1$")


async def test_attack_telling_users_apart_by_time_an_unknown_user_costs_what_a_wrong_password_costs(
    hasher, argon2_runs
):
    stored = await hasher.hash(Secret(RIGHT))
    await hasher.verify(Secret(WRONG), stored)
    wrong, argon2_runs[:] = list(argon2_runs), []
    await hasher.verify(Secret(WRONG), None)
    assert len(wrong) == len(argon2_runs) == 1
    costs = {run.rsplit("$", 2)[0] for run in wrong + argon2_runs}
    assert costs == {"$argon2id$v=19$m=8,t=1,p=1"}


@each_foreign
async def test_attack_telling_users_apart_by_time_a_foreign_hash_is_never_quicker(hasher, make, argon2_runs):
    await hasher.verify(Secret(WRONG), make(RIGHT))
    assert argon2_runs[-1] == hasher._decoy


async def test_the_decoy_is_made_by_chance_and_is_nobodys_password(pool):
    class Other(CountingEntropy):
        def token_bytes(self, size_bytes):
            return b"\x07" * size_bytes

    one = PasswordHasher(pool=pool, entropy=CountingEntropy(), cost=CHEAP)
    other = PasswordHasher(pool=pool, entropy=Other(), cost=CHEAP)
    assert one._decoy != other._decoy
    assert not (await one.verify(Secret(RIGHT), None)).ok


HASH_FORMS = st.one_of(
    st.from_regex(
        r"\$argon2(id|i|d)\$(v=(16|19|20)\$)?m=(8|16),t=1,p=[012]\$[A-Za-z0-9+/]{8,30}\$[A-Za-z0-9+/]{14,60}",
        fullmatch=True,
    ),
    st.from_regex(r"pbkdf2_sha(1|256)\$[0-9]{1,3}\$[A-Za-z0-9]{0,9}\$[A-Za-z0-9+/]{42,44}=?", fullmatch=True),
    st.from_regex(r"(bcrypt\$|bcrypt_sha256\$)?\$2[abxy]?\$0[45]\$[./A-Za-z0-9]{52,54}", fullmatch=True),
    st.text(max_size=60),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(stored=HASH_FORMS, typed=st.text(st.characters(), max_size=40))
def test_no_stored_hash_makes_a_check_raise_or_open(hasher, stored, typed):
    assert not hasher._judge(Secret(typed), stored).ok


async def test_a_full_queue_is_told_and_nothing_is_hashed(hasher, argon2_runs):
    hasher.pool.queue = 0
    hold = threading.Event()
    tasks = [asyncio.create_task(hasher.pool.run(hold.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await hasher.verify(Secret(RIGHT), None)
    with pytest.raises(Unavailable):
        await hasher.hash(Secret(RIGHT))
    hold.set()
    await asyncio.gather(*tasks)
    assert argon2_runs == []


async def test_the_throttle_has_a_last_look_before_anything_is_hashed(hasher, argon2_runs):
    async def limited():
        raise TooManyRequests(retry_after_seconds=3)

    with pytest.raises(TooManyRequests):
        await hasher.verify(Secret(RIGHT), None, on_slot=limited)
    assert argon2_runs == []


async def test_a_machine_without_memory_is_unavailable_and_says_no_hash(hasher, monkeypatch):
    def no_memory(*_, **__):
        raise argon2.exceptions.VerificationError("Memory allocation error")

    def no_memory_to_hash(*_, **__):
        raise argon2.exceptions.HashingError("Memory allocation error")

    stored = await hasher.hash(Secret(RIGHT))
    monkeypatch.setattr(argon2.low_level, "verify_secret", no_memory)
    monkeypatch.setattr(argon2.low_level, "hash_secret", no_memory_to_hash)
    for attempt in (hasher.verify(Secret(RIGHT), None), hasher.verify(Secret(RIGHT), stored), hasher.hash(Secret("x"))):
        with pytest.raises(Unavailable) as refused:
            await attempt
        assert "$argon2" not in str(refused.value)
        assert refused.value.__suppress_context__


def test_the_most_memory_is_slots_times_the_dearest_hash(hasher):
    assert hasher.memory_limit_bytes == 2 * 131_072 * 1024


@pytest.mark.parametrize("cost", [Argon2Cost(memory_kib=131_073), Argon2Cost(time=9), Argon2Cost(lanes=17)])
def test_a_cost_whose_hashes_could_not_be_checked_is_refused(pool, cost):
    with pytest.raises(ValueError, match="over the bound"):
        PasswordHasher(pool=pool, entropy=CountingEntropy(), cost=cost)


async def test_what_is_made_is_within_the_bounds_it_is_read_with(hasher):
    assert not isinstance(parse_stored(await hasher.hash(Secret(RIGHT)), bounds=CostBounds()), Why)


def test_nothing_of_a_hash_shows_in_the_hashers_own_text(hasher):
    assert "$argon2" not in repr(hasher)
