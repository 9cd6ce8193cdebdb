"""What is announced to somebody, what it reads like, and what leaves for the relay: three frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from service.mail.addresses import parse_mailbox
from service.mail.values import CHECKS

if TYPE_CHECKING:
    from collections.abc import Mapping


class MailKind(StrEnum):
    """Each mail that we write; the name is also the name of its templates."""

    CONFIRM_EMAIL = "confirm_email"
    """Prove that this address is yours. Values: link, code, expires_minutes."""
    ALREADY_REGISTERED = "already_registered"
    """Somebody tried to register your address, which has an account. No values."""
    REGISTER_AGAIN = "register_again"
    """More than one sign-up waits for your address; begin again. No values."""
    USERNAME_TAKEN = "username_taken"
    """Your sign-up cannot be completed, for its username is taken. No values."""
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a mail
    """Choose a new password. Values: link, code, expires_minutes."""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a mail
    """Your password was changed. No values."""
    EMAIL_CHANGE_CONFIRM = "email_change_confirm"
    """To the new address: confirm the change. Values: link, code."""
    EMAIL_CHANGED_NOTICE = "email_changed_notice"
    """To the old address: it is no longer the account's. No values."""
    EMAIL_CHANGED = "email_changed"
    """To the new address: it is the account's now. No values."""
    NEW_DEVICE = "new_device"
    """A sign-in from a device not seen before. Values: device, address, time."""
    SESSIONS_ENDED = "sessions_ended"
    """We ended a session to protect the account. Value: reason (one of ``values.ENDED_REASONS``)."""


_LINK_AND_CODE = frozenset({"link", "code"})
REQUIRED_VALUES: Mapping[MailKind, frozenset[str]] = MappingProxyType(
    {
        MailKind.CONFIRM_EMAIL: _LINK_AND_CODE | {"expires_minutes"},
        MailKind.ALREADY_REGISTERED: frozenset(),
        MailKind.REGISTER_AGAIN: frozenset(),
        MailKind.USERNAME_TAKEN: frozenset(),
        MailKind.RESET_PASSWORD: _LINK_AND_CODE | {"expires_minutes"},
        MailKind.PASSWORD_CHANGED: frozenset(),
        MailKind.EMAIL_CHANGE_CONFIRM: _LINK_AND_CODE,
        MailKind.EMAIL_CHANGED_NOTICE: frozenset(),
        MailKind.EMAIL_CHANGED: frozenset(),
        MailKind.NEW_DEVICE: frozenset({"device", "address", "time"}),
        MailKind.SESSIONS_ENDED: frozenset({"reason"}),
    }
)


class MailValuesRefused(ValueError):
    """A value is missing, unknown or not what its name says; the message names it and never shows it."""


@dataclass(frozen=True, kw_only=True)
class MailMessage:
    """One thing to tell one address. ``values`` may hold tokens, so neither they nor the address are ever printed.

    Raises:
        AddressRefused: when ``to`` is not exactly one address.
        MailValuesRefused: when ``values`` are not exactly those that the kind needs.
    """

    to: str = field(repr=False)
    template: MailKind
    values: Mapping[str, str] = field(repr=False, default_factory=dict)
    locale: str = "en"

    def __post_init__(self) -> None:
        parse_mailbox(self.to)
        if self.values.keys() != REQUIRED_VALUES[self.template]:
            wrong = ", ".join(sorted(REQUIRED_VALUES[self.template].symmetric_difference(self.values)))
            raise MailValuesRefused(f"{self.template}: missing or unknown values: {wrong}")
        for name, value in self.values.items():
            if not CHECKS[name](value):
                raise MailValuesRefused(f"{self.template}: the value of {name} is refused")
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))


@dataclass(frozen=True, kw_only=True)
class RenderedMail:
    """A mail in words. ``message_id`` is the part before the ``@``; ``to`` and ``sender`` are bare addresses."""

    message_id: str
    to: str = field(repr=False)
    sender: str
    sender_name: str = ""
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class OutgoingMail:
    """A mail as bytes (RFC 5322 with CRLF) with its envelope: all that a relay has to know."""

    message_id: str
    sent_ms: int
    sender: str
    to: str = field(repr=False)
    needs_smtputf8: bool
    data: bytes = field(repr=False)
