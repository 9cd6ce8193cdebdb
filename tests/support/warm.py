"""What the process that workers are forked from has done before; it is imported by its name alone.

The service loads late what not every process needs; whatever a worker loads to be ready is loaded here once for all.
"""

from __future__ import annotations

import asyncio

from aiobotocore.session import get_session

from tests.support.botocore_files import read_once


async def _make_a_client() -> None:
    async with get_session().create_client(
        "dynamodb", region_name="us-east-1", aws_access_key_id="keyturn", aws_secret_access_key="not-a-secret"
    ):
        pass


read_once()
asyncio.run(_make_a_client())
