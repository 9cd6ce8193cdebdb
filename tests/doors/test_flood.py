"""A flood of other names pushes nothing out of the table that counts: the memory of a process is a help and no more."""

from __future__ import annotations

import pytest

import service.wiring.throttle
from service.signin.flows import SignIn
from service.throttle.memory import Memory
from tests.doors.doors import WRONG_PASSWORD, LoginByAddress
from tests.support.accounts import new_name

CAPACITY = 8


@pytest.fixture
def _small_memory(monkeypatch):
    monkeypatch.setattr(service.wiring.throttle, "Memory", lambda: Memory(CAPACITY))


@pytest.mark.usefixtures("_small_memory")
async def test_names_in_between_neither_reset_the_count_of_an_account_nor_fill_the_memory(scene):
    victim, home = await LoginByAddress.of(scene), scene.move()
    statuses = []
    for _ in range(victim.limit.failures + 2):
        scene.move(home)
        statuses.append((await victim.guess()).status_code)
        for _ in range(CAPACITY // 2):
            scene.move()
            body = {"identifier": f"{new_name()}@example.com", "password": WRONG_PASSWORD}
            assert (await scene.client.post("/v1/login", json=body)).status_code == 401
        memory = scene.client.app.state.services.get(SignIn).throttle.gate.memory
        assert len(memory) <= CAPACITY
    assert statuses == [401] * victim.limit.failures + [429] * 2
