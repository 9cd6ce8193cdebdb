"""The first tables, one for each kind of data.

Separate tables have separate permissions, keys, recovery and expiry, at no fixed cost. `ttl` holds seconds since the
epoch and only collects garbage: expiry is compared by whoever reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def steps(step: Any) -> Iterator[Any]:
    """Eight tables."""
    # Migrations themselves: ledger, lock, checkpoints. Exists already when this runs.
    yield step.create_table("meta", hash_key=("pk", "S"), range_key=("sk", "S"), protected=True)
    yield step.enable_pitr("meta")

    # Profile, password and other credentials of a user; tombstones expire.
    yield step.create_table("users", hash_key=("uid", "B"), range_key=("sk", "S"), protected=True, customer_key=True)
    yield step.enable_ttl("users")
    yield step.enable_pitr("users")

    # E-mail addresses and usernames, as HMACs; held names expire.
    yield step.create_table("identities", hash_key=("k", "S"), protected=True)
    yield step.enable_ttl("identities")
    yield step.enable_pitr("identities")

    yield step.create_table("sessions", hash_key=("uid", "B"), range_key=("sid", "B"), protected=True)
    yield step.enable_ttl("sessions")

    # Mailed tokens and codes.
    yield step.create_table("onetime", hash_key=("k", "S"), protected=True)
    yield step.enable_ttl("onetime")

    yield step.create_table("throttle", hash_key=("k", "S"))
    yield step.enable_ttl("throttle")

    # Signing keys by use and algorithm, one a time slot; the private part is wrapped.
    yield step.create_table(
        "keys", hash_key=("use_alg", "S"), range_key=("slot", "N"), protected=True, customer_key=True
    )
    yield step.enable_ttl("keys")
    yield step.enable_pitr("keys")

    yield step.create_table("audit", hash_key=("pk", "S"), range_key=("sk", "S"), protected=True)
    yield step.enable_ttl("audit")
    yield step.enable_pitr("audit")
