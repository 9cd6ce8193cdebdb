"""The one door to aioboto3 for DynamoDB: one client for the process, opened in the lifespan.

The data plane's calls go through the lean client (docs/adr/0014), unless ``plain`` asks for the SDK's own.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aioboto3
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from service.store.errors import StoreUnavailable
from service.store.integrity import require_whole_answers
from service.store.lean.opening import open_lean
from service.store.lean.pool import PoolLimits
from service.store.lean.retry import TOTAL_ATTEMPTS
from service.store.sdk_files import read_less

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiobotocore.session import AioSession

    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy

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
        retries={"mode": "standard", "total_max_attempts": TOTAL_ATTEMPTS},
        connector_args={"keepalive_timeout": _KEEPALIVE_SECONDS},
    )


def pool_limits() -> PoolLimits:
    """The same numbers for the lean client's connections."""
    return PoolLimits(
        connections=_POOL_CONNECTIONS,
        connect_seconds=_CONNECT_TIMEOUT_SECONDS,
        answer_seconds=_READ_TIMEOUT_SECONDS,
        keep_seconds=_KEEPALIVE_SECONDS,
    )


@asynccontextmanager
async def open_client(*, validate_parameters: bool) -> AsyncIterator[Any]:
    """The SDK's own client; region, endpoint and credentials come from AWS's own variables and chain.

    Raises StoreUnavailable when no region is set.
    """
    _, session = _sessions()
    async with session.client("dynamodb", config=client_config(validate_parameters=validate_parameters)) as client:
        require_whole_answers(client)
        yield client


@asynccontextmanager
async def open_lean_client(*, clock: Clock, entropy: Entropy) -> AsyncIterator[Any]:
    """The lean client, with the SDK's beneath for what it has no calls of. Raises StoreUnavailable without a region."""
    core, session = _sessions()
    async with (
        session.client("dynamodb", config=client_config(validate_parameters=False)) as plain,
        open_lean(
            plain,
            credentials=await core.get_credentials(),
            ca_bundle=core.get_config_variable("ca_bundle"),
            limits=pool_limits(),
            clock=clock,
            entropy=entropy,
        ) as lean,
    ):
        require_whole_answers(plain)
        yield lean


def aws_region() -> str | None:
    """``AWS_REGION``, or None for what boto finds by itself.

    boto alone of AWS's SDKs reads AWS_DEFAULT_REGION and not the AWS_REGION that all others, and Lambda, use.
    """
    return os.environ.get("AWS_REGION") or None


def sdk_sessions() -> tuple[AioSession, aioboto3.Session]:
    """A new session of the SDK, and what makes its clients; the ``region_name`` of that is None where none is set."""
    core = get_session()
    read_less(core)
    return core, aioboto3.Session(botocore_session=core, region_name=aws_region())


def _sessions() -> tuple[AioSession, aioboto3.Session]:
    core, session = sdk_sessions()
    if session.region_name is None:
        raise StoreUnavailable("no AWS region is set; set AWS_REGION")
    return core, session


def is_on_loopback(client: Any) -> bool:
    """Whether the client talks to an engine on this machine, which may lack what only AWS has."""
    return urlsplit(client.meta.endpoint_url).hostname in {"localhost", "127.0.0.1", "::1"}
