"""The benchmarks' own count of DynamoDB units: made outside the server, and the same as the documented one."""

from __future__ import annotations

import pytest

from benchmarks.harness.units import NotCounted, Units, units_of
from benchmarks.report_units import dollars, unit_lines
from benchmarks.targets.context import Context
from benchmarks.units import count
from tests.docs.costs.page import DOCUMENTED, DOLLARS_PER_MILLION, counts_right

SAME = {
    "sign up": "register",
    "confirm the address": "confirm the address",
    "sign in": "sign in",
    "refresh": "refresh",
    "log out": "log out",
}


@counts_right
@pytest.mark.timeout(300)
async def test_the_proxy_counts_what_the_document_says(engine_url, tmp_path):
    found = await count(["keyturn"], Context(folder=tmp_path, engine_url=engine_url, short=True))
    counted = {step: (units.write_units, units.read_units) for (_, step), units in found.items()}
    assert counted == {step: DOCUMENTED[name] for step, name in SAME.items()}
    for (_, step), units in found.items():
        assert str(dollars(units)) == DOLLARS_PER_MILLION[SAME[step]]
    assert found["keyturn", "refresh"].calls == 2


def test_units_are_those_of_the_answer_by_kind_of_call():
    assert units_of("GetItem", 200, {"ConsumedCapacity": {"CapacityUnits": 2.0}}) == Units(calls=1, read_units=2)
    transaction = {"ConsumedCapacity": [{"CapacityUnits": 4.0}, {"CapacityUnits": 2.0}]}
    assert units_of("TransactWriteItems", 200, transaction) == Units(calls=1, write_units=6)


def test_a_refused_write_is_a_unit_though_its_answer_does_not_say_so():
    refused = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}
    assert units_of("UpdateItem", 400, refused) == Units(calls=1, write_units=1)


@pytest.mark.parametrize(("status", "answer"), [(200, {"Item": {}}), (500, {"__type": "#InternalServerError"})])
def test_an_answer_that_does_not_say_what_it_consumed_is_not_taken_for_free(status, answer):
    with pytest.raises(NotCounted):
        units_of("GetItem", status, answer)


def test_the_cheapest_server_comes_first_and_peers_elsewhere_are_named():
    units = {("dear", "refresh"): Units(calls=2, write_units=2), ("cheap", "refresh"): Units(calls=1, read_units=1)}
    text = "\n".join(unit_lines(units))
    assert "| refresh | cheap | 1 | 0 | 1 | 0.13 |\n| refresh | dear | 2 | 2 | 0 | 1.25 |" in text
    assert "| any | keycloak | not on DynamoDB: its embedded database | | | |" in text
