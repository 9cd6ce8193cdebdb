"""With a replica that lags: nobody asks it, and every journey is right; those who would ask it would be wrong."""

from __future__ import annotations

import itertools
import re
import uuid
from dataclasses import dataclass

import pytest
from fastapi.routing import iter_route_contexts
from prometheus_client import CollectorRegistry

from service.app import create_app
from service.store.operations import Get, Put, Query
from service.store.table import Table
from service.telemetry.metrics import Metrics
from tests.support.cases import Cases
from tests.support.journeys.book import STRUCK
from tests.support.journeys.doors import DISABLED_LOOKS
from tests.support.journeys.recovery import CHANGE_PASSWORD, RESET
from tests.support.journeys.sessions import SIGN_IN
from tests.support.journeys.stage import NEW_PASSWORD
from tests.support.people import PASSWORD, sign_in
from tests.support.replica import Replica
from tests.support.strike import calls_of

WITHOUT_A_STORE = {
    ("GET", "/healthz"),
    ("GET", "/openapi.json"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/.well-known/openid-configuration"),
    ("POST", "/v1/password/check"),
    # Looking at a page reads nothing.
    ("GET", "/email/verify"),
    ("GET", "/password/reset"),
    ("GET", "/email/change"),
}


@pytest.fixture
def replica(proxy):
    """Stands before the store from now on."""
    proxy.replica = Replica()
    return proxy.replica


async def try_all(open_world, journeys):
    cases, asked = Cases(), set()
    for kind, alike in itertools.groupby(sorted(journeys, key=_kind), key=_kind):
        async with open_world(dict(kind), wholly=True) as world:
            for journey in alike:
                with cases.case(str(journey)):
                    await calls_of(world, journey)
            asked |= world.asked
    return cases, asked


def _kind(journey):
    return tuple(journey.environ.items())


async def test_every_journey_is_right_asks_no_replica_and_leaves_out_no_route(open_world, replica, settings):
    cases, asked = await try_all(open_world, STRUCK)
    cases.verdict()
    assert replica.stale == []
    # Whatever else is found to hold for every journey holds for every route.
    routes = {
        (method, route.path)
        for route in iter_route_contexts(create_app(settings, Metrics(registry=CollectorRegistry())).routes)
        for method in route.methods or ()
    }
    without = {one for one in routes - WITHOUT_A_STORE if one[0] != "HEAD" and not is_among(one, asked)}
    assert not without, "give these a journey in tests/support/journeys"


def is_among(route, asked):
    method, path = route
    pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))
    return any(method == one and pattern.fullmatch(other) for one, other in asked)


async def test_after_a_change_the_old_password_and_other_sessions_are_dead_at_the_very_next_request(
    open_world, replica
):
    async with open_world(wholly=True) as world:
        person = world.place()
        mine, other = await person.signed_up(), await sign_in(world.again, person.email)
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        await person.post("/v1/password/change", body, tokens=mine, status=204)
        await person.post("/v1/login", {"identifier": person.email, "password": PASSWORD}, status=401)
        await person.post("/v1/refresh", {"refresh_token": other["refresh_token"]}, status=401)
        await person.post("/v1/refresh", {"refresh_token": mine["refresh_token"]}, status=200)


async def test_after_a_reset_the_old_password_and_all_sessions_are_dead_at_the_very_next_request(open_world, replica):
    async with open_world(wholly=True) as world:
        person = world.place()
        tokens = await person.signed_up()
        await person.post("/v1/password/forgot", {"email": person.email}, status=202)
        body = {"token": await person.newest_token(after=0), "new_password": NEW_PASSWORD}
        await person.post("/v1/password/reset", body, status=204)
        await person.post("/v1/login", {"identifier": person.email, "password": PASSWORD}, status=401)
        await person.post("/v1/refresh", {"refresh_token": tokens["refresh_token"]}, status=401)


@pytest.mark.parametrize(
    ("operation", "journeys"),
    [
        ("GetItem", [DISABLED_LOOKS]),
        ("Query", [CHANGE_PASSWORD, RESET]),
        ("BatchGetItem", [SIGN_IN]),
    ],
)
async def test_reads_that_did_not_ask_for_consistency_would_be_wrong(open_world, replica, operation, journeys):
    replica.doubted = frozenset({operation})
    cases, _ = await try_all(open_world, journeys)
    assert len(cases.failures) == len(cases.names)
    assert replica.stale


