"""In front of every door: what one network may send at all, whatever it says and whoever it is."""

from __future__ import annotations

import pytest

from service.throttle import coarse
from service.throttle.coarse import DEFAULT_RATES, NEVER_LIMITED
from tests.doors.doors import COUNTED_BY_MAIL, LANED
from tests.support.people import refresh

TWO = 2


@pytest.fixture
def _low_rates(monkeypatch):
    monkeypatch.setattr(coarse, "DEFAULT_RATES", dict.fromkeys(DEFAULT_RATES, f"{TWO}/minute"))
    monkeypatch.setattr(coarse, "DEFAULT_REST", f"{TWO}/minute")


@pytest.fixture
def quick(_low_rates, scene):
    """A service where two requests a minute of each kind are many, and of which nothing but the refusal matters."""
    scene.client.event_hooks["response"].clear()
    return scene


async def ask(scene, path, times=1):
    answers = [await scene.client.post(path) for _ in range(times)]
    return [answer.status_code == 429 for answer in answers], answers[-1]


async def test_each_path_has_a_count_for_each_network_which_ends_with_its_minute(quick):
    paths = [*DEFAULT_RATES, "/v1/logout-all"]
    network = quick.move()
    for path in paths:
        refused, last = await ask(quick, path, TWO + 1)
        assert refused == [False] * TWO + [True], path
        assert last.headers["retry-after"] == "60"
    calls = quick.calls()
    for path in paths:
        assert (await ask(quick, path, 3))[0] == [True] * 3
    assert quick.calls() == calls, "a refused request has cost something"
    quick.move()
    for path in paths:
        assert (await ask(quick, path))[0] == [False]
    quick.move(network)
    quick.clock.advance(seconds=60)
    for path in paths:
        assert (await ask(quick, path))[0] == [False]


async def test_each_refusal_is_counted_by_its_route_and_nothing_that_passed(quick):
    def counted(route):
        return quick.sample("keyturn_coarse_refused_total", route=route)

    quick.move()
    for path, route in (("/v1/login", "/v1/login"), ("/v1/logout-all", "rest"), ("/made/up", "rest")):
        before = counted(route)
        refused, _ = await ask(quick, path, TWO + 3)
        assert counted(route) - before == sum(refused) > 0
    assert counted("/made/up") == 0, "a client makes up no label"


async def test_probes_are_always_answered(quick):
    for path in NEVER_LIMITED:
        assert {(await quick.client.get(path)).status_code for _ in range(3 * TWO)} == {200}


async def test_every_door_for_a_secret_or_a_mail_has_a_rate_of_its_own():
    doors = {door.route[1] for door in (*LANED, *COUNTED_BY_MAIL)}
    mails = {"/v1/register", "/v1/email/resend", "/v1/password/forgot"}
    others = {"/v1/refresh", "/v1/password/check", "/v1/email/change/confirm"}
    pages = {"/email/verify", "/email/change", "/password/reset"}
    assert doors | mails | others | pages <= DEFAULT_RATES.keys()


async def test_a_refresh_token_that_is_not_ours_costs_no_call_and_locks_nobody_out(scene, ada, tokens):
    calls = scene.calls()
    ours = tokens["refresh_token"]
    for number in range(50):
        forged = ours[:-1] + ("0" if ours[-1] != "0" else "1") if number % 2 else "ktr_" + "a" * len(ours[4:])
        assert (await refresh(scene.client, forged)).status_code == 401
    assert scene.calls() == calls
    assert (await refresh(scene.client, ours)).status_code == 200
