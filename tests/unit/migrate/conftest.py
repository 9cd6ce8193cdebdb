"""A control plane that behaves as AWS documents it: changes take a while, and refuse each other meanwhile."""
# ruff: noqa: N803 - the names are those of the SDK

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from botocore.exceptions import ClientError

from service.store.control import Control
from service.store.table import TableNames


class VirtualClock:
    def __init__(self):
        self.now = 0.0

    def now_ms(self):
        return round(self.now * 1000)

    def monotonic_seconds(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


def refuse(code):
    raise ClientError({"Error": {"Code": code, "Message": ""}}, "operation")


@dataclass
class AwsTable:
    description: dict
    ttl: str | None = None
    pitr: bool = False
    busy: int = 2
    backups_ready_after: int = 1


@dataclass
class FakeAws:
    tables: dict[str, AwsTable] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    ignores_encryption: bool = False
    calls: list[str] = field(default_factory=list)

    def _table(self, operation, name):
        self.calls.append(operation)
        if operation in self.unknown:
            refuse(self.unknown[operation])
        if name not in self.tables:
            refuse("ResourceNotFoundException")
        return self.tables[name]

    async def create_table(self, *, TableName, SSESpecification=None, DeletionProtectionEnabled=False, **request):
        self.calls.append("create_table")
        if TableName in self.tables:
            refuse("ResourceInUseException")
        self.tables[TableName] = AwsTable(
            description={
                "TableStatus": "CREATING",
                "KeySchema": request["KeySchema"],
                "AttributeDefinitions": request["AttributeDefinitions"],
                "BillingModeSummary": {"BillingMode": request["BillingMode"]},
                "DeletionProtectionEnabled": DeletionProtectionEnabled,
            }
        )
        if SSESpecification:
            self._encrypt(self.tables[TableName], SSESpecification, "ENABLED")

    def _encrypt(self, table, specification, status):
        if not self.ignores_encryption:
            arn = f"arn:aws:kms:eu-west-1:1:key/{specification['KMSMasterKeyId']}"
            table.description["SSEDescription"] = {"Status": status, "SSEType": "KMS", "KMSMasterKeyArn": arn}

    async def describe_table(self, *, TableName):
        table = self._table("describe_table", TableName)
        if table.busy:
            table.busy -= 1
        else:
            table.description["TableStatus"] = "ACTIVE"
            if "SSEDescription" in table.description:
                table.description["SSEDescription"]["Status"] = "ENABLED"
        return {"Table": table.description}

    async def update_table(self, *, TableName, SSESpecification=None, DeletionProtectionEnabled=None):
        table = self._table("update_table", TableName)
        if table.description["TableStatus"] != "ACTIVE":
            refuse("ResourceInUseException")
        table.description["TableStatus"], table.busy = "UPDATING", 2
        if SSESpecification:
            self._encrypt(table, SSESpecification, "UPDATING")
        if DeletionProtectionEnabled is not None:
            table.description["DeletionProtectionEnabled"] = DeletionProtectionEnabled

    async def describe_time_to_live(self, *, TableName):
        table = self._table("describe_time_to_live", TableName)
        if table.ttl is None:
            return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLING", "AttributeName": table.ttl}}

    async def update_time_to_live(self, *, TableName, TimeToLiveSpecification):
        table = self._table("update_time_to_live", TableName)
        if table.ttl is not None:
            refuse("ValidationException")
        table.ttl = TimeToLiveSpecification["AttributeName"]

    async def describe_continuous_backups(self, *, TableName):
        table = self._table("describe_continuous_backups", TableName)
        status = "ENABLED" if table.pitr else "DISABLED"
        description = {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": status}}
        return {"ContinuousBackupsDescription": description}

    async def update_continuous_backups(self, *, TableName, **_request):
        table = self._table("update_continuous_backups", TableName)
        if table.backups_ready_after:
            table.backups_ready_after -= 1
            refuse("ContinuousBackupsUnavailableException")
        table.pitr = True


@pytest.fixture
def aws():
    return FakeAws()


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def control(aws, clock):
    return Control(client=aws, names=TableNames("p"), clock=clock, deadline_seconds=5.0, patience_seconds=60.0)
