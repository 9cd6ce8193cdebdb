from __future__ import annotations

import asyncio
import time

import pytest
from botocore.exceptions import ClientError

from service.engines.process import EngineProcess
from service.engines.registry import available_engines
from service.migrate.drift import Severity
from service.migrate.runner import apply_all, check, make_plan
from service.store.control import ControlRefused
from service.store.table import Table

EXPECTED_KEYS = {
    "users": "uid B, sk S",
    "identities": "k S",
    "sessions": "uid B, sid B",
    "onetime": "k S",
    "throttle": "k S",
    "keys": "use_alg S, slot N",
    "audit": "pk S, sk S",
    "meta": "pk S, sk S",
    "outbox": "pk S, sk S",
    "revocations": "pk S, sk S",
}
WITHOUT_TTL = {"meta"}
UNPROTECTED = {"throttle"}


@pytest.fixture(scope="module", params=available_engines(), ids=lambda engine: engine.name)
def engine_url(request):
    process = EngineProcess(request.param)
    asyncio.run(process.start())
    yield process.endpoint_url
    asyncio.run(process.stop())


@pytest.mark.parametrize("table", list(Table))
async def test_every_table_of_the_store_is_created_as_declared(context, table):
    await apply_all(context)
    state = await context.control.describe(table)
    assert ", ".join(map(str, state.keys)) == EXPECTED_KEYS[table]
    assert state.billing == "PAY_PER_REQUEST"
    assert state.protected is (table not in UNPROTECTED)
    assert await context.control.ttl_attribute(table) == (None if table in WITHOUT_TTL else "ttl")


async def test_an_empty_store_is_migrated_in_a_moment(context):
    started = time.monotonic()
    await apply_all(context)
    assert time.monotonic() - started < 5.0


async def test_what_an_embedded_engine_lacks_is_reported_with_a_reason(context):
    report = await apply_all(context)
    assert all("the embedded engine has no" in reason for reason in report.skipped)


async def test_after_up_the_check_is_clean(context):
    await apply_all(context)
    report = await check(context)
    assert report.is_clean, list(map(str, report.findings))
    assert {finding.aspect for finding in report.findings} <= {"point-in-time recovery"}


async def test_with_a_customer_key_the_check_is_clean(client, context_for):
    context = context_for(client, kms_key_id="11111111-2222-3333-4444-555555555555")
    await apply_all(context)
    report = await check(context)
    assert report.is_clean, list(map(str, report.findings))


async def test_up_again_does_nothing_and_writes_nothing(client, context_for, spy):
    await apply_all(context_for(client))
    watched = spy(client)
    report = await apply_all(context_for(watched))
    assert report.applied == ()
    assert watched.calls == ["describe_table", "query"]


async def test_plan_and_check_make_no_write_call(client, context_for, spy):
    for _ in range(2):
        watched = spy(client)
        await make_plan(context_for(watched))
        await check(context_for(watched))
        assert set(watched.calls) <= {
            "describe_table",
            "describe_time_to_live",
            "describe_continuous_backups",
            "query",
        }
        await apply_all(context_for(client))


async def test_a_table_changed_by_hand_is_drift_and_is_not_repaired(client, context, prefix):
    await apply_all(context)
    await client.update_table(TableName=f"{prefix}-users", DeletionProtectionEnabled=False)
    await client.delete_table(TableName=f"{prefix}-throttle")
    for _ in range(2):
        report = await check(context)
        drift = {str(finding) for finding in report.findings if finding.severity is Severity.DRIFT}
        assert drift == {
            "users: deletion protection is off, declared is on",
            "throttle: table is missing, declared is present",
        }
        assert not report.is_clean


async def test_on_aws_a_check_that_cannot_tell_is_an_error_and_no_skip(client, context_for):
    class WithoutBackups:
        def __getattr__(self, operation):
            async def call(**request):
                if operation == "describe_continuous_backups":
                    raise ClientError({"Error": {"Code": "UnknownOperationException"}}, operation)
                return await getattr(client, operation)(**request)

            return call

    await apply_all(context_for(client))
    with pytest.raises(ControlRefused, match="UnknownOperationException"):
        await check(context_for(WithoutBackups(), embedded=False))


async def test_before_up_the_check_reports_what_is_pending(context):
    report = await check(context)
    assert report.pending == ("0001_first_tables", "0002_outbox", "0003_revocations")
    assert not report.is_clean
