"""Which key a table is to have, and whether it has it. Pure."""

from __future__ import annotations

from enum import Enum

from service.migrate.outcome import AWS_OWNED


class KeyMatch(Enum):
    """Whether a table has the key that was declared."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """An alias was declared, and DynamoDB names the key itself."""


def declared_key(kms_key_id: str | None) -> str:
    """How a ledger record names the key."""
    return AWS_OWNED if kms_key_id is None else kms_key_id


def match_key(declared: str, actual_arn: str | None) -> KeyMatch:
    """Compare the declared key (id, ARN, alias or ``aws-owned``) with the ARN that the table has."""
    if declared == AWS_OWNED or actual_arn is None:
        return KeyMatch.SAME if declared == AWS_OWNED and actual_arn is None else KeyMatch.DIFFERENT
    if actual_arn == declared or actual_arn.endswith(f":key/{declared}"):
        return KeyMatch.SAME
    is_alias = declared.startswith("alias/") or ":alias/" in declared
    return KeyMatch.UNKNOWN if is_alias else KeyMatch.DIFFERENT
