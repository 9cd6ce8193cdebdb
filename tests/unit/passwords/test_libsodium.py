from __future__ import annotations

import argon2.low_level
import pytest
from argon2.low_level import Type
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.secret import Secret
from service.passwords import libsodium
from service.passwords.hasher import PasswordHasher
from service.passwords.libsodium import LibsodiumArgon2
from service.passwords.model import Argon2Cost, Why
from service.passwords.pool import HashingPool
from service.settings import SettingsError, load

CHEAP = Argon2Cost(memory_kib=8, time=1, lanes=1)
RIGHT, WRONG = "seven bright red ducks", "seven bright red drakes"
costs = st.tuples(st.integers(8, 64), st.integers(1, 3))
salts = st.binary(min_size=16, max_size=16)
secrets = st.binary(max_size=64)


class Counting:
    def __init__(self):
        self.number = 0

    def token_bytes(self, size_bytes):
        self.number += 1
        return self.number.to_bytes(size_bytes, "big")


def by_argon2_cffi(secret, *, salt=bytes(16), memory=8, time=1, lanes=1, kind=Type.ID, version=19, size=32):
    made = argon2.low_level.hash_secret(secret, salt, time, memory, lanes, size, kind, version)
    return made.decode()


@pytest.fixture
def computed(monkeypatch):
    """What libsodium was asked for."""
    seen, real = [], libsodium.crypto_pwhash_alg

    def spy(*args):
        seen.append(args)
        return real(*args)

    monkeypatch.setattr(libsodium, "crypto_pwhash_alg", spy)
    return seen


@pytest.fixture
async def hashers():
    pool = HashingPool(slots=2, queue=8)
    yield [
        PasswordHasher(pool=pool, entropy=Counting(), cost=CHEAP, engine=one) for one in ("argon2-cffi", "libsodium")
    ]
    await pool.close()


@given(secret=secrets, salt=salts, cost=costs)
def test_libsodium_makes_the_hash_that_argon2_cffi_makes(secret, salt, cost):
    memory, time = cost
    handler = LibsodiumArgon2.using(
        type="ID", memory_cost=memory, time_cost=time, parallelism=1, salt=salt, hash_len=32
    )
    assert handler.hash(secret) == by_argon2_cffi(secret, salt=salt, memory=memory, time=time)


@given(secret=secrets, other=secrets, salt=salts, cost=costs)
def test_libsodium_believes_the_same_passwords(secret, other, salt, cost):
    stored = by_argon2_cffi(secret, salt=salt, memory=cost[0], time=cost[1])
    assert LibsodiumArgon2.verify(secret, stored)
    assert LibsodiumArgon2.verify(other, stored) == (secret == other)


async def test_either_engine_checks_what_the_other_has_made(hashers):
    for maker in hashers:
        stored = await maker.hash(Secret(RIGHT))
        for checker in hashers:
            assert (await checker.verify(Secret(RIGHT), stored)).ok
            assert not (await checker.verify(Secret(RIGHT), stored)).needs_rehash
            assert (await checker.verify(Secret(WRONG), stored)).why is Why.MISMATCH


async def test_an_unknown_user_costs_what_a_known_one_costs(hashers, computed):
    hasher = hashers[1]
    stored = await hasher.hash(Secret(RIGHT))
    asked = []
    for one in (stored, None):
        computed.clear()
        await hasher.verify(Secret(WRONG), one)
        asked.append([(size, rounds, memory) for size, _, _, rounds, memory, _ in computed])
    assert asked[0] == asked[1]
    assert len(asked[0]) == 1


@pytest.mark.parametrize(
    "parameters",
    [{"lanes": 2, "memory": 16}, {"kind": Type.I}, {"version": 16}, {"salt": bytes(8)}, {"size": 12}],
    ids=lambda parameters: next(iter(parameters)),
)
async def test_what_libsodium_does_not_know_is_checked_by_the_other_engine(hashers, computed, parameters):
    stored = by_argon2_cffi(RIGHT.encode(), **parameters)
    assert LibsodiumArgon2.verify(RIGHT.encode(), stored)
    assert not LibsodiumArgon2.verify(WRONG.encode(), stored)
    assert not computed
    if "size" not in parameters:
        assert (await hashers[1].verify(Secret(RIGHT), stored)).ok


def test_memory_that_is_not_there_is_an_error_and_no_answer():
    stored = by_argon2_cffi(RIGHT.encode()).replace("m=8,", "m=4194304000,")
    with pytest.raises(ValueError, match=r"memlimit|argon2id"):
        LibsodiumArgon2.verify(RIGHT.encode(), stored)


def test_settings_refuse_lanes_that_libsodium_does_not_know(environ):
    chosen = {**environ, "KEYTURN_ARGON2_ENGINE": "libsodium"}
    assert load(chosen).argon2_engine == "libsodium"
    with pytest.raises(SettingsError, match="KEYTURN_ARGON2_PARALLELISM=1"):
        load({**chosen, "KEYTURN_ARGON2_PARALLELISM": "2", "KEYTURN_ARGON2_MEMORY_KIB": "16"})


async def test_a_hasher_refuses_lanes_that_libsodium_does_not_know():
    pool = HashingPool(slots=1, queue=1)
    with pytest.raises(ValueError, match="one lane"):
        PasswordHasher(
            pool=pool, entropy=Counting(), cost=Argon2Cost(memory_kib=16, time=1, lanes=2), engine="libsodium"
        )
    await pool.close()
