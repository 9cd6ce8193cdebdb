"""Lanes: whose failures are counted together. Their keys are HMACs, so that the table holds no name and no address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.kernel.derive import mac, purpose_key
from service.throttle.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from service.throttle.device import DeviceId
    from service.throttle.model import Limit


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One counter: the key of its item, and its limit."""

    key: str
    limit: Limit


@dataclass(frozen=True, kw_only=True)
class Lanes:
    """The lanes of one attempt. A known device stands in its own lane in place of the account's."""

    account: Lane
    address: Lane
    device: Lane | None = None


class LaneKeys:
    """Makes lanes. Subjects are canonical (identity keys), so that aliases and case share a lane."""

    def __init__(self, master: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
        self._key = purpose_key(master, "throttle/lane/1")
        self.limits = limits

    def sign_in(self, *, identity_key: str, prefix: str, device: DeviceId | None) -> Lanes:
        """An attempt with a password for the name behind ``identity_key``, known or not, from the network ``prefix``.

        For a text that is no name, ``identity_key`` is the text itself with something before it that no key has.
        """
        device_lane = None if device is None else Lane(key=self.key("device", device.hex()), limit=self.limits.device)
        return Lanes(
            account=Lane(key=self.key("account", identity_key), limit=self.limits.account),
            address=self._address(prefix),
            device=device_lane,
        )

    def code(self, *, door: str, subject: str, prefix: str) -> Lanes:
        """An attempt with a code or a token at ``door``; wrong ones there do not lock another door."""
        return Lanes(
            account=Lane(key=self.key("code", door, subject), limit=self.limits.code), address=self._address(prefix)
        )

    def key(self, *parts: str) -> str:
        """The key of an item for the subject that ``parts`` name; the first part can be read, nothing else."""
        return f"{parts[0]}#" + mac(self._key, *(part.encode("utf-8", "surrogatepass") for part in parts)).hex()

    def _address(self, prefix: str) -> Lane:
        return Lane(key=self.key("address", prefix), limit=self.limits.address)
