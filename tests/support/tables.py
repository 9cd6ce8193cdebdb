"""Fresh tables for a test: migrated once a process, and made anew under another prefix by the same requests.

A migration is some eighty calls of botocore's, most of which ask what is there: 0.1 s of CPU for each of thousands of
tests. What it writes is written here again, by the bytes, to the engine.
"""

from __future__ import annotations

import http.client
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry

from service.base import open_base
from service.cli.context import migrate_context
from service.migrate.runner import apply_all, check
from service.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from service.base import Base

_ASKS = ("Describe", "Get", "List", "Query", "Scan", "BatchGet")
_NAMED = ("X-Amz-Target", "Content-Type", "Authorization", "X-Amz-Date")


@dataclass
class _Recording:
    prefix: str
    written: list[tuple[dict[str, str], str]]
    made: set[str]
    is_proven: bool = False


_recordings: dict[str, _Recording] = {}
"""By the engine's URL."""
_TOKEN = re.compile(r'("ClientRequestToken": ")[^"]+')


async def make_tables(base: Base) -> None:
    """All tables of ``base``, as a migration leaves them. Where this has made them before, it leaves them alone."""
    url, prefix = base.dynamo.client.meta.endpoint_url, base.settings.table_prefix
    if url not in _recordings:
        _recordings[url] = _Recording(prefix, await _migrate(base), {prefix})
        return
    recording = _recordings[url]
    if prefix in recording.made:
        return
    _write(url, [(headers, _renewed(body.replace(recording.prefix, prefix))) for headers, body in recording.written])
    if not recording.is_proven:
        report = await check(migrate_context(base, embedded=True))
        assert report.is_clean, report
        recording.is_proven = True
    recording.made.add(prefix)


async def _migrate(base: Base) -> list[tuple[dict[str, str], str]]:
    """Migrate by the SDK's own client, and answer what it wrote."""
    written = []

    def note(request, **_):
        headers = {name: _text(request.headers[name]) for name in _NAMED}
        if not headers["X-Amz-Target"].partition(".")[2].startswith(_ASKS):
            written.append((headers, _text(request.body)))

    plain = base.settings.model_copy(update={"store_client": "plain"})
    async with open_base(plain, Metrics(registry=CollectorRegistry()), clock=base.clock) as recorded:
        recorded.dynamo.client.meta.events.register("before-send.dynamodb", note)
        await apply_all(migrate_context(recorded, embedded=True))
    return written


def _renewed(body: str) -> str:
    """A transaction of its own: the engine remembers what it was asked with a token."""
    return _TOKEN.sub(lambda found: f"{found[1]}{uuid.uuid4()}", body)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


def _write(url: str, requests: list[tuple[dict[str, str], str]]) -> None:
    engine = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        for headers, body in requests:
            engine.request("POST", "/", body.encode(), headers)
            answer = engine.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()
    finally:
        engine.close()
