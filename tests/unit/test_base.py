from __future__ import annotations

import os
import sys
import threading

import pytest

from service import base as base_module
from service.base import build_hasher


@pytest.mark.parametrize(("said", "slots"), [(0, 5), (1, 1), (3, 3)])
async def test_the_memory_that_hashing_may_take_is_told_from_the_start(base, monkeypatch, said, slots):
    monkeypatch.setattr(base_module, "usable_cores", lambda: 5)
    settings = base.settings.model_copy(update={"hash_slots": said})
    object.__setattr__(base, "settings", settings)
    hasher = build_hasher(base)
    told = base.metrics.registry.get_sample_value("keyturn_hash_memory_limit_bytes")
    assert hasher.pool.slots == slots
    assert told == hasher.memory_limit_bytes == slots * hasher.bounds.argon2_memory_kib * 1024
    await hasher.pool.close()


@pytest.mark.parametrize("computes", ["argon2-cffi", "libsodium"])
async def test_the_engine_of_argon2_is_the_one_that_the_settings_name(base, computes):
    object.__setattr__(base, "settings", base.settings.model_copy(update={"argon2_engine": computes}))
    hasher = build_hasher(base)
    assert hasher.engine == computes
    await hasher.pool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")
async def test_hashing_threads_stand_back_as_far_as_the_settings_say(base):
    object.__setattr__(base, "settings", base.settings.model_copy(update={"hash_nice": 17}))
    pool = build_hasher(base).pool
    assert await pool.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())) == 17
    await pool.close()
