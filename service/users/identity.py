"""The keys of marker items: HMACs of canonical names, so that no key, log or metric carries an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.kernel.derive import mac, purpose_key
from service.kernel.email import Email

if TYPE_CHECKING:
    from service.kernel.identifier import Identifier


class IdentityKeys:
    """From a canonical name to the key of its marker. The version in the prefix lets the lookup key change."""

    def __init__(self, identity_key: bytes) -> None:
        self._email_key = purpose_key(identity_key, "identity/email/1")
        self._username_key = purpose_key(identity_key, "identity/username/1")

    def of(self, name: Identifier) -> str:
        """The marker key of an e-mail address or a username."""
        canonical = name.canonical.encode()
        if isinstance(name, Email):
            return "e1#" + mac(self._email_key, canonical).hex()
        return "u1#" + mac(self._username_key, canonical).hex()
