"""The limits that hold unless somebody chooses others; docs/throttling.md says why these."""

from __future__ import annotations

from dataclasses import dataclass

from service.throttle.model import Delay, Limit
from service.throttle.quota import Quota

_HOUR = 3600
_QUARTER_HOUR = 900

ACCOUNT = Limit(
    name="account",
    failures=10,
    window_seconds=_HOUR,
    when_away=3,
    delay=Delay(first_seconds=30, longest_seconds=_QUARTER_HOUR),
)
"""Ten wrong passwords an hour, then one after 30 s, 1, 2, 4, 8 and at last 15 minutes."""

ADDRESS = Limit(
    name="address", failures=100, window_seconds=_QUARTER_HOUR, when_away=10, batch=5, unreserved_at_once=50
)
"""An office behind one address mistypes now and then; who goes through a list of accounts does not stop at 100."""

DEVICE = Limit(name="device", failures=10, window_seconds=_QUARTER_HOUR, when_away=3)
"""Over it, the device is a stranger like any other and stands in the account's lane."""

CODE = Limit(name="code", failures=10, window_seconds=_HOUR, when_away=3)
"""Wrong codes, for each address that they were mailed to: 40 bits do not fall to ten an hour."""

MAIL_TO_ADDRESS = Quota(name="mail", burst=10, interval_seconds=12 * 60)
"""Ten at once, and at most fifteen in any hour."""

MAIL_FROM_NETWORK = Quota(name="mail-network", burst=100, interval_seconds=60)
"""An office signs up in one morning: a hundred at once, and at most 160 in any hour. Nobody mails thousands."""

MAIL_OF_NEW_DEVICES = Quota(name="mail-device", burst=5, interval_seconds=12 * 60)
"""Needs the right password each time. A quota of its own: one that strangers can use up would let a thief in unseen."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """All of them together, as wiring hands them over."""

    account: Limit = ACCOUNT
    address: Limit = ADDRESS
    device: Limit = DEVICE
    code: Limit = CODE
    mail_to_address: Quota = MAIL_TO_ADDRESS
    mail_from_network: Quota = MAIL_FROM_NETWORK
    mail_of_new_devices: Quota = MAIL_OF_NEW_DEVICES


DEFAULT_LIMITS = Limits()
