from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from contextlib import AsyncExitStack
from pathlib import Path

import aioboto3
import pytest

from service.engines.process import EngineProcess
from service.engines.registry import choose
from service.kernel.clock import SystemClock
from service.kernel.entropy import SystemEntropy
from service.migrate.context import MigrateContext
from service.migrate.runner import apply_all
from service.store.client import client_config
from service.store.control import Control
from service.store.dynamo import Dynamo
from service.store.table import TableNames

TABLES = """
def steps(step):
    for name in ("users", "identities", "throttle"):
        yield step.create_table(name, hash_key=("k", "S"), protected=True)
        yield step.enable_ttl(name)
"""
COUNT_UP = """
def steps(step):
    yield step.backfill("throttle", version=1, convert=convert, segments=2, page_items=3, units_per_second=1e6)


def convert(item):
    return {**item, "count": item["count"] + 1}
"""
PROCESSES = 4


class NullMeter:
    def record(self, *, operation, table, seconds, units, failed):
        pass


class Recorder:
    """Notes each change of a table that the engine accepted."""

    def __init__(self, inner, accepted):
        self.inner, self.accepted = inner, accepted

    def __getattr__(self, operation):
        async def call(**request):
            answer = await getattr(self.inner, operation)(**request)
            if operation in {"create_table", "update_table", "update_time_to_live"}:
                self.accepted.append((operation, request["TableName"]))
            return answer

        return call


def open_client(endpoint_url):
    session = aioboto3.Session(aws_access_key_id="keyturn", aws_secret_access_key="keyturn", region_name="us-east-1")
    return session.client("dynamodb", endpoint_url=endpoint_url, config=client_config(validate_parameters=True))


def context_on(client, prefix, directory):
    clock, entropy, names = SystemClock(), SystemEntropy(), TableNames(prefix)
    return MigrateContext(
        control=Control(client=client, names=names, clock=clock, deadline_seconds=10.0),
        dynamo=Dynamo(
            client=client, names=names, clock=clock, entropy=entropy, meter=NullMeter(), deadline_seconds=10.0
        ),
        clock=clock,
        entropy=entropy,
        embedded=True,
        directory=directory,
    )


@pytest.fixture(scope="module")
def engine_url():
    process = EngineProcess(choose("auto"))
    asyncio.run(process.start())
    yield process.endpoint_url
    asyncio.run(process.stop())


async def test_ten_migrators_starting_together_apply_each_step_once(engine_url, tmp_path):
    prefix = f"t{uuid.uuid4().hex[:10]}"
    (tmp_path / "0001_tables.py").write_text(TABLES)
    accepted = []
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(open_client(engine_url)) for _ in range(10)]
        contexts = [context_on(Recorder(client, accepted), prefix, tmp_path) for client in clients]
        reports = await asyncio.gather(*map(apply_all, contexts))
        assert sorted(len(report.applied) for report in reports) == [0] * 9 + [1]
        names = ("users", "identities", "throttle")
        once = [("create_table", f"{prefix}-{name}") for name in (*names, "meta")]
        assert sorted(accepted) == sorted(once + [("update_time_to_live", f"{prefix}-{name}") for name in names])

        for index in range(10):
            item = {"k": {"S": str(index)}, "count": {"N": "0"}}
            await clients[0].put_item(TableName=f"{prefix}-throttle", Item=item)
        (tmp_path / "0002_count_up.py").write_text(COUNT_UP)
        reports = await asyncio.gather(*map(apply_all, contexts))
        assert sum(len(report.applied) for report in reports) == 1
        items = (await clients[0].scan(TableName=f"{prefix}-throttle"))["Items"]
        assert [item["count"]["N"] for item in items] == ["1"] * 10


async def test_processes_starting_together_apply_each_migration_once(engine_url, tmp_path):
    prefix = f"t{uuid.uuid4().hex[:10]}"
    (tmp_path / "0001_tables.py").write_text(TABLES)
    argv = [sys.executable, str(Path(__file__)), engine_url, prefix, str(tmp_path)]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    children = [
        await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE, env=env) for _ in range(PROCESSES)
    ]
    outputs = await asyncio.gather(*(child.communicate() for child in children))
    assert [child.returncode for child in children] == [0] * PROCESSES
    applied = [name for stdout, _ in outputs for name in json.loads(stdout)]
    assert applied == ["0001_tables"]


async def _run_as_a_process(endpoint_url, prefix, directory):
    async with open_client(endpoint_url) as client:
        report = await apply_all(context_on(client, prefix, Path(directory)))
    sys.stdout.write(json.dumps([record.name for record in report.applied]))


if __name__ == "__main__":
    asyncio.run(_run_as_a_process(*sys.argv[1:]))
