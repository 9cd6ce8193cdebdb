"""Where a table is otherwise than declared. Pure; drift is reported and never repaired."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from service.migrate.encryption import KeyMatch, match_key
from service.migrate.outcome import AWS_OWNED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.migrate.declared import DeclaredTable
    from service.store.table_state import TableState

_ON_DEMAND = "PAY_PER_REQUEST"


class Severity(StrEnum):
    """Whether a finding is a difference, or something that this engine cannot tell."""

    DRIFT = "drift"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One aspect of one table."""

    severity: Severity
    table: str
    aspect: str
    declared: str
    actual: str

    def __str__(self) -> str:
        if self.severity is Severity.SKIPPED:
            return f"{self.table}: {self.aspect} not checked: {self.actual}"
        return f"{self.table}: {self.aspect} is {self.actual}, declared is {self.declared}"


@dataclass(frozen=True, kw_only=True)
class ActualTable:
    """A table as it is. ``pitr`` is None, with ``pitr_reason``, where an embedded engine cannot tell."""

    state: TableState
    ttl_attribute: str | None
    pitr: bool | None
    pitr_reason: str = ""


def compare_table(
    name: str, declared: DeclaredTable, actual: ActualTable | None, *, kms_key_id: str | None, embedded: bool
) -> tuple[Finding, ...]:
    """All findings of one table. ``kms_key_id`` is the key of the settings, which goes before the recorded one."""
    if actual is None:
        return (_drift(name, "table", "present", "missing"),)
    return (
        *_plain_aspects(name, declared, actual),
        *_pitr(name, declared, actual),
        *_encryption(name, declared, actual, kms_key_id=kms_key_id, embedded=embedded),
    )


def _plain_aspects(name: str, declared: DeclaredTable, actual: ActualTable) -> Iterator[Finding]:
    state = actual.state
    pairs = (
        ("keys", ", ".join(map(str, declared.keys)), ", ".join(map(str, state.keys))),
        ("billing", _ON_DEMAND, state.billing),
        ("deletion protection", _on_off(on=declared.protected), _on_off(on=state.protected)),
        ("expiry", declared.ttl_attribute or "off", actual.ttl_attribute or "off"),
        ("indexes", "none", ", ".join(sorted(state.indexes)) or "none"),
    )
    for aspect, expected, found in pairs:
        if expected != found:
            yield _drift(name, aspect, expected, found)


def _pitr(name: str, declared: DeclaredTable, actual: ActualTable) -> Iterator[Finding]:
    aspect = "point-in-time recovery"
    if actual.pitr is None:
        yield _skipped(name, aspect, _on_off(on=declared.pitr), actual.pitr_reason)
    elif actual.pitr != declared.pitr:
        yield _drift(name, aspect, _on_off(on=declared.pitr), _on_off(on=actual.pitr))


def _encryption(
    name: str, declared: DeclaredTable, actual: ActualTable, *, kms_key_id: str | None, embedded: bool
) -> Iterator[Finding]:
    aspect, found = "encryption", actual.state.kms_key or AWS_OWNED
    expected = AWS_OWNED
    if declared.customer_key:
        if declared.encryption is None and embedded:
            yield _skipped(name, aspect, "customer key", "the embedded engine could not apply it")
            return
        expected = kms_key_id or declared.encryption or "customer key"
    matched = match_key(expected, actual.state.kms_key)
    if matched is KeyMatch.DIFFERENT:
        yield _drift(name, aspect, expected, found)
    elif matched is KeyMatch.UNKNOWN:
        yield _skipped(name, aspect, expected, f"DynamoDB names the key itself, {found}, and not {expected}")


def _drift(table: str, aspect: str, declared: str, actual: str) -> Finding:
    return Finding(severity=Severity.DRIFT, table=table, aspect=aspect, declared=declared, actual=actual)


def _skipped(table: str, aspect: str, declared: str, reason: str) -> Finding:
    return Finding(severity=Severity.SKIPPED, table=table, aspect=aspect, declared=declared, actual=reason)


def _on_off(*, on: bool) -> str:
    return "on" if on else "off"
