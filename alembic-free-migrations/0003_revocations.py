"""The revocation feed: what was ended within the last access-token life, for guards that may not wait so long.

Random ids and times, nothing about a person. `ttl` holds seconds since the epoch and only collects garbage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def steps(step: Any) -> Iterator[Any]:
    """One table, by bucket of time and shard, sorted by time."""
    yield step.create_table("revocations", hash_key=("pk", "S"), range_key=("sk", "S"), protected=True)
    yield step.enable_ttl("revocations")
