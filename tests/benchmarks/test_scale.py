"""The simulation behind docs/scale.md: it costs what operations cost, and can tell an even load from a hot one."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest

from benchmarks.scale.behaviour import CORE_MS, SCENARIOS, SIZES, Behaviour, Scenario
from benchmarks.scale.operations import Operations, Touch
from benchmarks.scale.partitions import add_up, heat_of
from benchmarks.scale.run import PAGE, column, heats, section
from benchmarks.scale.traffic import Traffic
from service.tokens.model import Algorithm
from tests.docs.costs.page import BESIDE_A_FEED, DOCUMENTED
from tests.docs.markdown import ROOT

SMALL = Scenario(name="small", behaviour=Behaviour(users=100_000))
PRICES = {**DOCUMENTED, **BESIDE_A_FEED}


def priced(*names, writes=0):
    """What the price list says of operations together, beside a feed, and ``writes`` more."""
    return sum(PRICES[name][0] for name in names) + writes, sum(PRICES[name][1] for name in names)


WRONG = {
    priced("sign in, wrong password"),
    # Each fifth failure of a network is written.
    priced("sign in, wrong password", writes=1),
}
EXPECTED = {
    "refresh": {priced("refresh")},
    "hot refresh": {priced("refresh")},
    "sign in": {priced("sign in"), priced("sign in on a new device")},
    "wrong password": WRONG,
    "guess at many": WRONG,
    "guess at one": {*WRONG, priced("sign in, while limited")},
    "log out": {priced("log out")},
    "sign up": {priced("register", "confirm the address")},
    "reset": {priced("forgot", "reset with the link")},
}
"""Whatever chance makes of each operation of the simulation."""
PARTS = {
    "register": lambda do: do.register(1, 2, "key"),
    "confirm the address": lambda do: do.confirm(1, "key"),
    "forgot": lambda do: do.forgot(1, 2),
    "reset with the link": lambda do: do.reset(1),
}


def units(touches):
    found = list(touches)
    return sum(touch.writes for touch in found), sum(touch.reads for touch in found)


def by_table(touches):
    found = Counter()
    for touch in touches:
        found[touch.table] += touch.writes + touch.reads
    return found


def test_every_operation_of_the_simulation_has_its_price_here():
    assert set(EXPECTED) == set(SMALL.rates()) >= set(CORE_MS)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_operation_takes_the_units_that_the_price_list_says(name):
    traffic = Traffic(SMALL, Random(1))
    assert {units(traffic.once(name)) for _ in range(200)} == EXPECTED[name]


@pytest.mark.parametrize("name", PARTS)
def test_each_step_of_a_journey_takes_the_units_that_the_price_list_says(name):
    assert units(PARTS[name](Operations(Random(1)))) == priced(name)


def test_a_failure_is_written_where_its_tally_was_read():
    for is_known in (True, False):
        touches = list(Operations(Random(1)).wrong_password(1, 2, is_known=is_known, fills_batch=True))
        tallies = [touch for touch in touches if touch.table == "throttle"]
        written = {touch.key for touch in tallies if touch.writes}
        assert written == {touch.key for touch in tallies if touch.reads}
        assert {key.partition("#")[0] for key in written} == {"device" if is_known else "account", "address"}


def test_so_many_sign_ins_are_on_new_devices_as_people_are_said_to_have():
    traffic = Traffic(SMALL, Random(1))
    found = Counter(units(traffic.once("sign in")) for _ in range(2_000))
    assert found[priced("sign in on a new device")] / 2_000 == pytest.approx(0.3, abs=0.04)


def test_a_process_reads_by_itself_what_the_price_list_says():
    nobody = Scenario(name="nobody", load=0, processes=1)
    touches = list(Traffic(nobody, Random(1)).by_themselves())
    _, polled = priced("poll the feed, the first in a second")
    expected = {"keys": 3 / 30, "outbox": 4 / 15, "revocations": polled}
    assert by_table(touches) == pytest.approx(expected)
    assert sum(touch.writes for touch in touches) == 0
    # A key of the table for each algorithm, and not one for all.
    keys = {touch.key for touch in touches if touch.table == "keys"}
    assert len(keys) == len(Algorithm) == 3


def test_each_process_reads_what_was_ended_again_and_again():
    assert "`r * 0.02 * (14 / c + 1)`" in (ROOT / "docs/cost.md").read_text("utf-8")
    alone = Scenario(name="alone", processes=1)
    ended = alone.rates()["log out"] + alone.rates()["reset"]
    read = by_table(Traffic(alone, Random(1)).by_themselves())["revocations"]
    assert ended > 0
    assert read == pytest.approx(4 + ended * 0.02 * (14 / 1 + 1))


def test_full_processes_are_as_busy_as_they_can_be():
    for scenario in SIZES[:3]:
        busy_ms = sum(rate * CORE_MS.get(name, 0) for name, rate in scenario.rates().items())
        assert busy_ms == pytest.approx(scenario.processes * 1000, rel=0.1)


def test_an_even_load_fills_no_partition():
    assert all(heat.grown.hottest < 1 for heat in heats(SMALL))


def test_an_even_load_is_too_much_for_a_table_that_has_not_grown():
    even = [Touch("sessions", str(number), writes=1) for number in range(9_000)]
    heat = heat_of("sessions", add_up(even)["sessions"], items=1_000)
    assert (heat.cold.count, heat.grown.count) == (4, 18)
    assert heat.needs_warming
    assert heat.cold.hottest > 2
    assert 0.5 < heat.grown.hottest < 1
    assert not heat.breaks


def test_a_key_that_everybody_writes_is_found():
    even = [Touch("sessions", str(number), writes=1) for number in range(5_000)]
    hot = [Touch("sessions", "the same", writes=1)] * 1_500
    assert not heat_of("sessions", add_up(even)["sessions"], items=1_000).breaks
    assert heat_of("sessions", add_up([*even, *hot])["sessions"], items=1_000).breaks


def test_a_run_can_be_repeated():
    assert section(SMALL) == section(SMALL)


def test_the_page_shows_every_scenario_with_its_tables():
    text = PAGE.read_text("utf-8")
    for scenario in SCENARIOS:
        title = f"### {scenario.name[0].upper()}{scenario.name[1:]}"
        assert title in text
        part = text.split(title, 1)[1].split("### ", 1)[0]
        assert len(re.findall(r"^\| (?!table|---)", part, re.MULTILINE)) >= 8


def test_the_first_scenario_of_the_page_is_what_the_program_says():
    assert section(SCENARIOS[0]) in PAGE.read_text("utf-8")


def test_the_sizes_of_the_page_are_what_the_program_says():
    block = PAGE.read_text("utf-8").split("<!-- sizes -->\n", 1)[1].split("<!-- end of sizes -->", 1)[0]
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()]
    assert head[1:] == [scenario.name for scenario in SIZES]
    # That of a hundred machines takes as long as all the rest.
    for at in (0, 1, 3):
        assert {row[0]: row[at + 1] for row in rows} == column(SIZES[at])
