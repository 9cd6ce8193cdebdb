"""The simulation behind docs/scale.md: it costs what operations cost, and can tell an even load from a hot one."""

from __future__ import annotations

import re
from random import Random

import pytest

from benchmarks.scale.behaviour import SCENARIOS, Behaviour, Scenario
from benchmarks.scale.partitions import add_up, heat_of
from benchmarks.scale.run import PAGE, heats, section
from benchmarks.scale.traffic import Touch, Traffic
from tests.docs.costs.page import DOCUMENTED

SMALL = Scenario(name="small", behaviour=Behaviour(users=100_000))


def units(touches):
    found = list(touches)
    return sum(touch.writes for touch in found), sum(touch.reads for touch in found)


@pytest.mark.parametrize(
    ("operation", "documented"),
    [
        (lambda traffic: traffic.refresh(1), "refresh"),
        (lambda traffic: traffic.sign_in(1), "sign in"),
    ],
    ids=["refresh", "sign in"],
)
def test_an_operation_takes_the_units_that_the_price_list_says(operation, documented):
    assert units(operation(Traffic(SMALL, Random(1)))) == DOCUMENTED[documented]


def test_an_even_load_fills_no_partition():
    assert all(heat.hottest_partition < 1 for heat in heats(SMALL))


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