async def test_an_eventually_consistent_read_sees_what_stood_there_before(open_world, replica):
    async with open_world() as world:
        client, table = world.base.dynamo.client, world.base.dynamo.names.of(Table.SESSIONS)
        sort = uuid.uuid4().bytes
        key = {"uid": sort, "sid": b"1"}
        get = {"TableName": table, "Key": {"uid": {"B": sort}, "sid": {"B": b"1"}}}
        for number in (1, 2):
            await world.base.dynamo.write(Put(table=Table.SESSIONS, item={**key, "g": number}))
        assert (await client.get_item(**get))["Item"]["g"] == {"N": "1"}
        assert (await client.get_item(**get, ConsistentRead=True))["Item"]["g"] == {"N": "2"}
        batch = {"Keys": [get["Key"]]}
        assert await numbers(client.batch_get_item(RequestItems={table: batch}), table) == ["1"]
        assert await numbers(client.batch_get_item(RequestItems={table: {**batch, "ConsistentRead": True}}), table) == [
            "2"
        ]
        assert (await world.base.dynamo.get(Get(table=Table.SESSIONS, key=key)))["g"] == 2
        query = Query(table=Table.SESSIONS, condition="uid = :uid", values={":uid": sort}, limit=9)
        asked = query.request(world.base.dynamo.names)
        assert [item["g"] for item in (await world.base.dynamo.query(query)).items] == [2]
        assert [item["g"] for item in (await client.query(**{**asked, "ConsistentRead": False}))["Items"]] == [
            {"N": "1"}
        ]
    assert replica.stale == ["GetItem", "BatchGetItem", "Query"]


@dataclass(frozen=True)
class Indexed:
    """A table with an index by e-mail."""

    client: object
    table: str

    async def create(self):
        await self.client.create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("k", "email")],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-email",
                    "KeySchema": [{"AttributeName": "email", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )

    async def put(self, **item):
        await self.client.put_item(TableName=self.table, Item={name: {"S": value} for name, value in item.items()})

    async def delete(self, k):
        await self.client.delete_item(TableName=self.table, Key={"k": {"S": k}})

    async def found(self, email):
        asked = {
            "KeyConditionExpression": "#email = :email",
            "ExpressionAttributeNames": {"#email": "email"},
            "ExpressionAttributeValues": {":email": {"S": email}},
        }
        return await self._plain(self.client.query(TableName=self.table, IndexName="by-email", **asked))

    async def scanned(self):
        return await self._plain(self.client.scan(TableName=self.table, IndexName="by-email"))

    async def now(self, k):
        found = await self.client.get_item(TableName=self.table, Key={"k": {"S": k}}, ConsistentRead=True)
        return {name: value["S"] for name, value in found.get("Item", {}).items()}

    @staticmethod
    async def _plain(asking):
        found = await asking
        assert found["Count"] == len(found["Items"])
        return [{name: value["S"] for name, value in item.items()} for item in found["Items"]]


async def test_an_index_still_shows_what_was_removed_or_changed_and_nothing_that_is_new(open_world, proxy):
    ada, bob = {"k": "1", "email": "ada@example.com"}, {"k": "2", "email": "bob@example.com"}
    table = f"indexed-{uuid.uuid4().hex}"
    async with open_world() as world:
        people = Indexed(world.base.dynamo.client, table)
        await people.create()
        for item in (ada, bob, {"k": "3"}):
            await people.put(**item)
    proxy.replica = Replica()
    async with open_world() as world:
        people = Indexed(world.base.dynamo.client, table)
        assert await people.found("ada@example.com") == [ada]
        await people.put(k="4", email="eve@example.com")
        assert await people.found("eve@example.com") == []
        await people.put(k="3", email="eve@example.com")
        assert await people.found("eve@example.com") == []
        await people.delete("1")
        assert await people.found("ada@example.com") == [ada]
        assert await people.now("1") == {}
        await people.put(**bob | {"email": "new@example.com"})
        assert await people.found("bob@example.com") == [bob]
        assert await people.found("new@example.com") == []
        assert await people.now("2") == bob | {"email": "new@example.com"}
        assert sorted(item["k"] for item in await people.scanned()) == ["1", "2"]
        # The next write of an item: now what stood before that one is seen.
        await people.put(**bob | {"email": "newest@example.com"})
        assert await people.found("bob@example.com") == []
        assert await people.found("new@example.com") == [bob | {"email": "new@example.com"}]
        assert set(proxy.replica.stale) == {"Query", "Scan"}
        await people.client.delete_table(TableName=table)


async def numbers(call, table):
    return [item["g"]["N"] for item in (await call)["Responses"][table]]
