"""Stands for the service in the tests that kill it: ``owner.py ENGINE DIR`` writes items, says so, and waits."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import aioboto3

from service.engines.process import EngineProcess
from service.engines.registry import choose

ITEMS = 20


async def main(name: str, data_dir: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    session = aioboto3.Session(
        aws_access_key_id="keyturn", aws_secret_access_key="not-a-secret", region_name="us-east-1"
    )
    async with (
        EngineProcess(choose(name), data_dir=data_dir) as engine,
        session.client("dynamodb", region_name="us-east-1", endpoint_url=engine.endpoint_url) as client,
    ):
        await client.create_table(
            TableName="kept",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "N"}],
        )
        for number in range(ITEMS):
            await client.put_item(TableName="kept", Item={"k": {"N": str(number)}})
        sys.stdout.write(f"{engine.endpoint_url}\n")
        sys.stdout.flush()
        await asyncio.sleep(60)


asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
