"""Applies the steps that change tables. Each looks first and does nothing when the table is so already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from service.migrate.encryption import KeyMatch, declared_key, match_key
from service.migrate.errors import StepFailed
from service.migrate.outcome import Outcome
from service.migrate.steps import CreateTable, EnablePitr, EnableTtl, Encrypt, Protect
from service.store.control import ControlRefused

if TYPE_CHECKING:
    from service.migrate.steps import TableStep
    from service.store.control import Control
    from service.store.table_state import TableState

_ON_DEMAND = "PAY_PER_REQUEST"
UNKNOWN_OPERATION = "UnknownOperationException"
_NO_PITR = frozenset({UNKNOWN_OPERATION})
# What we call an engine's silence: it accepts the change and does not make it.
_IGNORED = "Ignored"
_NO_ENCRYPTION = frozenset({UNKNOWN_OPERATION, "ValidationException", _IGNORED})


@dataclass(frozen=True, kw_only=True)
class TableSteps:
    """Applies a step to its table. Only an ``embedded`` engine is allowed not to know an operation."""

    control: Control
    embedded: bool
    kms_key_id: str | None

    async def apply(self, step: TableStep) -> Outcome:
        """What became of it. Raises StepFailed, StoreUnavailable."""
        match step:
            case CreateTable():
                return await self._create(step)
            case EnableTtl():
                return await self._enable_ttl(step)
            case EnablePitr():
                return await self._enable_pitr(step)
            case Encrypt():
                return await self._encrypt(step.table)
            case Protect():
                return await self._protect(step.table)
            case _:
                assert_never(step)

    async def _create(self, step: CreateTable) -> Outcome:
        changed = False
        if await self.control.describe(step.table) is None:
            kms_key_id = self.kms_key_id if step.customer_key else None
            changed = await self.control.create(step.table, step.keys, protected=step.protected, kms_key_id=kms_key_id)
        state = await self.control.wait_until_active(step.table)
        if state.keys != step.keys or state.billing != _ON_DEMAND:
            actual = ", ".join(map(str, state.keys))
            raise StepFailed(f"{step.table} exists otherwise than declared: keys {actual}, billing {state.billing}")
        if step.protected:
            changed |= (await self._protect(step.table, state)).changed
        if not step.customer_key:
            return Outcome(changed=changed)
        encryption = await self._encrypt(step.table, state)
        return Outcome(
            changed=changed or encryption.changed,
            skipped=encryption.skipped,
            encrypted_with=encryption.encrypted_with,
        )

    async def _protect(self, table: str, state: TableState | None = None) -> Outcome:
        state = state or await self._existing(table)
        if state.protected:
            return Outcome(changed=False)
        await self.control.protect(table)
        await self.control.wait_until_active(table)
        return Outcome(changed=True)

    async def _encrypt(self, table: str, state: TableState | None = None) -> Outcome:
        state = state or await self._existing(table)
        declared, kms_key_id = declared_key(self.kms_key_id), self.kms_key_id
        if kms_key_id is None or match_key(declared, state.kms_key) is not KeyMatch.DIFFERENT:
            return Outcome(changed=False, encrypted_with=declared)
        try:
            await self.control.encrypt(table, kms_key_id)
        except ControlRefused as error:
            return Outcome(changed=False, skipped=self._excuse(table, "customer key", error, _NO_ENCRYPTION))
        after = await self.control.wait_until_active(table)
        if match_key(declared, after.kms_key) is KeyMatch.DIFFERENT:
            ignored = ControlRefused("update_table", _IGNORED)
            return Outcome(changed=False, skipped=self._excuse(table, "customer key", ignored, _NO_ENCRYPTION))
        return Outcome(changed=True, encrypted_with=declared)

    async def _enable_ttl(self, step: EnableTtl) -> Outcome:
        await self._existing(step.table)
        current = await self.control.ttl_attribute(step.table)
        if current not in {None, step.attribute}:
            raise StepFailed(f"items of {step.table} expire by {current}, which DynamoDB does not replace")

        if current is None:
            await self.control.enable_ttl(step.table, step.attribute)
        return Outcome(changed=current is None)

    async def _enable_pitr(self, step: EnablePitr) -> Outcome:
        await self._existing(step.table)
        try:
            if await self.control.has_pitr(step.table):
                return Outcome(changed=False)
            await self.control.enable_pitr(step.table)
        except ControlRefused as error:
            reason = self._excuse(step.table, "point-in-time recovery", error, _NO_PITR)
            return Outcome(changed=False, skipped=reason)
        return Outcome(changed=True)

    async def _existing(self, table: str) -> TableState:
        if await self.control.describe(table) is None:
            raise StepFailed(f"there is no table {self.control.full_name(table)}")
        return await self.control.wait_until_active(table)

    def _excuse(self, table: str, what: str, error: ControlRefused, allowed: frozenset[str]) -> str:
        """The named reason of a skip; raises the error itself where skipping would hide a lack."""
        if not self.embedded or error.refusal not in allowed:
            raise error
        return f"{table}: the embedded engine has no {what} ({error.refusal})"
