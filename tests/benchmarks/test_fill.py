"""The filled store: its rows are what the engine itself would have written, and the service works on them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from random import Random

import aioboto3
import pytest

from benchmarks.fill.engine_file import KEYS, file_row, write_rows
from benchmarks.fill.people import Town
from benchmarks.fill.run import Comparison, report
from benchmarks.fill.store import ENGINE, Filled, Size, filled
from benchmarks.harness.measure import Figures, Sample
from benchmarks.harness.wire import Wire
from service.engines.process import EngineProcess
from service.engines.registry import available_engines, choose
from service.store.codec import encode_item
from service.store.table import Table, TableNames

NOW_MS = 1_795_000_000_000
HASH = "$argon2id$v=19$m=19456,t=2,p=1$" + "a" * 22 + "$" + "b" * 43
TOWN = Town(users=20, sessions=40, seed=3, now_ms=NOW_MS, kid=1, password_hash=HASH)
NAMES = TableNames("fill")

pytestmark = pytest.mark.skipif(
    ENGINE not in {engine.name for engine in available_engines()}, reason=f"{ENGINE} cannot be had here"
)


def rows():
    for number in range(TOWN.users):
        yield from TOWN.person(number, "e1#" + f"{number:064x}")
    for number, owner in enumerate(TOWN.owners(Random(3))):
        yield TOWN.session(TOWN.token(number, owner), number)


async def make_tables(client):
    for table, keys in KEYS.items():
        kinds = {"uid": "B", "sid": "B", "sk": "S", "k": "S"}
        await client.create_table(
            TableName=NAMES.of(table),
            KeySchema=[
                {"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kinds[name]} for name in keys],
            BillingMode="PAY_PER_REQUEST",
        )


def client_of(engine):
    session = aioboto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
    return session.client("dynamodb", endpoint_url=engine.endpoint_url)


def engine_rows(path, table):
    with closing(sqlite3.connect(path)) as file:
        found = file.execute(f'SELECT pk, sk, item_json, item_size FROM "{NAMES.of(table)}" ORDER BY pk, sk')
        return [(pk, sk, json.loads(text), size) for pk, sk, text, size in found]


async def test_a_row_is_what_the_engine_writes_for_the_same_item(tmp_path):
    async with EngineProcess(choose(ENGINE), data_dir=tmp_path) as engine, client_of(engine) as client:
        await make_tables(client)
        for table, item in rows():
            await client.put_item(TableName=NAMES.of(table), Item=encode_item(item))
    path = tmp_path / "engine" / ENGINE / "dynoxide.db"
    for table in KEYS:
        ours = sorted(file_row(of, item) for of, item in rows() if of is table)
        assert engine_rows(path, table) == [(pk, sk, json.loads(text), size) for pk, sk, text, size in ours]


async def test_the_engine_finds_what_was_written_into_its_file(tmp_path):
    async with EngineProcess(choose(ENGINE), data_dir=tmp_path) as engine, client_of(engine) as client:
        await make_tables(client)
    path = tmp_path / "engine" / ENGINE / "dynoxide.db"
    assert write_rows(path, NAMES, rows()) == TOWN.users * 3 + TOWN.sessions
    async with EngineProcess(choose(ENGINE), data_dir=tmp_path) as engine, client_of(engine) as client:
        for table, item in rows():
            key = encode_item({name: item[name] for name in KEYS[table]})
            found = await client.get_item(TableName=NAMES.of(table), Key=key, ConsistentRead=True)
            assert found["Item"] == encode_item(item)


async def test_the_service_knows_the_people_and_the_sessions_of_a_filled_store(tmp_path):
    size = Size(name="tiny", users=8, sessions=30, asked=6)
    async with filled(tmp_path, size) as (target, how):
        assert how.items == 8 * 3 + 30
        async with Wire(target.running.url) as wire:
            for operation in target.operations.values():
                for _ in range(3):
                    await operation(wire, 0)


def rounds(*slow, slow_ms):
    """Rounds of a hundred latencies of 5 ms, of which so many took ``slow_ms`` instead."""
    for few in slow:
        latencies = [0.005] * (100 - few) + [slow_ms / 1000] * few
        yield Sample(
            operations=100, cpu_ms=1, per_second=1, p50_ms=5, p99_ms=latencies[99] * 1000, latencies_seconds=latencies
        )


def compared(figures):
    sizes = [Size(name=name, users=1, sessions=1, asked=1) for name in ("small", "filled")]
    how = Filled(items=4, seconds=1, file_bytes=2**30)
    return Comparison(small=sizes[0], large=sizes[1], filled={"filled": how}, figures=figures, rounds=3, seconds=4)


def test_a_slower_p99_is_seen():
    # Two of the three rounds of the filled store have nothing slow: their median would hide the third.
    small, large = rounds(5, 5, 5, slow_ms=10), rounds(12, 0, 0, slow_ms=13)
    done = compared({("small", "refresh"): Figures(list(small)), ("filled", "refresh"): Figures(list(large))})
    assert done.worst() == pytest.approx(1.3)
    assert "| refresh | 5.00 | 5.00 | 1.00 | 10.00 | 13.00 | 1.30 | 300 |" in report(done)


def test_one_slow_answer_of_many_rounds_is_no_p99():
    small, large = rounds(0, 0, 0, slow_ms=10), rounds(1, 1, 0, slow_ms=500)
    done = compared({("small", "sign in"): Figures(list(small)), ("filled", "sign in"): Figures(list(large))})
    assert done.worst() == pytest.approx(1)


def test_the_table_says_how_it_was_made():
    said = report(compared({}))
    assert "3 interleaved rounds of 4 s, and of 8 s for sign in; p50 and p99 are of the latencies of all rounds" in said


def test_a_town_is_the_same_each_time_and_its_people_are_not_alike():
    assert [item for _, item in rows()] == [item for _, item in rows()]
    ids = [TOWN.user_id(number) for number in range(TOWN.users)]
    assert len(set(ids)) == TOWN.users
    table, session = TOWN.session(TOWN.token(5, 2), 5)
    assert (table, session["uid"], session["st"]) == (Table.SESSIONS, ids[2], "a")
    assert session["rt"] < NOW_MS < session["ix"] < session["ax"]
