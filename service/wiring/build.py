"""Everything that a route may ask for, for as long as the process serves."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from service.base import password_rules
from service.mail.opening import open_sender
from service.passwords.checker_open import open_checker
from service.store.cursor import Cursors
from service.web.provide import Services
from service.wiring.accounts import account_services, recovery_services, sign_up_services
from service.wiring.core import build_core
from service.wiring.revocations import revocation_services
from service.wiring.sessions import caller_services, session_services, sign_in_services

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service.base import Base

_DRAIN_SECONDS = 10.0


@asynccontextmanager
async def build(base: Base) -> AsyncIterator[Services]:
    """The flows and ports by type; what is under way when it ends is finished."""
    rules = password_rules(base.settings)
    mail_url = base.settings.mail_url.get_secret_value()
    async with (
        open_checker(rules, clock=base.clock, count=base.metrics.breach_checked) as checker,
        open_sender(mail_url) as sender,
    ):
        core, cursors = build_core(base, checker, sender), Cursors(base.identity_master, base.entropy)
        sweeping = asyncio.create_task(core.outbox.run()) if core.outbox.sends_itself else None
        try:
            yield Services(
                checker,
                cursors,
                *caller_services(core),
                *sign_in_services(core),
                *session_services(core),
                *sign_up_services(core),
                *recovery_services(core),
                *account_services(core),
                *revocation_services(core, cursors),
            )
        finally:
            if sweeping is not None:
                sweeping.cancel()
                await asyncio.gather(sweeping, return_exceptions=True)
            await core.outbox.drain(_DRAIN_SECONDS)
            await core.audit_table.drain(_DRAIN_SECONDS)
            await core.hasher.pool.close()
            await core.revocation_window.aclose()
            await core.keyring.aclose()
