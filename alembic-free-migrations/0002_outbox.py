"""The outbox: mails that were announced and have not left yet.

A mail is written before the answer that announces it, so that no crash loses it. What has left is deleted; `ttl`
collects what nobody could deliver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def steps(step: Any) -> Iterator[Any]:
    """One table, by shard and time."""
    yield step.create_table("outbox", hash_key=("pk", "S"), range_key=("sk", "S"), protected=True)
    yield step.enable_ttl("outbox")
