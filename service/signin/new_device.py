"""The mail to an owner whose account was signed in to from a device that it does not know (docs/adr/0009)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit.event import Audit, Event, EventKind
from service.errors import TooManyRequests
from service.mail.message import MailKind, MailMessage
from service.mail.values import address_label, device_label, time_label
from service.store.errors import StoreUnavailable
from service.throttle.limits import MAIL_OF_NEW_DEVICES

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.mail.outbox import Announced, Outbox
    from service.sessions.model import Device
    from service.throttle.quotas import Quotas
    from service.users.model import User
    from service.users.repo import UserRepo


@dataclass(frozen=True, kw_only=True)
class NewDeviceMails:
    """Asked once a password was right and the device turned out not to be known; nobody else learns by its time."""

    users: UserRepo
    outbox: Outbox
    quotas: Quotas
    audit: Audit
    clock: Clock
    locale: str

    async def letter(self, user: User, device: Device) -> Announced | None:
        """The mail to store with the session; None at an account's very first sign-in, and over the quota.

        Raises StoreUnavailable when it cannot be told whether this is the first.
        """
        if user.email is None or user.email_key is None:
            return None
        # The check is the write: of two first sign-ins at once, one is not the first.
        if user.is_fresh and await self.users.first_sign_in(user.user_id):
            return None
        if not await self._has_left(user, user.email_key):
            return None
        values = {
            "device": device_label(device.name or device.user_agent or ""),
            "address": address_label(device.address or ""),
            "time": time_label(self.clock.now_ms()),
        }
        locale = user.locale or self.locale
        return self.outbox.prepare(
            MailMessage(to=user.email, template=MailKind.NEW_DEVICE, values=values, locale=locale)
        )

    async def _has_left(self, user: User, email_key: str) -> bool:
        try:
            await self.quotas.take(MAIL_OF_NEW_DEVICES, email_key)
        except TooManyRequests:
            self.audit.record(Event(kind=EventKind.THROTTLE, outcome=MAIL_OF_NEW_DEVICES.name, user_id=user.user_id))
            return False
        except StoreUnavailable:
            # Each process lets few sign-ins through while the throttle's table is away. A mail too many is a nuisance;
            # one too few hides a thief.
            return True
        return True
