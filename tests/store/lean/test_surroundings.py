"""What is not DynamoDB's: clocks, keys that expire, AWS's variables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiobotocore.credentials import AioRefreshableCredentials
from botocore.exceptions import ClientError

from service.store.client import open_lean_client
from service.store.errors import StoreUnavailable
from service.store.lean.client import LeanClient
from tests.support.clock import ManualClock
from tests.support.lean import AWAY, GET, PUT, StillCredentials, opened, port_over
from tests.support.store import CountedEntropy
from tests.support.stub_dynamo import ok, refusal


def skewed(seconds, clock):
    date = datetime.fromtimestamp(clock.now_ms() / 1000, tz=UTC) + timedelta(seconds=seconds)
    return refusal("InvalidSignatureException", headers={"date": format_datetime(date, usegmt=True)})


@pytest.mark.parametrize("seconds", [3600, -3600])
async def test_a_clock_that_is_wrong_is_set_by_dynamodbs_own_and_stays_set(stub, client, seconds):
    stub.plan(skewed(seconds, client.clock), ok({}), ok({}))
    await client.get_item(**GET)
    await client.get_item(**GET)
    stamps = [datetime.strptime(one.headers["x-amz-date"], "%Y%m%dT%H%M%S%z") for one in stub.asked]
    assert stamps[1] - stamps[0] == timedelta(seconds=seconds)
    assert stamps[2] == stamps[1]
    assert client.clock.slept == []


async def test_a_wrong_secret_is_not_taken_for_a_wrong_clock(stub, client):
    stub.plan(skewed(10, client.clock))
    with pytest.raises(ClientError, match="InvalidSignature"):
        await client.get_item(**GET)
    assert client.skew_ms == 0


async def test_a_clock_is_not_set_again_and_again_within_a_call(stub, client):
    stub.plan(*[skewed(3600 * number, client.clock) for number in (1, 2, 3)])
    with pytest.raises(ClientError, match="InvalidSignature"):
        await client.get_item(**GET)
    assert len(stub.asked) == 3


def renewing(*lives_seconds):
    """aioboto3's own renewing keys, each of a life in seconds."""
    made = []

    def keys():
        expiry = datetime.now(UTC) + timedelta(seconds=lives_seconds[len(made)])
        made.append(f"T{len(made)}")
        return {
            "access_key": "AKID",
            "secret_key": made[-1],
            "token": made[-1],
            "expiry_time": expiry.isoformat(),
        }

    async def renew():
        return keys()

    return AioRefreshableCredentials.create_from_metadata(keys(), refresh_using=renew, method="test")


async def test_keys_that_are_about_to_expire_are_renewed_before_they_sign(stub):
    async with opened(stub, credentials=renewing(30, 7200)) as client:
        stub.plan(ok({}), ok({}))
        for _ in range(2):
            await client.get_item(**GET)
    assert [asked.headers["x-amz-security-token"] for asked in stub.asked] == ["T1", "T1"]
    assert all("x-amz-security-token;" in asked.headers["authorization"] for asked in stub.asked)


async def test_keys_that_cannot_be_renewed_are_a_store_that_is_away(stub):
    async with opened(stub, credentials=renewing(-60, -60)) as client:
        with pytest.raises(StoreUnavailable, match="CredentialRetrievalError"):
            await port_over(client).write(PUT)
    assert not stub.asked


async def test_each_attempt_signs_with_the_keys_of_its_moment(stub):
    class Turning(StillCredentials):
        number = 0

        async def get_frozen_credentials(self):
            self.number += 1
            self.token = f"T{self.number}"
            return self

    async with opened(stub, credentials=Turning()) as client:
        stub.plan(AWAY, ok({}))
        await client.get_item(**GET)
    assert [asked.headers["x-amz-security-token"] for asked in stub.asked] == ["T1", "T2"]


@pytest.mark.parametrize(
    ("name", "value"), [("HTTP_PROXY", "http://127.0.0.1:1"), ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "required")]
)
async def test_where_aws_variables_ask_for_more_the_sdks_own_client_is_used(monkeypatch, stub, name, value):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", stub.url.replace("127.0.0.1", "keyturn.test"))
    async with open_lean_client(clock=ManualClock(), entropy=CountedEntropy()) as client:
        assert isinstance(client, LeanClient)
    monkeypatch.setenv(name, value)
    async with open_lean_client(clock=ManualClock(), entropy=CountedEntropy()) as client:
        assert not isinstance(client, LeanClient)


async def test_endpoint_region_and_keys_are_those_of_awss_variables(monkeypatch, stub):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", stub.url)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDFROMENV")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "TOKENFROMENV")
    stub.plan(ok({}))
    async with open_lean_client(clock=ManualClock(), entropy=CountedEntropy()) as client:
        await client.get_item(**GET)
    (asked,) = stub.asked
    assert "Credential=AKIDFROMENV/20270115/eu-central-1/dynamodb/aws4_request" in asked.headers["authorization"]
    assert asked.headers["x-amz-security-token"] == "TOKENFROMENV"


async def test_what_it_has_no_call_of_its_own_for_is_the_sdks(stub, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", stub.url)
    stub.plan(ok({"TableNames": ["a"]}))
    async with open_lean_client(clock=ManualClock(), entropy=CountedEntropy()) as client:
        assert client.meta.endpoint_url == stub.url
        assert (await client.list_tables())["TableNames"] == ["a"]
