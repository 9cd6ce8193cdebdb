"""The one door to aioboto3 for DynamoDB: one client for the process, opened in the lifespan."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aioboto3
from aiobotocore.config import AioConfig

from service.store.errors import StoreUnavailable
from service.store.integrity import require_whole_answers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_ATTEMPTS = 3
_POOL_CONNECTIONS = 128
_CONNECT_TIMEOUT_SECONDS = 1
_READ_TIMEOUT_SECONDS = 2
_KEEPALIVE_SECONDS = 50


def client_config(*, validate_parameters: bool) -> AioConfig:
    """The settings of the client. The default pool of 10 would cap throughput; the user agent is built once here."""
    return AioConfig(
        user_agent="keyturn",
        parameter_validation=validate_parameters,
        max_pool_connections=_POOL_CONNECTIONS,
        connect_timeout=_CONNECT_TIMEOUT_SECONDS,
        read_timeout=_READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        connector_args={"keepalive_timeout": _KEEPALIVE_SECONDS},
    )


@asynccontextmanager
async def open_client(*, validate_parameters: bool) -> AsyncIterator[Any]:
    """A DynamoDB client; region, endpoint and credentials come from AWS's own variables and chain.

    Raises StoreUnavailable when no region is set.
    """
    # boto alone of AWS's SDKs reads AWS_DEFAULT_REGION and not the AWS_REGION that all others, and Lambda, use.
    session = aioboto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    if session.region_name is None:
        raise StoreUnavailable("no AWS region is set; set AWS_REGION")
    async with session.client("dynamodb", config=client_config(validate_parameters=validate_parameters)) as client:
        require_whole_answers(client)
        yield client


def is_on_loopback(client: Any) -> bool:
    """Whether the client talks to an engine on this machine, which may lack what only AWS has."""
    return urlsplit(client.meta.endpoint_url).hostname in {"localhost", "127.0.0.1", "::1"}
