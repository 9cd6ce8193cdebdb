"""What a request for mail is counted by: the network that asks, and the address that is written to.

The network comes first. Once it has used up its own quota it can no longer use up those of the addresses that it names,
and keep their owners from mails that they ask for themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import TooManyRequests
from service.throttle.limits import MAIL_FROM_NETWORK, MAIL_TO_ADDRESS

if TYPE_CHECKING:
    from service.throttle.quotas import Quotas


@dataclass(frozen=True, kw_only=True)
class MailQuotas:
    """Asked before it is known whose the address is, so that nothing of the answer tells that."""

    quotas: Quotas

    async def take(self, *, email_key: str, network: str) -> None:
        """Count one mail. Raises TooManyRequests when either has none left, StoreUnavailable rather than not count."""
        await self.quotas.take(MAIL_FROM_NETWORK, network)
        await self.quotas.take(MAIL_TO_ADDRESS, email_key)

    async def allow(self, *, email_key: str, network: str) -> bool:
        """``take`` for doors whose answer is the same for everybody: False in place of the refusal."""
        try:
            await self.take(email_key=email_key, network=network)
        except TooManyRequests:
            return False
        return True
