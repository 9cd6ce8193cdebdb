"""The lean client on a stub server, and the store's port over it."""

from __future__ import annotations

from contextlib import asynccontextmanager

from service.store.dynamo import Dynamo
from service.store.lean.client import LeanClient
from service.store.lean.opening import host_header
from service.store.lean.pool import Endpoint, Pool, PoolLimits
from service.store.lean.signer import Signer
from service.store.operations import Put
from service.store.table import Table, TableNames
from tests.support.clock import ManualClock
from tests.support.store import CountedEntropy, RecordingMeter
from tests.support.stub_dynamo import refusal

GET = {"TableName": "t", "Key": {"k": {"S": "a"}}}
PUT = Put(table=Table.IDENTITIES, item={"k": "a"}, condition="attribute_not_exists(k)")
ITEM = {"Item": {"k": {"S": "a"}, "b": {"B": "AAE="}}}
BUSY = refusal("ThrottlingException")
AWAY = refusal("InternalServerError", status=500)


class StillCredentials:
    """Keys that stay."""

    access_key, secret_key, token = "AKID", "secret", None

    async def get_frozen_credentials(self):
        return self


@asynccontextmanager
async def opened(stub, *, credentials=None, connections=8, answer_seconds=5.0):
    clock = ManualClock()
    host, port = stub.url.removeprefix("http://").split(":")
    limits = PoolLimits(connections=connections, connect_seconds=5, answer_seconds=answer_seconds, keep_seconds=50)
    pool = Pool(Endpoint(hostname=host, port=int(port), tls=None), limits, clock)
    try:
        yield LeanClient(
            plain=object(),
            line=pool,
            signer=Signer(host=host_header(stub.url), region="us-east-1"),
            credentials=credentials or StillCredentials(),
            clock=clock,
            entropy=CountedEntropy(),
        )
    finally:
        await pool.aclose()


def port_over(client, *, deadline_seconds=10):
    return Dynamo(
        client=client,
        names=TableNames("t"),
        clock=client.clock,
        entropy=client.entropy,
        meter=RecordingMeter(),
        deadline_seconds=deadline_seconds,
    )
